"""The evaluator's store: who asked for how much, and which requests were charged."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection

Transaction: TypeAlias = Connection
"""What the functions of this package read and write through; callers only hand it on."""
