-- Events that could not be applied, and the later ones of the same subject, which wait behind them in order.
-- `error` says why an event could not be applied; it is null for those that only wait.
-- `retry` asks the running consumer to try the subject again.
CREATE TABLE quarantine (
    consumer text NOT NULL,
    source   text NOT NULL,
    position bigint NOT NULL,
    subject  text NOT NULL,
    type     text NOT NULL,
    payload  bytea NOT NULL,
    error    text,
    retry    boolean NOT NULL DEFAULT false,
    time     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, source, position)
);
CREATE INDEX quarantine_by_subject ON quarantine (consumer, source, subject, position);
CREATE INDEX quarantine_to_retry ON quarantine (consumer, source) WHERE retry;

-- Events that somebody decided to leave out, for every consumer of this database, rebuilds included.
CREATE TABLE dismissals (
    source   text NOT NULL,
    position bigint NOT NULL,
    reason   text NOT NULL,
    actor    text NOT NULL,
    time     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, position)
);
