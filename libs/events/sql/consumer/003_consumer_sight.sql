-- What the active consumer knows of the source, for every process that answers from this database: how far it
-- goes (`head`), behind which position something is missing (`gap_after`), and when the source last answered
-- (`looked`; null while the consumer cannot go on).
ALTER TABLE consumer_checkpoints
    ADD COLUMN head      bigint NOT NULL DEFAULT 0,
    ADD COLUMN gap_after bigint,
    ADD COLUMN looked    timestamptz;
