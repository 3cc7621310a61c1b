-- How far each consumer applied each source. The position is the truth; the Kafka offset beside it is only a
-- hint where to start reading. `range` is the compact range over the leaves that were applied.
CREATE TABLE consumer_checkpoints (
    consumer     text NOT NULL,
    source       text NOT NULL,
    position     bigint NOT NULL DEFAULT 0,
    kafka_offset bigint NOT NULL DEFAULT 0,
    range        bytea NOT NULL DEFAULT '',
    time         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, source)
);
