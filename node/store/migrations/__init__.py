"""Alembic migrations of a node's store; applied by `upprop node migrate` and checked at every start."""
