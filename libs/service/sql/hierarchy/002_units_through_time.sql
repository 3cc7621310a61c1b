-- Units that end, are reorganised or assigned. `status`: active; unassigned (its parent went to several units
-- or to none, and nobody has said yet where it belongs now); ended (kept where what was posted to it is counted,
-- so that the units of a day are all that were ever heard of until then, and no sum loses anything).
--
-- A span that is `stated` begins with what an event says of the unit; the others follow from what became of the
-- parent. `stated_parent_id` and `whole` (what is below a unit that ends belongs to where it went) are for
-- working these out again. `founded`: on its first day the unit was made of what was there before.
ALTER TABLE unit_spans
    ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'unassigned', 'ended')),
    ADD COLUMN stated boolean NOT NULL DEFAULT true,
    ADD COLUMN stated_parent_id uuid,
    ADD COLUMN whole boolean NOT NULL DEFAULT false,
    ADD COLUMN founded boolean NOT NULL DEFAULT false,
    ADD COLUMN instrument text;
UPDATE unit_spans SET stated_parent_id = parent_id;

-- What became of units, with the legal instrument and the positions between which that was known.
CREATE TABLE unit_successions (
    from_id     uuid NOT NULL,
    to_id       uuid NOT NULL,
    extent      text NOT NULL,
    effective   date NOT NULL,
    instrument  text,
    known_from  bigint NOT NULL,
    known_until bigint,
    PRIMARY KEY (from_id, to_id, effective, known_from)
);
CREATE INDEX unit_successions_by_successor ON unit_successions (to_id) WHERE known_until IS NULL;

-- The decree and the parts of a reorganisation whose last part has not come yet.
CREATE TABLE pending_unit_events (
    position bigint PRIMARY KEY,
    type     text NOT NULL,
    data     text NOT NULL
);

-- The day whose hierarchy answers for `day`, asked about a unit: a set of units holds from the first day of its
-- province on, and for earlier days the earliest one that is known answers. Another province's days say nothing,
-- nor does a province that was made of others: before it, there were those.
CREATE OR REPLACE FUNCTION hierarchy_day(unit uuid, day date) RETURNS date LANGUAGE sql STABLE AS $$
    WITH RECURSIVE above (unit_id, parent_id, valid_from, founded) AS (
        SELECT f.* FROM (SELECT unit_id, parent_id, valid_from, founded FROM unit_spans
                          WHERE unit_id = unit AND known_until IS NULL ORDER BY valid_from LIMIT 1) f
         UNION ALL
        SELECT f.*
          FROM above a
         CROSS JOIN LATERAL (SELECT u.unit_id, u.parent_id, u.valid_from, u.founded FROM unit_spans u
                              WHERE u.unit_id = a.parent_id AND u.known_until IS NULL
                              ORDER BY u.valid_from LIMIT 1) f
    )
    SELECT greatest(day, (SELECT valid_from FROM above WHERE parent_id IS NULL AND NOT founded LIMIT 1))
$$;

-- The units that answer for `day` although their province's set holds from a later day on, with that day. Where
-- several provinces have borne a code, the earliest one answers.
CREATE OR REPLACE FUNCTION units_assumed(day date) RETURNS TABLE (unit_id uuid, hierarchy_day date)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE firsts (unit_id, code, first_day, founded) AS (
        SELECT DISTINCT ON (p.unit_id) p.unit_id, p.code, p.valid_from, p.founded FROM unit_spans p
         WHERE p.level = 'province' AND p.known_until IS NULL
         ORDER BY p.unit_id, p.valid_from
    ), provinces AS (
        SELECT * FROM firsts WHERE NOT founded
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
