-- How wide the buckets of the live set's balances are: two to the power of this many positions. A set keeps the
-- width that it was made with, whatever the code says now.
ALTER TABLE live_ledger ADD COLUMN bucket_bits int NOT NULL DEFAULT 14;
