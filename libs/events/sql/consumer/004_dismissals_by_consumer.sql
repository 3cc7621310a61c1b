-- What one consumer cannot apply, another one may have applied already: an event is left out by the consumers that
-- kept it in quarantine. Those of before were left out by all that follow the source.
ALTER TABLE dismissals ADD COLUMN consumer text, DROP CONSTRAINT dismissals_pkey;
INSERT INTO dismissals (consumer, source, position, reason, actor, time)
SELECT c.consumer, d.source, d.position, d.reason, d.actor, d.time
  FROM dismissals d JOIN consumer_checkpoints c USING (source);
DELETE FROM dismissals WHERE consumer IS NULL;
ALTER TABLE dismissals ADD PRIMARY KEY (consumer, source, position);
