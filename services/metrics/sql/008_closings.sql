-- What became of each unit's month: the log of metrics itself, in another form. `month` is its first day; `cut`
-- and `submitted_…` are those of the last submission, `reason` that of the last return or reopening since; while
-- it is approved, `cut` is what was approved. `history` has every step.
CREATE TABLE closings (
    unit_id      uuid NOT NULL,
    month        date NOT NULL CHECK (extract(day FROM month) = 1),
    status       text NOT NULL CHECK (status IN ('submitted', 'returned', 'approved', 'reopened')),
    cut          jsonb NOT NULL,
    note         text,
    reason       text,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    approved_by  text,
    approved_at  timestamptz,
    history      jsonb NOT NULL,
    position     bigint NOT NULL,
    version      int NOT NULL,
    PRIMARY KEY (unit_id, month)
);
