-- Appends the events of many commands, each command all or none.
--
-- Row n of the first five arrays is command n (from 1). Expectations and events name their command by that
-- number; events stand in the order in which they are to be numbered. No command of one call may write a
-- stream that another one of it writes or relies on: the caller sees to that, so nothing here needs a loop.
--
-- Answers one row per command: accepted, repeated (same id, same fingerprint: the first answer), reused (same
-- id, other fingerprint) or stale (an expectation does not hold).
--
-- The lock is held to the end of this one call, never across a round trip. Statements after it see all that
-- was committed before, so positions are gapless and in commit order by construction.
CREATE FUNCTION append_events(
    known_position bigint,
    ids uuid[], fingerprints bytea[], actors text[], targets text[], target_versions int[],
    expectation_command int[], expectation_stream text[], expectation_version int[],
    event_command int[], event_stream text[], event_version int[], event_type text[], event_body text[]
) RETURNS TABLE (
    command int, status text, target text, version int,
    first_position bigint, last_position bigint, leaf_hash bytea
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = public, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    start timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('socai log', 0));

    SELECT e.position, e.time + interval '1 microsecond' INTO head, start
      FROM events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    start := greatest(clock_timestamp(), start);
    IF head < known_position THEN
        RAISE EXCEPTION 'the log ends at % but % was acknowledged', head, known_position USING ERRCODE = 'SC001';
    END IF;

    RETURN QUERY
    WITH request AS MATERIALIZED (
        SELECT r.n::int AS n, r.id, r.fingerprint, r.actor, r.target, r.target_version,
               c.id IS NOT NULL AS known, c.fingerprint = r.fingerprint AS same, c.target AS first_target,
               c.version AS known_version, c.first_position, c.last_position
          FROM unnest(ids, fingerprints, actors, targets, target_versions)
               WITH ORDINALITY r (id, fingerprint, actor, target, target_version, n)
          LEFT JOIN LATERAL (SELECT * FROM commands k WHERE k.id = r.id LIMIT 1) c ON true
    ), stale AS MATERIALIZED (
        SELECT DISTINCT x.n
          FROM unnest(expectation_command, expectation_stream, expectation_version) x (n, stream, version)
         WHERE x.version <> coalesce((SELECT max(e.version) FROM events e WHERE e.stream = x.stream), 0)
    ), accepted AS MATERIALIZED (
        SELECT * FROM request WHERE NOT known AND NOT EXISTS (SELECT FROM stale WHERE stale.n = request.n)
    ), numbered AS (
        SELECT v.n, a.id, v.stream, v.version, v.type, v.body, row_number() OVER (ORDER BY v.k) - 1 AS k
          FROM unnest(event_command, event_stream, event_version, event_type, event_body)
               WITH ORDINALITY v (n, stream, version, type, body, k)
          JOIN accepted a USING (n)
    ), built AS (
        SELECT n, id, stream, version, type, head + 1 + k AS position, start + k * interval '1 microsecond' AS time,
               convert_to('{"position":' || (head + 1 + k) || ',"time":"'
                   || to_char((start + k * interval '1 microsecond') AT TIME ZONE 'UTC',
                              'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                   || '",' || body, 'UTF8') AS payload
          FROM numbered
    ), hashed AS MATERIALIZED (
        SELECT *, sha256('\x00'::bytea || payload) AS leaf_hash FROM built
    ), inserted AS (
        INSERT INTO events (position, stream, version, type, time, command_id, leaf_hash, payload)
        SELECT position, stream, version, type, time, id, leaf_hash, payload FROM hashed ORDER BY position
    ), span AS MATERIALIZED (
        SELECT n, min(position) AS first_position, max(position) AS last_position FROM hashed GROUP BY n
    ), remembered AS (
        INSERT INTO commands (id, actor, fingerprint, target, version, first_position, last_position)
        SELECT a.id, a.actor, a.fingerprint, a.target, a.target_version, s.first_position, s.last_position
          FROM accepted a LEFT JOIN span s USING (n)
    )
    SELECT r.n,
           CASE WHEN r.same THEN 'repeated' WHEN r.known THEN 'reused'
                WHEN a.n IS NOT NULL THEN 'accepted' ELSE 'stale' END,
           coalesce(r.first_target, r.target),
           coalesce(r.known_version, r.target_version),
           coalesce(r.first_position, s.first_position),
           coalesce(r.last_position, s.last_position),
           coalesce(h.leaf_hash, (SELECT e.leaf_hash FROM events e WHERE e.position = r.last_position))
      FROM request r
      LEFT JOIN accepted a USING (n)
      LEFT JOIN span s USING (n)
      LEFT JOIN hashed h ON h.position = s.last_position;
END $$;
