"""The page of the yearly report."""
