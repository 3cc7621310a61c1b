-- What tells who may see a figure: where teams work, and which member a sign-in is. The facts of members and teams
-- are read again, from the topics' beginning.
TRUNCATE worked_visits, team_stays, team_ends, member_facts;
ALTER TABLE team_stays ADD COLUMN unit_ids uuid[] NOT NULL DEFAULT '{}';
CREATE TABLE member_sign_ins (
    member_id uuid NOT NULL,
    position  bigint NOT NULL,
    subject   text,
    PRIMARY KEY (member_id, position)
);
CREATE INDEX member_sign_ins_by_subject ON member_sign_ins (subject);
CREATE INDEX member_facts_by_member ON member_facts (member_id);
-- What became of a visit by which event, so that the others can be taken together again without one that is dismissed.
ALTER TABLE worked_visits ADD COLUMN event text NOT NULL;
DELETE FROM quarantine WHERE consumer = 'activity';
DELETE FROM consumer_checkpoints WHERE consumer = 'activity';

-- Which event is dismissed, so that the trail of what it was about says so.
ALTER TABLE own_trail ADD COLUMN of_source text, ADD COLUMN of_position bigint;
UPDATE own_trail o
   SET of_source = e.data ->> 'source', of_position = (e.data ->> 'position')::bigint
  FROM (SELECT position, convert_from(payload, 'UTF8')::jsonb -> 'data' AS data FROM events
         WHERE stream LIKE 'dismissal/%') e
 WHERE o.position = e.position;
