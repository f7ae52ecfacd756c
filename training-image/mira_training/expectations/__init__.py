"""Great Expectations: a team's own suite, as one more check of the data. Loaded only for a run that names one."""
