-- Names beside streams that decisions may hold on to, such as a code of which only one unit may bear it: `position`
-- is where the log ended when a command last moved one. For the moment of an append only; whoever decides reads
-- the events. A log that was restored starts with none.
CREATE TABLE moved_names (
    name     text PRIMARY KEY,
    position bigint NOT NULL
);

-- As before, and with names: row n of the last three arrays is a name that a command moves, and if `since` is
-- given, one that nobody may have moved after that position. No command of one call may move a name that another
-- one of it gives a `since` for. Processes that know of no names yet leave the three out.
DROP FUNCTION append_events;
CREATE FUNCTION append_events(
    known_position bigint,
    ids uuid[], fingerprints bytea[], actors text[], targets text[], target_versions int[], event_counts int[],
    expectation_command int[], expectation_stream text[], expectation_version int[],
    event_command int[], event_stream text[], event_version int[], event_type text[], event_body text[],
    moved_command int[] DEFAULT '{}', moved_name text[] DEFAULT '{}', moved_since bigint[] DEFAULT '{}'
) RETURNS TABLE (first_position bigint, known int[], stale int[], leaf_hashes bytea[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    start timestamptz;
    refused int[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('socai log', 0));

    SELECT e.position, e.time + interval '1 microsecond' INTO head, start
      FROM events e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    start := greatest(clock_timestamp(), start);
    IF head < known_position THEN
        RAISE EXCEPTION 'the log ends at % but % was acknowledged', head, known_position USING ERRCODE = 'SC001';
    END IF;

    known := ARRAY(
        SELECT r.n::int FROM unnest(ids) WITH ORDINALITY r (id, n)
         WHERE (SELECT true FROM commands c WHERE c.id = r.id));
    stale := ARRAY(
        SELECT x.n FROM unnest(expectation_command, expectation_stream, expectation_version) x (n, stream, version)
         WHERE x.n <> ALL (known)
           AND x.version <> coalesce((SELECT max(e.version) FROM events e WHERE e.stream = x.stream), 0));
    IF cardinality(moved_name) > 0 THEN
        stale := stale || ARRAY(
            SELECT x.n FROM unnest(moved_command, moved_name, moved_since) x (n, name, since)
             WHERE x.n <> ALL (known)
               AND x.since < (SELECT m.position FROM moved_names m WHERE m.name = x.name));
    END IF;
    refused := known || stale;

    WITH appended AS (
        INSERT INTO events (position, stream, version, type, time, command_id, leaf_hash, payload)
        SELECT position, stream, version, type, time, id, sha256('\x00'::bytea || payload), payload
          FROM (SELECT head + k AS position, stream, version, type, start + (k - 1) * interval '1 microsecond' AS time,
                       id,
                       convert_to('{"position":' || (head + k) || ',"time":"'
                           || to_char((start + (k - 1) * interval '1 microsecond') AT TIME ZONE 'UTC',
                                      'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                           || '",' || body, 'UTF8') AS payload
                  FROM (SELECT v.stream, v.version, v.type, v.body, ids[v.n] AS id, row_number() OVER () AS k
                          FROM unnest(event_command, event_stream, event_version, event_type, event_body)
                               v (n, stream, version, type, body)
                         WHERE v.n <> ALL (refused)) numbered
                OFFSET 0) built
        RETURNING position, leaf_hash)
    SELECT array_agg(leaf_hash) INTO leaf_hashes FROM appended;

    INSERT INTO commands (id, actor, fingerprint, target, version, first_position, last_position)
    SELECT id, actor, fingerprint, target, target_version,
           CASE WHEN events > 0 THEN last - events + 1 END, CASE WHEN events > 0 THEN last END
      FROM (SELECT r.*, head + sum(events) OVER (ROWS UNBOUNDED PRECEDING) AS last
              FROM unnest(ids, fingerprints, actors, targets, target_versions, event_counts)
                   WITH ORDINALITY r (id, fingerprint, actor, target, target_version, events, n)
             WHERE r.n <> ALL (refused)) accepted;

    IF cardinality(moved_name) > 0 THEN
        INSERT INTO moved_names (name, position)
        SELECT DISTINCT x.name, head + coalesce(cardinality(leaf_hashes), 0)
          FROM unnest(moved_command, moved_name) x (n, name) WHERE x.n <> ALL (refused)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position;
    END IF;

    first_position := head + 1;
    RETURN NEXT;
END $$;
