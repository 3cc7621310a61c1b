-- Keys are made, wrapped anew and destroyed; no row goes away, so that the erased stay erased.
REVOKE ALL ON subject_keys, erasures_done FROM PUBLIC, {app};
GRANT SELECT, INSERT, UPDATE ON subject_keys, erasures_done TO {app};
