"""Drills: a test pupil goes through the whole chain, and each step is reported."""
