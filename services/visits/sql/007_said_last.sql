-- Objects laid over each other in order: of each key, what was said last.
CREATE AGGREGATE jsonb_said_last (jsonb) (sfunc = jsonb_concat, stype = jsonb);
