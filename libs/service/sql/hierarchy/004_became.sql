-- What a unit has become by a day, whole or in part, and what that became in turn: the units that are there on it.
CREATE FUNCTION became(unit uuid, day date) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE went (unit_id) AS (
        SELECT s.to_id FROM unit_successions s
         WHERE s.from_id = unit AND s.known_until IS NULL AND s.effective <= day
         UNION
        SELECT s.to_id FROM went w JOIN unit_successions s ON s.from_id = w.unit_id
         WHERE s.known_until IS NULL AND s.effective <= day
    )
    SELECT w.unit_id FROM went w
     WHERE NOT EXISTS (SELECT FROM unit_spans e
                        WHERE e.unit_id = w.unit_id AND e.known_until IS NULL AND e.status = 'ended'
                          AND e.valid_from <= day)
$$;
