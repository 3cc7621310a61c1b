-- The sums of a household's visits change with every visit: room on its page spares the indexes.
ALTER TABLE households SET (fillfactor = 70);
