-- Puts events back that the topic still has and the log lost (a database restored from an older backup), byte
-- for byte. For the owner only, by `socai relay recover`. Row n must hold position head + n; no command's
-- events may be split over two calls. Answers the new head.
--
-- A command's fingerprint is not in its events: an empty one matches whatever comes again under that id.
CREATE FUNCTION recover_events(payloads bytea[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp
AS $$
DECLARE
    head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('socai log', 0));
    SELECT coalesce(max(position), 0) INTO head FROM events;

    CREATE TEMPORARY TABLE returning_event ON COMMIT DROP AS
    SELECT n, payload, (e ->> 'position')::bigint AS position, e ->> 'subject' AS stream,
           (e ->> 'streamversion')::int AS version, e ->> 'type' AS type, (e ->> 'time')::timestamptz AS time,
           (e ->> 'commandid')::uuid AS command_id, e ->> 'actor' AS actor
      FROM unnest(payloads) WITH ORDINALITY given (payload, n),
           LATERAL (SELECT convert_from(payload, 'UTF8')::json AS e) parsed;

    IF EXISTS (SELECT FROM returning_event r WHERE r.position <> head + r.n) THEN
        RAISE EXCEPTION 'the log ends at %, the events given do not follow it', head;
    END IF;

    INSERT INTO events (position, stream, version, type, time, command_id, leaf_hash, payload)
    SELECT r.position, r.stream, r.version, r.type, r.time, r.command_id,
           sha256('\x00'::bytea || r.payload), r.payload
      FROM returning_event r ORDER BY r.position;

    INSERT INTO commands (id, actor, fingerprint, target, version, first_position, last_position)
    SELECT c.id, c.actor, '', c.target,
           (SELECT max(r.version) FROM returning_event r WHERE r.command_id = c.id AND r.stream = c.target),
           c.first_position, c.last_position
      FROM (SELECT r.command_id AS id, min(r.actor) AS actor, (array_agg(r.stream ORDER BY r.position))[1] AS target,
                   min(r.position) AS first_position, max(r.position) AS last_position
              FROM returning_event r GROUP BY r.command_id) c;

    DROP TABLE returning_event;
    RETURN head + cardinality(payloads);
END $$;

REVOKE ALL ON FUNCTION recover_events FROM PUBLIC;
