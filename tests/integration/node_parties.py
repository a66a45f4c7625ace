"""A whole federation in this process for the tests of the node: real servers over mutual TLS on loopback, real stores.

Only the processes are left out. Each evaluator and the registry can be stopped and started again on the same address.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

import node.app
import node.settings
import privacy.evaluator.app
import privacy.evaluator.settings
import registry.app
import registry.settings
from federation import throwaway
from federation.clock import ManualClock
from federation.descriptor import parse_file, sign, split
from federation.descriptor_store import DescriptorStore
from federation.files import write_secret
from federation.lock import DaemonLock
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.rules.calendar import Break
from federation.rules.vocabulary import Policy
from federation.runtime import Daemon
from federation.settings import DaemonSettings, load
from federation.tls import OwnIdentity
from node.records.ss12000_file import Ss12000File
from node.store.case_keys import DIRECTORY, CaseKeys
from node.store.gaps import CaseLine, Gaps
from node.store.pupils import Pupils
from node.sync import SyncReport
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports

ZONE = "Europe/Stockholm"
AUTUMN_BREAK = Break(date(2026, 10, 26), date(2026, 10, 30))
EVALUATORS = 3

NodeStores = Callable[[str], str] | None
"""Member → URL of an empty PostgreSQL store; None: a file each."""


def keys_of(settings: node.settings.NodeSettings) -> CaseKeys:
    """The keys of a node's case files."""
    return CaseKeys(settings.data_dir / DIRECTORY, node.settings.open_sealer(settings))


