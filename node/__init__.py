"""The node: imports enrolments, detects gaps, works the case. The only party that can name a pupil."""
