-- What decisions about visits must know of the registry, as far as this service has heard of it (units are in
-- unit_spans). `position` is the registry's, of the event that said so last: by it, processes that keep this
-- in memory find what is new to them.
CREATE TABLE teams (
    team_id   uuid PRIMARY KEY,
    formed_on date NOT NULL,
    position  bigint NOT NULL
);
CREATE INDEX teams_by_position ON teams (position);

CREATE TABLE members (
    member_id uuid PRIMARY KEY,
    team_id   uuid NOT NULL,
    position  bigint NOT NULL
);
CREATE INDEX members_by_position ON members (position);

CREATE TABLE digital_services (
    code     text PRIMARY KEY,
    stages   text[] NOT NULL,
    position bigint NOT NULL
);
CREATE INDEX digital_services_by_position ON digital_services (position);
