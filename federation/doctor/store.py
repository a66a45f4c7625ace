"""The store, looked into without changing it: a SQLite file is opened for reading alone, whoever else works on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from federation.database import Database, look_into
from federation.doctor.findings import Finding, Says, Topic, refused, warning, well
from federation.errors import UppropError
from federation.migration import check_schema, head

Look = Callable[[Any], Iterable[Finding]]
"""What a role finds in its store, given a transaction that reads one snapshot."""


def store(
    embedded: Path,
    url_file: Path | None,
    package: str,
    role: str,
    *looks: tuple[Topic, Look],
) -> Iterator[Finding]:
    """The schema and, where it is the one that we know, what `looks` find; each topic is told even if it is not."""
    if url_file is None and not embedded.exists():
        yield warning(Topic.STORE, Says.STORE_ABSENT, role=role)
        return
    try:
        database = look_into(embedded, url_file)
        with contextlib.closing(database):
            check_schema(database, package)
            yield well(Topic.STORE, Says.STORE_CURRENT, revision=head(package))
            for topic, look in looks:
                yield from _found(database, topic, look)
    except UppropError as error:
        yield refused(Topic.STORE, error)
        for topic, _ in looks:
            yield warning(topic, Says.STORE_UNREAD)


def _found(database: Database, topic: Topic, look: Look) -> Iterator[Finding]:
    try:
        yield from database.view("doctor", lambda tx: list(look(tx)))
    except UppropError as error:
        yield refused(topic, error)
