-- What became of units, as libs/service/sql/hierarchy has it: which communes a hamlet may belong to that nobody
-- has assigned since a split, and into which parts a hamlet was split. Filled by a rebuild for what came before.
CREATE FUNCTION add_successions(ledger text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('search_path', quote_ident(ledger), true);
    CREATE TABLE unit_successions (
        source      smallint NOT NULL,
        from_id     uuid NOT NULL,
        to_id       uuid NOT NULL,
        extent      text NOT NULL,
        effective   date NOT NULL,
        instrument  text,
        known_from  bigint NOT NULL,
        known_until bigint,
        PRIMARY KEY (source, from_id, to_id, effective, known_from)
    );
    CREATE INDEX unit_successions_by_unit ON unit_successions (from_id);
    -- Those that may have something which belongs elsewhere.
    CREATE INDEX unit_spans_open ON unit_spans (status)
     WHERE status = 'unassigned' OR (status = 'ended' AND NOT whole);
END $$;
SELECT add_successions('ledger_a'), add_successions('ledger_b');
DROP FUNCTION add_successions;
