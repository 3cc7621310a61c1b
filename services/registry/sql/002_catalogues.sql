-- The denominators of figures, and what people are helped to use.
CREATE TABLE baselines (
    baseline_id uuid PRIMARY KEY,
    unit_id     uuid NOT NULL,
    name        text NOT NULL,
    as_of       date NOT NULL,
    value       int NOT NULL,
    source      text NOT NULL,
    position    bigint NOT NULL UNIQUE,
    version     int NOT NULL
);
CREATE INDEX baselines_by_unit ON baselines (unit_id, name, as_of);

CREATE TABLE digital_services (
    code     text PRIMARY KEY,
    content  jsonb NOT NULL,
    position bigint NOT NULL,
    version  int NOT NULL
);
