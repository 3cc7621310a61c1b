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

-- The day whose hierarchy answers for `day`, asked about a unit: a set of units holds from the first day of its
-- province on, and for earlier days the earliest one that is known answers. Another province's days say nothing.
CREATE FUNCTION hierarchy_day(unit uuid, day date) RETURNS date LANGUAGE sql STABLE AS $$
    WITH RECURSIVE above (parent_id, valid_from) AS (
        SELECT parent_id, valid_from FROM unit_spans WHERE unit_id = unit AND known_until IS NULL
         UNION
        SELECT u.parent_id, u.valid_from
          FROM above a JOIN unit_spans u ON u.unit_id = a.parent_id AND u.known_until IS NULL
    )
    SELECT greatest(day, (SELECT min(valid_from) FROM above WHERE parent_id IS NULL))
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

-- The units that answer for `day` although their province's set holds from a later day on, with that day. Where
-- several provinces have borne a code, the earliest one answers.
CREATE FUNCTION units_assumed(day date) RETURNS TABLE (unit_id uuid, hierarchy_day date) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE provinces (unit_id, code, first_day) AS (
        SELECT p.unit_id, p.code, min(p.valid_from) FROM unit_spans p
         WHERE p.level = 'province' AND p.known_until IS NULL
         GROUP BY p.unit_id, p.code
    ), below (unit_id, first_day) AS (
        SELECT p.unit_id, p.first_day FROM provinces p
         WHERE p.first_day > day
           AND NOT EXISTS (SELECT FROM provinces o WHERE o.code = p.code AND o.first_day < p.first_day)
         UNION
        SELECT u.unit_id, b.first_day FROM below b
          JOIN unit_spans u ON u.parent_id = b.unit_id AND u.known_until IS NULL
           AND u.valid_from <= b.first_day AND (u.valid_to IS NULL OR u.valid_to >= b.first_day)
    )
    SELECT b.unit_id, b.first_day FROM below b
$$;
