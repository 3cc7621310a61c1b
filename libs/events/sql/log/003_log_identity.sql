-- The cluster that this database runs on now.
CREATE FUNCTION current_log_identity() RETURNS TABLE (system_identifier bigint, timeline int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c
$$;

-- Remembers that the log was compared with its topic on this cluster.
CREATE FUNCTION confirm_log_identity() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    INSERT INTO log_identity (system_identifier, timeline) SELECT * FROM current_log_identity()
    ON CONFLICT (only_row) DO UPDATE
       SET system_identifier = excluded.system_identifier, timeline = excluded.timeline
$$;
