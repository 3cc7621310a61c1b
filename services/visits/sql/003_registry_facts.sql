-- What decisions about visits must know of the registry's teams, members, campaigns, digital services and split
-- hamlets: each stream of these, folded. `position` is the registry's, of the event that said so last: by it,
-- processes that keep this in memory find what is new to them.
CREATE TABLE registry_facts (
    kind     text NOT NULL,
    name     text NOT NULL,
    content  jsonb NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX registry_facts_by_position ON registry_facts (position);
DROP TABLE teams, members, digital_services;

-- They know less than this version needs: the copy is made again, from the topic's beginning.
TRUNCATE unit_spans, unit_successions, pending_unit_events;
DELETE FROM quarantine WHERE consumer = 'visits-registry-copy';
DELETE FROM consumer_checkpoints WHERE consumer = 'visits-registry-copy';
