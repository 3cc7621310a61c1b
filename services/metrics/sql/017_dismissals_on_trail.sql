-- An event that is dismissed is about no unit.
ALTER TABLE own_trail ALTER COLUMN unit_id DROP NOT NULL;
