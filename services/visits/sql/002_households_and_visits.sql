-- Households and visits as this service's own log tells them: what lists are chosen and ordered by. What a
-- visit says besides stands in its event, at `position`.
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
    version            int NOT NULL
);
CREATE INDEX households_by_unit ON households (unit_id, number, household_id);

CREATE TABLE visits (
    position     bigint PRIMARY KEY,
    visit_id     uuid NOT NULL,
    household_id uuid NOT NULL,
    team_id      uuid NOT NULL,
    member_ids   uuid[] NOT NULL,
    occurred_on  date NOT NULL,
    voided       boolean NOT NULL DEFAULT false
);
CREATE INDEX visits_by_household ON visits (household_id);
CREATE INDEX visits_by_team ON visits (team_id, position);
