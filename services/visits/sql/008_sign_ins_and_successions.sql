-- Members have every sign-in that they were ever linked to, and what became of a hamlet is read from unit_successions.
-- The copy knows less than that: it is made again, from the topic's beginning.
TRUNCATE registry_facts, unit_spans, unit_successions, pending_unit_events;
DELETE FROM quarantine WHERE consumer = 'visits-registry-copy';
DELETE FROM consumer_checkpoints WHERE consumer = 'visits-registry-copy';
