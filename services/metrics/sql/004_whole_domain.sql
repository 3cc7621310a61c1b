-- Statistics, targets and what digital services are for; which subjects wait together.
CREATE FUNCTION add_whole_domain(ledger text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('search_path', quote_ident(ledger), true);

    -- Reported from outside: a count, or a share of 1, over the days from `first` to `last`.
    CREATE TABLE statistics (
        source       smallint NOT NULL,
        position     bigint NOT NULL,
        statistic_id uuid NOT NULL,
        unit_id      uuid NOT NULL,
        name         text NOT NULL,
        measure      text NOT NULL,
        value        numeric NOT NULL,
        first        date NOT NULL,
        last         date NOT NULL,
        PRIMARY KEY (source, position)
    );
    CREATE INDEX statistics_by_unit ON statistics (unit_id, name);

    -- What an indicator is to be in a unit by a day; a dimension that is not given is empty.
    CREATE TABLE targets (
        source          smallint NOT NULL,
        position        bigint NOT NULL,
        target_id       uuid NOT NULL,
        unit_id         uuid NOT NULL,
        indicator       text NOT NULL,
        digital_service text NOT NULL,
        stage           text NOT NULL,
        measure         text NOT NULL,
        value           numeric NOT NULL,
        due             date NOT NULL,
        PRIMARY KEY (source, position)
    );
    CREATE INDEX targets_by_unit ON targets (unit_id, indicator);

    -- From this position on, the statistic or the target of this unit no longer stands.
    CREATE TABLE withdrawals (
        source   smallint NOT NULL,
        position bigint NOT NULL,
        id       uuid NOT NULL,
        unit_id  uuid NOT NULL,
        PRIMARY KEY (source, position)
    );
    CREATE INDEX withdrawals_by_id ON withdrawals (id, unit_id);

    -- Persons, households, businesses: whom a digital service is for.
    ALTER TABLE digital_services ADD COLUMN audience text[] NOT NULL DEFAULT '{}';
END $$;
SELECT add_whole_domain('ledger_a'), add_whole_domain('ledger_b');
DROP FUNCTION add_whole_domain;

-- Subjects that wait together when an event cannot be counted: merged households, teams with a member in
-- common. `parent` is the name that `name` was taken into. The same for both sets.
CREATE TABLE subject_links (
    source text NOT NULL,
    name   text NOT NULL,
    parent text NOT NULL,
    PRIMARY KEY (source, name)
);

-- Empties the set that is not live – every table that it has – and takes its indexes off, for a rebuild to load
-- it. It may have been live when a transaction that reads it began: readers hold a lock on `live_ledger`, so this
-- waits for them.
CREATE OR REPLACE FUNCTION empty_ledger(ledger text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF ledger NOT IN ('ledger_a', 'ledger_b') THEN
        RAISE EXCEPTION 'there is no ledger %', ledger;
    END IF;
    LOCK TABLE live_ledger IN ACCESS EXCLUSIVE MODE;
    PERFORM FROM live_ledger l WHERE l.ledger = empty_ledger.ledger;
    IF FOUND THEN
        RAISE EXCEPTION '% is live', ledger;
    END IF;
    EXECUTE (
        SELECT 'TRUNCATE ' || string_agg(format('%I.%I', schemaname, tablename), ', ') || ' RESTART IDENTITY'
          FROM pg_catalog.pg_tables WHERE schemaname = ledger
    );
    PERFORM set_config('search_path', quote_ident(ledger), true);
    ALTER TABLE journal DROP CONSTRAINT IF EXISTS journal_pkey;
    DROP INDEX IF EXISTS journal_by_day;
    ALTER TABLE balances DROP CONSTRAINT IF EXISTS balances_pkey;
    ALTER TABLE subjects DROP CONSTRAINT IF EXISTS subjects_pkey;
END $$;
