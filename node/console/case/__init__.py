"""The page of one case file: what is to be done, what was done, and the forms to go on with."""
