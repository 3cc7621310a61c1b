-- Teams and their members as the registry's log tells them; `version` is that of the stream.
CREATE TABLE teams (
    team_id         uuid PRIMARY KEY,
    name            text NOT NULL,
    decision_number text NOT NULL,
    formed_on       date NOT NULL,
    unit_ids        uuid[] NOT NULL,
    place_id        uuid NOT NULL,
    leader_id       uuid,
    position        bigint NOT NULL UNIQUE,
    version         int NOT NULL
);
CREATE INDEX teams_by_place ON teams (place_id);

CREATE TABLE members (
    member_id     uuid PRIMARY KEY,
    team_id       uuid NOT NULL,
    place_id      uuid NOT NULL,
    role          text NOT NULL,
    organisations text[] NOT NULL,
    joined_on     date NOT NULL,
    position      bigint NOT NULL,
    version       int NOT NULL
);
CREATE INDEX members_by_team ON members (team_id);
