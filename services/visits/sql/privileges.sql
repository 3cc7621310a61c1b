-- Read models: what the logs say, in another form; they may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON registry_facts, households, visits TO {app};
