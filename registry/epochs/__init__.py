"""Change of the pseudonym key with overlap: a new epoch begins, members come over, the old one retires."""
