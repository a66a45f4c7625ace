"""Stores in files that come to the newest schema at once, as it was after the first of them was migrated step by step.

A federation of one test has half a dozen stores, whose migrations take a tenth of a second of processor time each. What
the migrations themselves do is tested in `tests/store`, `tests/unit` and by whoever migrates in a process of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from federation import migration

Upgrade = Callable[[Connection, str], None]


class Remembered:
    """Stands in place of `federation.migration._upgrade`, which it calls for all but another empty store in a file."""

    def __init__(self) -> None:
        self._upgrade: Upgrade = migration._upgrade
        self._scripts: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def __call__(self, connection: Connection, package: str) -> None:
        names = "SELECT count(*) FROM sqlite_master"
        if connection.dialect.name != "sqlite" or connection.exec_driver_sql(names).scalar_one():
            self._upgrade(connection, package)
            return
        # A test may put other migrations in the place of ours.
        key = (migration._migrations(package), *migration.known(package))
        script = self._scripts.get(key)
        if script is None:
            self._upgrade(connection, package)
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            self._scripts[key] = tuple(
                each for each in driver.iterdump() if each not in ("BEGIN TRANSACTION;", "COMMIT;")
            )
            return
        for statement in script:
            connection.exec_driver_sql(statement)
