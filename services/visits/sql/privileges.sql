-- Read models: what the logs say, in another form; they may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON teams, members, digital_services, households, visits TO {app};
