"""Mail to whoever is on duty: that there is something to look at, and nothing of whom it is about."""
