-- A copy of what the registry's events say: it may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON unit_spans, unit_successions, pending_unit_events TO {app};
GRANT MAINTAIN ON unit_spans, unit_successions TO {app};
