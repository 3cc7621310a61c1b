-- Progress and quarantine are the application's to change; a dismissal, once made, stays.
GRANT SELECT, INSERT, UPDATE, DELETE ON consumer_checkpoints, quarantine TO {app};
GRANT SELECT, INSERT ON dismissals TO {app};
