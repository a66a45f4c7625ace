"""Enrolments from the school systems: a file per source, one neutral form, the rules of an import."""
