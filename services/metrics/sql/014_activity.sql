-- What members did, for their activity sheets. Filled by a consumer of its own from both topics; no figure is made
-- of it. What a visit says stands in versions, each with the positions between which it was known; of teams and
-- members there are facts, which are added and never change.
CREATE TABLE worked_visits (
    visit_id    uuid NOT NULL,
    known_from  bigint NOT NULL,
    known_until bigint,
    team_id     uuid NOT NULL,
    member_ids  uuid[] NOT NULL,
    day         date NOT NULL,
    campaign    boolean NOT NULL,
    confirmed   boolean NOT NULL,
    disputed    boolean NOT NULL,
    void        boolean NOT NULL,
    PRIMARY KEY (visit_id, known_from)
);
CREATE INDEX worked_visits_by_team ON worked_visits (team_id, day);
CREATE INDEX worked_visits_now ON worked_visits (visit_id) WHERE known_until IS NULL;

-- Where a team is counted from a day on.
CREATE TABLE team_stays (
    team_id  uuid NOT NULL,
    position bigint NOT NULL,
    first    date NOT NULL,
    place_id uuid NOT NULL,
    PRIMARY KEY (team_id, position)
);

-- Teams that were dissolved, with their last day: it is that of everybody who is in them, too.
CREATE TABLE team_ends (
    team_id  uuid NOT NULL,
    position bigint NOT NULL,
    last     date NOT NULL,
    PRIMARY KEY (team_id, position)
);

-- Members coming (`joined`) and going, with the first day, or the last one.
CREATE TABLE member_facts (
    team_id   uuid NOT NULL,
    member_id uuid NOT NULL,
    position  bigint NOT NULL,
    joined    boolean NOT NULL,
    day       date NOT NULL,
    PRIMARY KEY (team_id, member_id, position)
);

-- Sheets that were signed: the log of metrics itself, in another form. `digest` is over the rows at the cut.
CREATE TABLE sheet_signatures (
    unit_id   uuid NOT NULL,
    month     date NOT NULL CHECK (extract(day FROM month) = 1),
    position  bigint NOT NULL,
    cut       jsonb NOT NULL,
    digest    text NOT NULL,
    rows      int NOT NULL,
    signed_by text NOT NULL,
    signed_at timestamptz NOT NULL,
    PRIMARY KEY (unit_id, month, position)
);
