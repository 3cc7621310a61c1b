-- The column is that of libs/service/sql/hierarchy.
ALTER TABLE ledger_a.unit_spans ADD COLUMN kept text NOT NULL DEFAULT '';
ALTER TABLE ledger_b.unit_spans ADD COLUMN kept text NOT NULL DEFAULT '';
