-- The erasures in a log are looked for whenever sealed fields are opened.
CREATE INDEX erasures ON events (position) WHERE type LIKE 'vn.socai.%.personal-data-erased.v1';
