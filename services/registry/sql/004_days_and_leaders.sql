-- The last day on which something is known of a membership: no team is dissolved before it.
ALTER TABLE members ADD COLUMN last_day date;
UPDATE members m
   SET last_day = greatest(joined_on, left_on,
                           (SELECT max((t ->> 'completed_on')::date) FROM jsonb_array_elements(m.trainings) t));
ALTER TABLE members ALTER COLUMN last_day SET NOT NULL;

-- Who led a team from one day to another. Of those who led before this table was there, the last one is known.
CREATE TABLE team_leaders (
    team_id      uuid NOT NULL,
    member_id    uuid NOT NULL,
    appointed_on date NOT NULL,
    released_on  date,
    position     bigint NOT NULL,
    PRIMARY KEY (team_id, position)
);
INSERT INTO team_leaders (team_id, member_id, appointed_on, position)
SELECT t.team_id, t.leader_id, coalesce(m.joined_on, t.formed_on), t.position
  FROM teams t LEFT JOIN members m ON m.member_id = t.leader_id
 WHERE t.leader_id IS NOT NULL;
