-- Definitions of indicators that a province has added or changed, each version by the event that brought it.
CREATE FUNCTION add_definitions(ledger text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('search_path', quote_ident(ledger), true);
    CREATE TABLE definitions (
        source     smallint NOT NULL,
        position   bigint NOT NULL,
        code       text NOT NULL,
        version    int NOT NULL,
        definition text NOT NULL,
        PRIMARY KEY (source, position)
    );
END $$;
SELECT add_definitions('ledger_a'), add_definitions('ledger_b');
DROP FUNCTION add_definitions;
