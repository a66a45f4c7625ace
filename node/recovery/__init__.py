"""A node that has lost its database, or was set back to a copy of it; and the copies themselves."""
