-- Append-only by privilege: the service's role may read, and append through the function, nothing else.
REVOKE ALL ON events, commands, moved_names, log_identity FROM PUBLIC, {app};
GRANT SELECT ON events, commands, log_identity TO {app};
REVOKE ALL ON FUNCTION append_events, current_log_identity, confirm_log_identity FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events, current_log_identity, confirm_log_identity TO {app};

-- The relay adds checkpoints; nobody changes one. Putting events back is for the owner.
GRANT SELECT, INSERT ON checkpoints TO {app};
REVOKE ALL ON FUNCTION recover_events, doubt_log_identity FROM PUBLIC;
GRANT EXECUTE ON FUNCTION doubt_log_identity TO {app};
