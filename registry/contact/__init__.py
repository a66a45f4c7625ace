"""Contact between members whose gaps are linked: the registry hands over requests and carries what it cannot read."""
