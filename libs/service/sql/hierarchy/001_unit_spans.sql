-- A service's own copy of the administrative units: what each is called and where it belongs from one day to
-- another (both included; without a last day it still holds), and between which positions of the registry's
-- log that was known (from the first on, until before the second).
CREATE TABLE unit_spans (
    unit_id     uuid NOT NULL,
    level       text NOT NULL,
    code        text,
    kind        text NOT NULL,
    name        text NOT NULL,
    folded_name text NOT NULL,
    parent_id   uuid,
    valid_from  date NOT NULL,
    valid_to    date,
    known_from  bigint NOT NULL,
    known_until bigint,
    PRIMARY KEY (unit_id, valid_from, known_from)
);
CREATE INDEX unit_spans_by_parent ON unit_spans (parent_id) WHERE known_until IS NULL;
CREATE INDEX unit_spans_by_code ON unit_spans (code, valid_from) WHERE known_until IS NULL;
CREATE INDEX unit_spans_of_provinces ON unit_spans (valid_from) WHERE level = 'province' AND known_until IS NULL;
CREATE INDEX unit_spans_by_position ON unit_spans (known_from);

-- The day whose hierarchy answers for `day`: a set of units holds from the first day of its provinces on, and
-- for earlier days the earliest one that is known answers.
CREATE FUNCTION hierarchy_day(day date) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT greatest(day, (
        SELECT min(valid_from) FROM unit_spans WHERE level = 'province' AND known_until IS NULL))
$$;

-- The units of a day, as known now.
CREATE FUNCTION units_on(day date) RETURNS SETOF unit_spans LANGUAGE sql STABLE AS $$
    SELECT * FROM unit_spans
     WHERE known_until IS NULL AND valid_from <= day AND (valid_to IS NULL OR valid_to >= day)
$$;

-- A unit and everything below it on a day.
CREATE FUNCTION units_below(unit uuid, day date) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below (unit_id) AS (
        SELECT unit
         UNION
        SELECT u.unit_id FROM below b JOIN units_on(day) u ON u.parent_id = b.unit_id
    )
    SELECT unit_id FROM below
$$;
