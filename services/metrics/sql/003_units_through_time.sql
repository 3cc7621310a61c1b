-- Units that end, are reorganised or assigned; the columns are those of libs/service/sql/hierarchy.
CREATE FUNCTION add_units_through_time(ledger text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('search_path', quote_ident(ledger), true);
    ALTER TABLE unit_spans
        ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'unassigned', 'ended')),
        ADD COLUMN stated boolean NOT NULL DEFAULT true,
        ADD COLUMN stated_parent_id uuid,
        ADD COLUMN whole boolean NOT NULL DEFAULT false,
        ADD COLUMN founded boolean NOT NULL DEFAULT false,
        ADD COLUMN instrument text;
    UPDATE unit_spans SET stated_parent_id = parent_id;
    -- One event says what a unit is on several spans of days.
    ALTER TABLE unit_spans DROP CONSTRAINT unit_spans_pkey;
    ALTER TABLE unit_spans ADD PRIMARY KEY (source, known_from, unit_id, valid_from);

    -- The decree and the parts of a reorganisation whose last part has not come yet.
    CREATE TABLE pending_unit_events (
        source   smallint NOT NULL,
        position bigint NOT NULL,
        type     text NOT NULL,
        data     text NOT NULL,
        PRIMARY KEY (source, position)
    );
END $$;

SELECT add_units_through_time('ledger_a'), add_units_through_time('ledger_b');
DROP FUNCTION add_units_through_time;

-- As before, with the events that wait.
CREATE OR REPLACE FUNCTION empty_ledger(ledger text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE live_ledger IN ACCESS EXCLUSIVE MODE;
    PERFORM FROM live_ledger l WHERE l.ledger = empty_ledger.ledger;
    IF FOUND THEN
        RAISE EXCEPTION '% is live', ledger;
    END IF;
    PERFORM set_config('search_path', quote_ident(ledger), true);
    TRUNCATE balances, journal, subjects, declared, unit_spans, pending_unit_events, digital_services, series,
             places RESTART IDENTITY;
    ALTER TABLE journal DROP CONSTRAINT IF EXISTS journal_pkey;
    DROP INDEX IF EXISTS journal_by_day;
    ALTER TABLE balances DROP CONSTRAINT IF EXISTS balances_pkey;
    ALTER TABLE subjects DROP CONSTRAINT IF EXISTS subjects_pkey;
END $$;
