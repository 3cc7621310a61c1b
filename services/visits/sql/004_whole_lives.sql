-- Households and visits through their whole lives. Each row is what its stream says, folded; it is written anew
-- from the log whenever the stream goes on, so the order in which events come does not matter.
DROP TABLE households, visits;

-- `survivor_id` is the household that its visits count with: itself, unless it was entered twice. `changed` is a
-- position not below that of any event that said something about it or one of its visits, and above every one
-- that had been applied before. The summary of its visits follows: those that count, together with those of the
-- households that it absorbed; `obstacles` are those that nothing has overcome since, by digital service.
CREATE TABLE households (
    household_id       uuid PRIMARY KEY,
    unit_id            uuid NOT NULL,
    number             int NOT NULL,
    since              date NOT NULL,
    size               int,
    adults             int,
    people_15_and_over int,
    smartphones        int,
    connection         text,
    business_kind      text,
    closed_on          date,
    survivor_id        uuid NOT NULL,
    past_unit_ids      uuid[] NOT NULL DEFAULT '{}',
    surveyed_on        date,
    version            int NOT NULL,
    changed            bigint NOT NULL,
    visits             int NOT NULL DEFAULT 0,
    met                int NOT NULL DEFAULT 0,
    last_visit_on      date,
    last_outcome       text,
    follow_up_on       date,
    obstacles          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX households_by_unit ON households (unit_id, number, household_id);
CREATE INDEX households_by_past_unit ON households USING gin (past_unit_ids) WHERE past_unit_ids <> '{}';
CREATE INDEX households_absorbed ON households (survivor_id) WHERE survivor_id <> household_id;

-- `obstacles`: for each digital service of the visit, what stood in the way, or null.
CREATE TABLE visits (
    position     bigint PRIMARY KEY,
    visit_id     uuid NOT NULL UNIQUE,
    household_id uuid NOT NULL,
    survivor_id  uuid NOT NULL,
    team_id      uuid NOT NULL,
    member_ids   uuid[] NOT NULL,
    occurred_on  date NOT NULL,
    outcome      text NOT NULL,
    campaign_id  uuid,
    follow_up_on date,
    obstacles    jsonb NOT NULL,
    status       text NOT NULL,
    version      int NOT NULL
);
CREATE INDEX visits_by_survivor ON visits (survivor_id, occurred_on, position);
CREATE INDEX visits_by_team ON visits (team_id, position);
CREATE INDEX visits_by_campaign ON visits (campaign_id, position) WHERE campaign_id IS NOT NULL;
CREATE INDEX visits_to_confirm ON visits (team_id, position) WHERE status = 'recorded';

DELETE FROM quarantine WHERE consumer = 'visits-lists';
DELETE FROM consumer_checkpoints WHERE consumer = 'visits-lists';