class Node:
    """One node, opened as its daemon would open it, without the daemon."""

    def __init__(self, settings_path: Path, clock: ManualClock) -> None:
        self.settings = load(settings_path, node.settings.NodeSettings)
        self.clock = clock
        self.log = io.StringIO()
        self.measured: CollectorRegistry
        self.app: node.app.App
        self._lock = DaemonLock(self.settings.data_dir)
        self.open()

    def open(self) -> None:
        self._lock.acquire()
        database = node.settings.open_database(self.settings)
        migrate(database, node.settings.STORE_PACKAGE)
        database.close()
        descriptors = DescriptorStore.of(self.settings)
        self.measured = CollectorRegistry()
        self.app = node.app.build(
            self.settings,
            clock=self.clock,
            metrics=Metrics(self.measured),
            log=Log(self.log),
            descriptors=descriptors,
        )

    def close(self) -> None:
        self.app.close()
        self._lock.release()

    def restart(self) -> None:
        self.close()
        self.open()

    def take(
        self, persons: Sequence[dict[str, Any]], *, accept_shrink: bool = False, confirm_leavings: bool = False
    ) -> None:
        """Import an export of these persons, as of today."""
        path = self.settings.data_dir / "export.json"
        path.write_text(json.dumps({"data": list(persons), "pageToken": None}), encoding="utf-8")
        self.app.importing.take(
            Ss12000File(path), self.clock.today(), accept_shrink=accept_shrink, confirm_leavings=confirm_leavings
        )
        path.unlink()

    def sync(self, *, notices_only: bool = False) -> SyncReport:
        *_, report = self.app.pipeline.sync(notices_only=notices_only)
        assert isinstance(report, SyncReport)
        return report

    def gaps(self, *, protected: bool = True) -> tuple[CaseLine, ...]:
        """Every gap that was ever open."""
        listing = Gaps(Pupils(node.settings.open_sealer(self.settings)))
        return self.app.database.view("test_gaps", lambda tx: listing.list_gaps(tx, protected=protected))

    def cases(self, *, protected: bool = True) -> tuple[CaseLine, ...]:
        listing = Gaps(Pupils(node.settings.open_sealer(self.settings)))
        return self.app.database.view("test_cases", lambda tx: listing.list_cases(tx, protected=protected))

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, sealed values left out: they differ with every writing."""
        from node.store.schema import metadata

        def read(tx: Any) -> dict[str, list[tuple[Any, ...]]]:
            found = {}
            for table in metadata.sorted_tables:
                columns = [column for column in table.c if not column.name.startswith("sealed_")]
                found[table.name] = sorted(
                    (tuple(row) for row in tx.execute(table.select().with_only_columns(*columns))), key=repr
                )
            return found

        return self.app.database.view("test_dump", read)


class Server:
    """An evaluator or the registry, startable and stoppable."""

    def __init__(self, start: Callable[[], Daemon]) -> None:
        self._start = start
        self.daemon: Daemon | None = None

    def start(self) -> None:
        daemon = self._start()
        daemon.start()
        self.daemon = daemon

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None


class Federation:
    """Three evaluators of which two suffice, a registry, and the nodes asked for."""

    def __init__(
        self,
        directory: Path,
        members: Sequence[str],
        today: date,
        *,
        epochs: int = 1,
        standing: Sequence[int] = (1,),
        stores: NodeStores = None,
        registry_store: str | None = None,
        policy: Policy = Policy(),  # noqa: B008 - immutable
        dev: throwaway.DevFederation | None = None,
    ) -> None:
        """`dev`: one that stands in the directory already; else it is made."""
        self.clock = ManualClock(ZONE, today)
        self.dev = dev or _made(directory, members, today, epochs, policy)
        self.every_epoch, _ = split(self.dev.descriptor.read_bytes())
        if epochs > 1:
            self.set_epochs(1, *standing)
        self.registry_app: registry.app.App
        self.measured: dict[str, CollectorRegistry] = {}
        self.apps: dict[int, privacy.evaluator.app.App] = {}
        self.evaluators = {index: Server(self._evaluator(index)) for index in range(1, EVALUATORS + 1)}
        self.registry = Server(self._registry)
        if registry_store is not None:
            _store_at(self.dev.registry, registry_store)
        if stores is not None:
            for member in members:
                _store_at(self.dev.node(member), stores(member))
        self.nodes = {member: Node(self.dev.node(member), self.clock) for member in members}

    def start(self) -> None:
        for server in (*self.evaluators.values(), self.registry):
            server.start()

    def stop(self) -> None:
        for each in self.nodes.values():
            each.close()
        for server in (*self.evaluators.values(), self.registry):
            server.stop()

    def set_today(self, today: date) -> None:
        self.clock.set_today(today)

    def set_epochs(self, serial: int, *standing: int) -> None:
        """Publish a descriptor in which these epochs stand."""
        every = parse_file(self.every_epoch).epochs
        self.publish(serial, epochs=[epoch for epoch in every if epoch.epoch in standing])

    def publish(self, serial: int, **changes: Any) -> None:
        """Sign and publish the first descriptor with these changes."""
        changed = msgspec.structs.replace(parse_file(self.every_epoch), serial=serial, **changes)
        temporary = self.dev.descriptor.with_suffix(".new")
        temporary.write_bytes(sign(changed, self.dev.authority_key))
        temporary.replace(self.dev.descriptor)

    def close_day(self) -> None:
        """The registry's daily close."""
        self.registry_app.daily_close.run(self.clock.today())

    def day(self, today: date, exports: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        """One date of a scenario: imports, syncs, the close, notices."""
        self.set_today(today)
        for member, persons in exports.items():
            self.nodes[member].take(persons)
        for each in self.nodes.values():
            each.sync()
        self.close_day()
        for each in self.nodes.values():
            each.sync(notices_only=True)

    def _evaluator(self, index: int) -> Callable[[], Daemon]:
        def start() -> Daemon:
            settings = load(self.dev.evaluator(index), privacy.evaluator.settings.EvaluatorSettings)
            database = privacy.evaluator.settings.open_database(settings)
            migrate(database, privacy.evaluator.settings.STORE_PACKAGE)
            database.close()

            def build(*args: Any, **kwargs: Any) -> privacy.evaluator.app.App:
                self.apps[index] = privacy.evaluator.app.build(*args, **kwargs)
                return self.apps[index]

            return self._daemon(settings, build)

        return start

    def _registry(self) -> Daemon:
        settings = load(self.dev.registry, registry.settings.RegistrySettings)
        database = registry.settings.open_database(settings)
        migrate(database, registry.settings.STORE_PACKAGE)
        database.close()

        def build(*args: Any, **kwargs: Any) -> registry.app.App:
            self.registry_app = registry.app.build(*args, **kwargs)
            return self.registry_app

        return self._daemon(settings, build)

    def _daemon(self, settings: DaemonSettings, build: Callable[..., Any]) -> Daemon:
        log = Log(io.StringIO())
        descriptors = DescriptorStore.of(settings)
        measured = self.measured[settings.data_dir.parent.name] = CollectorRegistry()
        metrics = Metrics(measured)
        return Daemon(
            settings,
            lambda: build(settings, clock=self.clock, metrics=metrics, descriptors=descriptors, log=log),
            clock=self.clock,
            metrics=metrics,
            log=log,
            descriptors=descriptors,
            own=OwnIdentity.of(settings, descriptors),
        )


def _made(directory: Path, members: Sequence[str], today: date, epochs: int, policy: Policy) -> throwaway.DevFederation:
    *evaluator_ports, registry_port = free_ports(EVALUATORS + 1)
    return throwaway.dev(
        directory,
        [throwaway.DevMember(member) for member in members],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry_port, tuple(evaluator_ports)),
        breaks=[AUTUMN_BREAK],
        today=today,
        epochs=epochs,
        policy=policy,
    )


def _store_at(config: Path, url: str) -> None:
    """Have a party store at a PostgreSQL URL, as its administrator would."""
    write_secret(config.parent / "db.url", url.encode())
    # At the top: further down it would fall into a table.
    config.write_text('database_url_file = "db.url"\n' + config.read_text(encoding="utf-8"), encoding="utf-8")


@contextlib.contextmanager
def running(
    directory: Path,
    members: Sequence[str],
    today: date,
    *,
    epochs: int = 1,
    standing: Sequence[int] = (1,),
    stores: NodeStores = None,
    registry_store: str | None = None,
    policy: Policy = Policy(),  # noqa: B008 - immutable
) -> Iterator[Federation]:
    """`stores` gives the PostgreSQL URL of each node's store, `registry_store` the registry's; else they are files."""
    federation = Federation(
        directory,
        members,
        today,
        epochs=epochs,
        standing=standing,
        stores=stores,
        registry_store=registry_store,
        policy=policy,
    )
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()
