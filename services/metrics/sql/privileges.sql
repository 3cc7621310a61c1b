-- The service may add postings but not change them; sums and states follow them.
REVOKE ALL ON sources, live_ledger FROM PUBLIC, {app};
GRANT SELECT, INSERT ON sources TO {app};
GRANT SELECT, UPDATE ON live_ledger TO {app};
GRANT USAGE ON SCHEMA ledger_a, ledger_b TO {app};
REVOKE ALL ON ALL TABLES IN SCHEMA ledger_a, ledger_b FROM {app};
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ledger_a, ledger_b TO {app};
GRANT UPDATE ON ledger_a.balances, ledger_b.balances, ledger_a.subjects, ledger_b.subjects TO {app};
GRANT UPDATE ON ledger_a.block_balances, ledger_b.block_balances, ledger_a.block_years, ledger_b.block_years TO {app};
GRANT UPDATE ON ledger_a.unit_spans, ledger_b.unit_spans, ledger_a.unit_successions, ledger_b.unit_successions TO {app};
GRANT DELETE ON ledger_a.pending_unit_events, ledger_b.pending_unit_events TO {app};
REVOKE ALL ON subject_links FROM PUBLIC, {app};
GRANT SELECT, INSERT, DELETE ON subject_links TO {app};
REVOKE ALL ON FUNCTION empty_ledger, index_ledger, add_up_blocks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION empty_ledger, index_ledger, add_up_blocks TO {app};
-- Read models of the service's own log; they may be made again.
GRANT SELECT, INSERT, UPDATE, DELETE ON closings TO {app};
REVOKE ALL ON statements FROM PUBLIC, {app};
GRANT SELECT, INSERT ON statements TO {app};
REVOKE ALL ON verifications FROM PUBLIC, {app};
GRANT SELECT, INSERT ON verifications TO {app};
REVOKE ALL ON worked_visits, team_stays, team_ends, member_facts, member_sign_ins, sheet_signatures FROM PUBLIC, {app};
GRANT SELECT, INSERT ON worked_visits, team_stays, team_ends, member_facts, member_sign_ins, sheet_signatures TO {app};
GRANT UPDATE (known_until) ON worked_visits TO {app};
-- What is dismissed is taken out.
GRANT DELETE ON worked_visits, team_stays, team_ends, member_facts, member_sign_ins TO {app};
REVOKE ALL ON own_trail FROM PUBLIC, {app};
GRANT SELECT, INSERT ON own_trail TO {app};
