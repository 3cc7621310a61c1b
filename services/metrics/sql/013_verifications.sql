-- What comparisons of the live ledger with the topics found: one row for every rebuild, also where nothing was
-- made live, and where it broke off because the topics do not hold what they should (`failed`). It was well if the
-- digests are equal – there is none of a ledger with events in quarantine – and all balances are the sums of their
-- postings.
CREATE TABLE verifications (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time           timestamptz NOT NULL DEFAULT now(),
    failed         text,
    cut            jsonb,
    events         bigint,
    seconds        double precision,
    digest_live    text,
    digest_rebuilt text,
    wrong_balances int,
    switched       boolean NOT NULL DEFAULT false,
    CHECK ((failed IS NULL) = (digest_rebuilt IS NOT NULL))
);
