-- Read models: what the log says, in another form; they may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON teams, members, baselines, digital_services TO {app};
