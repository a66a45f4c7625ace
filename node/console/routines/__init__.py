"""Routines on the pages: the checklist of a case file, follow-ups due, help at hand, what is printed."""
