"""The store of a node: one module per aggregate; nothing outside imports SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import Connection as Transaction

__all__ = ["Transaction"]
