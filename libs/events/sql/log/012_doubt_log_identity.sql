-- The log was compared with its topic and does not fit: until it does, no process may append. Each sees this
-- when it connects, and its relay while it stands by.
CREATE FUNCTION doubt_log_identity() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    INSERT INTO log_identity (system_identifier, timeline) VALUES (0, 0)
    ON CONFLICT (only_row) DO UPDATE SET system_identifier = 0, timeline = 0
$$;
