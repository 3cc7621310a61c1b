-- Read models: what the log says, in another form; they may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON teams, members, baselines, digital_services TO {app};
GRANT SELECT, INSERT, UPDATE, DELETE ON team_spans, past_memberships, campaigns, statistics, targets, indicators, team_leaders TO {app};
