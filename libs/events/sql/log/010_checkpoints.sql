-- What the relay signed: the Merkle root over the first `size` events. `range` is the compact range from which
-- it goes on after a restart. One size is signed once: two roots for one size would be two histories.
CREATE TABLE checkpoints (
    size  bigint PRIMARY KEY,
    root  bytea NOT NULL,
    range bytea NOT NULL,
    note  text NOT NULL,
    time  timestamptz NOT NULL DEFAULT now()
);
