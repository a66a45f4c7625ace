"""Routines as data: what is done in a case file, by whom, by when and on what legal ground; and help at hand."""
