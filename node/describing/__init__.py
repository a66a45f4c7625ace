"""Age band and sex of the children of cases that this member leads: told to the registry once, for the statistics."""
