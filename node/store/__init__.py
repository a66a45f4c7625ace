"""The store of a node: one module per aggregate; nothing outside imports SQLAlchemy."""
