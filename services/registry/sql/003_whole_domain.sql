-- Teams as they are now, and what each was called and where it worked from one day to another.
ALTER TABLE teams ADD COLUMN dissolved_on date, ADD COLUMN dissolution_reason text;

CREATE TABLE team_spans (
    team_id    uuid NOT NULL,
    name       text NOT NULL,
    unit_ids   uuid[] NOT NULL,
    place_id   uuid NOT NULL,
    valid_from date NOT NULL,
    valid_to   date,
    PRIMARY KEY (team_id, valid_from)
);
CREATE INDEX team_spans_by_place ON team_spans (place_id);
INSERT INTO team_spans (team_id, name, unit_ids, place_id, valid_from)
SELECT team_id, name, unit_ids, place_id, formed_on FROM teams;

-- A member's last membership stands in `members`, with what they have learned; those before it here.
ALTER TABLE members
    ADD COLUMN left_on          date,
    ADD COLUMN subject          text,
    ADD COLUMN digital_services text[] NOT NULL DEFAULT '{}',
    ADD COLUMN trainings        jsonb NOT NULL DEFAULT '[]';
CREATE INDEX members_by_subject ON members (subject);

CREATE TABLE past_memberships (
    member_id uuid NOT NULL,
    team_id   uuid NOT NULL,
    role      text NOT NULL,
    joined_on date NOT NULL,
    left_on   date NOT NULL,
    PRIMARY KEY (member_id, joined_on)
);

CREATE TABLE campaigns (
    campaign_id uuid PRIMARY KEY,
    unit_id     uuid NOT NULL,
    team_ids    uuid[] NOT NULL,
    name        text NOT NULL,
    day         date NOT NULL,
    partners    text[] NOT NULL,
    status      text NOT NULL,
    reason      text,
    position    bigint NOT NULL UNIQUE,
    version     int NOT NULL
);
CREATE INDEX campaigns_by_unit ON campaigns (unit_id, day);
CREATE INDEX campaigns_by_team ON campaigns USING gin (team_ids);

CREATE TABLE statistics (
    statistic_id uuid PRIMARY KEY,
    unit_id      uuid NOT NULL,
    indicator    text NOT NULL,
    measure      text NOT NULL,
    value        numeric NOT NULL,
    first_day    date NOT NULL,
    last_day     date NOT NULL,
    source       text NOT NULL,
    withdrawn    text,
    position     bigint NOT NULL UNIQUE,
    version      int NOT NULL
);
CREATE INDEX statistics_by_unit ON statistics (unit_id, indicator, last_day);

-- A target that was cascaded has a row for each unit; `position` is that of its own event.
CREATE TABLE targets (
    target_id       uuid NOT NULL,
    unit_id         uuid NOT NULL,
    indicator       text NOT NULL,
    digital_service text,
    stage           text,
    measure         text,
    value           numeric NOT NULL,
    due             date NOT NULL,
    cascaded_from   uuid,
    withdrawn       text,
    position        bigint NOT NULL UNIQUE,
    version         int NOT NULL,
    PRIMARY KEY (target_id, unit_id)
);
CREATE INDEX targets_by_unit ON targets (unit_id, indicator, due);

ALTER TABLE digital_services ADD COLUMN retired_on date, ADD COLUMN retirement_reason text;

CREATE TABLE indicators (
    code       text NOT NULL,
    number     int NOT NULL,
    definition jsonb NOT NULL,
    position   bigint NOT NULL,
    PRIMARY KEY (code, number)
);
