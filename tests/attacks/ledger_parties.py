"""A federation whose registry's database is in the hands of an attacker: real servers, real stores, and what a
superuser can do to them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from federation.rules.merkle import Frontier
from node.ledger.findings import Kind
from node.ledger.watching import LedgerReport
from node.store.schema import versions
from node.store.schema_ledger import receipts
from registry.ledger.checkpoints import NEWEST_NAME
from registry.store.schema import sequence
from registry.store.schema_ledger import ledger_batches, ledger_cosignatures, ledger_hours, ledger_nodes
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 9, day) for day in (7, 8, 9, 10))

Found = tuple[Kind, int | None, int | None]
"""An alarm: what it is about, and the first and the last leaf."""


def roll(first: int, last: int) -> list[dict[str, Any]]:
    return [person(place) for place in range(first, last)]


def day(federation: Federation, today: date, *, stockholm: int, malmo: int = 0) -> None:
    """A day on which the first `stockholm` pupils of Stockholm's 30 have left, and the first `malmo` of Malmö's.

    It is closed, sealed and brought to the witnesses.
    """
    federation.day(today, {STOCKHOLM: roll(stockholm, 30), MALMO: roll(100 + malmo, 130)})
    seal(federation)


def seal(federation: Federation) -> None:
    """What follows the close in the evening: the hour's leaf, and the witnesses."""
    federation.registry_app.ledger.after_close(federation.clock.today())


def played(federation: Federation) -> Federation:
    """A term's beginning: Stockholm's batches of Monday to Wednesday hold one leaver each; Malmö's of Tuesday one, who
    is back on Wednesday."""
    day(federation, BASELINE, stockholm=0)
    day(federation, MONDAY, stockholm=1)
    day(federation, TUESDAY, stockholm=2, malmo=1)
    day(federation, WEDNESDAY, stockholm=3)
    for node in federation.nodes.values():
        # The leaf of the evening has been seen too.
        node.sync(notices_only=True)
    return federation


def verify(node: Node) -> LedgerReport:
    *_, report = node.app.pipeline.verify_ledger()
    assert isinstance(report, LedgerReport)
    return report


def alarms(node: Node) -> set[Found]:
    """Those that nobody has acknowledged."""
    return {(alarm.kind, alarm.first, alarm.last) for alarm in node.app.pipeline._alarms.standing()}


def sent(node: Node) -> list[tuple[int, bytes, int]]:
    """(leaf index, handle, version) of all that was sent, in the order of the leaves."""
    query = (
        sa.select(receipts.c.leaf_index, versions.c.handle, versions.c.version)
        .join(versions, versions.c.batch_id == receipts.c.batch_id)
        .order_by(receipts.c.leaf_index)
    )
    with node.app.database.read("test_sent") as tx:
        return [tuple(row) for row in tx.execute(query)]


@contextlib.contextmanager
def superuser(federation: Federation) -> Iterator[sa.Connection]:
    """A connection that no rule of the database holds back; what is done through it is committed."""
    engine = sa.create_engine(federation.registry_app.database.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SET session_replication_role = replica"))
        yield connection


def leaves(connection: sa.Connection) -> list[bytes]:
    query = sa.select(ledger_nodes.c.hash).where(ledger_nodes.c.level == 0).order_by(ledger_nodes.c.node_index)
    return list(connection.execute(query).scalars())


def rebuild(connection: sa.Connection, hashes: Sequence[bytes]) -> None:
    """Put a tree over these leaves in place of the registry's, as one who knows how it is kept would."""
    connection.execute(sa.delete(ledger_nodes))
    frontier = Frontier()
    for leaf in hashes:
        for node in frontier.completed(leaf):
            row = {"level": node.level, "node_index": node.index, "hash": node.hash}
            connection.execute(sa.insert(ledger_nodes).values(row))
        frontier = frontier.append(leaf)
    for table in (ledger_batches, ledger_hours):
        connection.execute(sa.delete(table).where(table.c.leaf_index >= frontier.size))
    # What witnesses signed of the tree before would give it away.
    connection.execute(sa.delete(ledger_cosignatures))
    connection.execute(sa.update(sequence).values(tree_size=frontier.size, frontier=frontier.encoded))


class Rewound:
    """A federation that is set back, whole, to how it was: to play its beginning takes longer than most attacks."""

    def __init__(self, federation: Federation, directory: Path) -> None:
        self.federation = federation
        self._directory = directory
        self._today = federation.clock.today()
        self._each(shutil.copytree)

    def set_back(self) -> None:
        def put_back(data: Path, kept: Path) -> None:
            shutil.rmtree(data)
            shutil.copytree(kept, data)

        self._each(put_back)
        self.federation.set_today(self._today)

    def _each(self, copy: Callable[[Path, Path], object]) -> None:
        """Every party's data directory, while nobody runs."""
        parties = self.federation
        for node in parties.nodes.values():
            node.close()
        servers = (*parties.evaluators.values(), parties.registry)
        for server in servers:
            server.stop()
        for data in parties.dev.directory.glob("*/data"):
            copy(data, self._directory / data.parent.name)
        for server in servers:
            server.start()
        for node in parties.nodes.values():
            node.open()


def keep_database(federation: Federation, name: Path) -> None:
    """Copy the registry's database, a file, as it stands."""
    path = Path(federation.registry_app.database.url.database or "")
    federation.registry.stop()
    shutil.copy(path, name)
    federation.registry.start()


def put_back_database(federation: Federation, name: Path) -> None:
    """Run the registry on a copy, and let it forget what it has signed."""
    path = Path(federation.registry_app.database.url.database or "")
    federation.registry.stop()
    for leftover in path.parent.glob(f"{path.name}-*"):
        leftover.unlink()
    shutil.copy(name, path)
    (path.parent / NEWEST_NAME).unlink(missing_ok=True)
    federation.registry.start()
