-- The audit trail of what was decided here: the log of metrics itself, in another form. `unit_id` is the unit that
-- an event is about.
CREATE TABLE own_trail (
    position bigint PRIMARY KEY,
    time     timestamptz NOT NULL,
    type     text NOT NULL,
    actor    text NOT NULL,
    command  uuid NOT NULL,
    unit_id  uuid NOT NULL
);
CREATE INDEX own_trail_by_unit ON own_trail (unit_id, position);
CREATE INDEX own_trail_by_actor ON own_trail (actor, position);

-- What the lists have been told of already.
INSERT INTO own_trail
SELECT position, time, type, event ->> 'actor', command_id, (event -> 'data' ->> 'unit_id')::uuid
  FROM events, LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb AS event) e
 WHERE position <= (SELECT position FROM consumer_checkpoints WHERE consumer = 'metrics-lists');
