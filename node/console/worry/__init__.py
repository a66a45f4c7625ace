"""Opening a case file by hand."""
