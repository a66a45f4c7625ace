"""Search for a pupil by number."""
