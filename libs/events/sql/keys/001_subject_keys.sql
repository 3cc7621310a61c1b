-- The key of each subject, wrapped by a master key that is not in any database. A row without a key is that of
-- an erased subject: it keeps one from ever being made again. One row a subject, so that whoever makes a key
-- and whoever destroys it at the same moment meet on it.
CREATE TABLE subject_keys (
    subject text PRIMARY KEY,
    number  bigint,
    master  text,
    wrapped bytea,
    made    timestamptz NOT NULL DEFAULT now(),
    erased  timestamptz,
    CHECK ((erased IS NULL) = (wrapped IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (number IS NULL) AND (wrapped IS NULL) = (master IS NULL))
);

-- Up to which position of its log a source's erasures have been carried out here. It stands beside the keys so
-- that both come from the same backup: an older one is behind, and does them again.
CREATE TABLE erasures_done (
    source   text PRIMARY KEY,
    position bigint NOT NULL
);

CREATE FUNCTION keep_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the key of % was destroyed', OLD.subject USING ERRCODE = 'SC002';
END $$;

CREATE TRIGGER keep_erased BEFORE UPDATE ON subject_keys
FOR EACH ROW WHEN (OLD.wrapped IS NULL AND NEW.wrapped IS NOT NULL) EXECUTE FUNCTION keep_erased();
