-- The log: every event of one source, in one order. The table is also the outbox.
CREATE TABLE events (
    position   bigint PRIMARY KEY,
    stream     text NOT NULL,
    version    int NOT NULL,
    type       text NOT NULL,
    time       timestamptz NOT NULL,
    command_id uuid NOT NULL,
    leaf_hash  bytea NOT NULL,
    payload    bytea NOT NULL,
    UNIQUE (stream, version)
);
ALTER TABLE events ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Every accepted command, whether or not it made an event. Nothing expires.
CREATE TABLE commands (
    id             uuid PRIMARY KEY,
    actor          text NOT NULL,
    fingerprint    bytea NOT NULL,
    target         text NOT NULL,
    version        int NOT NULL,
    first_position bigint,
    last_position  bigint
);

-- The database cluster that the log was last compared with its topic on. Another system identifier or
-- timeline means a restore, a failover or a clone.
CREATE TABLE log_identity (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    system_identifier bigint NOT NULL,
    timeline          int NOT NULL
);
