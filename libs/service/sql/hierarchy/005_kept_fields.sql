-- The fields that nothing was said of by what the span was made of: they stay as they were on its eve, and
-- change with what is learnt of earlier days.
ALTER TABLE unit_spans ADD COLUMN kept text NOT NULL DEFAULT '';
