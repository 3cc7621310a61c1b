-- The statements that were issued: the log of metrics itself, in another form. `content` is canonical JSON, kept
-- as the text whose SHA-256 is `digest`.
CREATE TABLE statements (
    statement_id uuid PRIMARY KEY,
    unit_id      uuid NOT NULL,
    content      text NOT NULL,
    digest       text NOT NULL,
    issued_by    text NOT NULL,
    issued_at    timestamptz NOT NULL,
    position     bigint NOT NULL
);
CREATE INDEX statements_by_unit ON statements (unit_id, position);
