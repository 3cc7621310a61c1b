-- What a team's bundle asks of the copy of the registry.
CREATE INDEX registry_members_by_team ON registry_facts USING gin ((content -> 'memberships')) WHERE kind = 'member';
CREATE INDEX registry_campaigns_by_team ON registry_facts USING gin ((content -> 'team_ids')) WHERE kind = 'campaign';
