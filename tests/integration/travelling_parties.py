"""Parties under the system's clock inside this process, with short intervals: descriptors travel, certificates are
renewed, and a member submits without a pause.
"""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from prometheus_client import CollectorRegistry
from sqlalchemy import select

import privacy.evaluator.app
import registry.app
from federation import descriptor, identity, throwaway
from federation.clock import SystemClock, utc_now
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import UppropError
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.renewal import Renewal, from_registries
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.runtime import Daemon, make_clock
from federation.settings import DaemonSettings, load
from federation.tls import ChannelCredentials, OwnIdentity
from federation.travelling import Courier, Registries
from federation.upkeep import Intervals
from federation.v1 import registry_pb2, signal_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from federation.workers import Worker, Workers
from node.settings import NodeSettings
from privacy.evaluator.settings import EvaluatorSettings
from registry.settings import RegistrySettings
from registry.store.schema import signals
from tests.harness.signing import sign, tls_key
from tests.integration.rpc_parties import reissue

SHORT = Intervals(descriptor=0.2, certificate=0.2)
PATIENCE = 60.0
A_THIRD_LEFT = {"now": utc_now() - timedelta(days=61), "lifetime": timedelta(days=90)}
"""For `reissue`: a certificate that is due."""


def eventually(what: Callable[[], bool]) -> None:
    """Wait until `what` holds."""
    give_up = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < give_up, "it has not come about"
        time.sleep(0.05)


class RunningDaemon:
    """A registry or an evaluator. Its descriptor is a file of its own, so that only what travels reaches it."""

    def __init__(self, federation: throwaway.DevFederation, config: Path, **changes: Any) -> None:
        self.federation = federation
        is_registry = "registry" in config.parent.name
        kind: type[DaemonSettings] = RegistrySettings if is_registry else EvaluatorSettings
        self.role: Any = registry if is_registry else privacy.evaluator
        self.descriptor = config.parent / "federation.toml"
        shutil.copy(federation.descriptor, self.descriptor)
        self.settings: Any = msgspec.structs.replace(load(config, kind), descriptor=self.descriptor, **changes)
        self.text = io.StringIO()
        log = Log(self.text)
        self.metrics = Metrics(CollectorRegistry())
        self.descriptors = DescriptorStore.of(self.settings, log, takes_up=is_registry)
        self.own = OwnIdentity.of(self.settings, self.descriptors)
        database = self.role.settings.open_database(self.settings)
        migrate(database, self.role.settings.STORE_PACKAGE)
        database.close()
        clock = make_clock(self.settings, self.descriptors)
        self.daemon = Daemon(
            self.settings,
            lambda: self.role.app.build(
                self.settings,
                clock=clock,
                metrics=self.metrics,
                descriptors=self.descriptors,
                own=self.own,
                log=log,
            ),
            clock=clock,
            metrics=self.metrics,
            log=log,
            descriptors=self.descriptors,
            own=self.own,
            intervals=SHORT,
        )

    def __enter__(self) -> RunningDaemon:
        self.daemon.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.daemon.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.daemon.ports['rpc']}"

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.text.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]

    def put(self, content: bytes) -> None:
        """Put a descriptor in place, as an operator does."""
        self.descriptor.write_bytes(content)

    def handles(self) -> set[bytes]:
        """What is in the store."""
        database: Database = self.role.settings.open_database(self.settings)
        with contextlib.closing(database), database.read("test") as tx:
            return {bytes(row.handle) for row in tx.execute(select(signals.c.handle))}


def resigned(federation: throwaway.DevFederation, **changes: Any) -> bytes:
    """A descriptor with the next serial, put nowhere."""
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    changed = msgspec.structs.replace(file, serial=file.serial + 1, **changes)
    return descriptor.sign(changed, federation.authority_key)


def without_member(federation: throwaway.DevFederation, member: str) -> bytes:
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    return resigned(federation, members=[each for each in file.members if each.id != member])


class Member:
    """A member's end of the wire with what every daemon does besides: fetches descriptors, renews its certificate."""

    def __init__(self, federation: throwaway.DevFederation, member: str = "0180", address: str | None = None) -> None:
        home = federation.directory / f"node-{member}"
        shutil.copy(federation.descriptor, home / "federation.toml")
        settings = msgspec.structs.replace(
            load(federation.node(member), NodeSettings), descriptor=home / "federation.toml"
        )
        self.text = io.StringIO()
        self.log = log = Log(self.text)
        self.metrics = Metrics(CollectorRegistry())
        self.descriptors = DescriptorStore.of(settings, log)
        self.own = OwnIdentity.of(settings, self.descriptors)
        self.member, self.key = member, tls_key(home)
        self.clock = SystemClock(self.descriptors.current().zone)
        listed = self.descriptors.current().registry("a")
        self.peer = Peer(listed.identity, address or listed.address, ChannelCredentials(self.own), self.metrics)
        self.registries = Registries(self.descriptors, self.own, self.metrics)
        self.courier = Courier(self.descriptors, self.registries, self.own.identity.kind, self.metrics, log)
        self.renewal = Renewal(settings.certificate, self.descriptors, self.own, from_registries(self.registries), log)
        self._stop = threading.Event()
        self._workers = Workers(
            [
                Worker("descriptor", SHORT.descriptor, self.courier.fetch),
                Worker("certificate", SHORT.certificate, self.renewal.run),
            ],
            self._stop,
            self.metrics,
            log,
        )

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._workers.join(PATIENCE)
        self.registries.close()
        self.peer.close()

    def work(self) -> None:
        self._workers.start()

    def envelope(self) -> registry_pb2.Envelope:
        return make_envelope(self.clock, self.descriptors.current())

    def batch(self, count: int = 3) -> registry_pb2.SubmitSignalsRequest:
        request = registry_pb2.SubmitSignalsRequest(
            envelope=self.envelope(),
            batch_id=secrets.token_bytes(16),
            signals=[self._arrival() for _ in range(count)],
        )
        sign(request, self.member, self.key)
        return request

    def submit(self, request: registry_pb2.SubmitSignalsRequest, attempts: int = 1) -> list[int]:
        """The dispositions; raises UppropError."""
        stub = RegistryServiceStub(self.peer.channel)
        answer = self.peer.call(stub.SubmitSignals, request, 20.0, attempts=attempts)
        return [each.kind for each in answer.dispositions]

    def _arrival(self) -> signal_pb2.Signal:
        signal = signal_pb2.Signal(
            handle=secrets.token_bytes(16),
            version=1,
            pseudonyms=[signal_pb2.Pseudonym(epoch=1, value=secrets.token_bytes(32))],
            nonce=secrets.token_bytes(16),
        )
        today = self.clock.today().isoformat()
        signal.presences.add(begins=today, affirmed_on=today)
        return signal


class Load:
    """A member that submits batch after batch; what is not acknowledged is sent again under the same batch id."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.acknowledged: set[bytes] = set()
        self.submitted: set[bytes] = set()
        self.batches = 0
        self.refusals: list[UppropError] = []
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure

    def goes_on(self, batches: int = 5) -> None:
        """Wait for as many further acknowledgements."""
        wanted = self.batches + batches
        eventually(lambda: self.batches >= wanted or self._failure is not None)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._send(self.member.batch())
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's thread
            self._failure = failure

    def _send(self, request: registry_pb2.SubmitSignalsRequest) -> None:
        handles = {each.handle for each in request.signals}
        self.submitted |= handles
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                # What is said stays the same, by whatever descriptor and on whatever day it is said again.
                request.envelope.CopyFrom(self.member.envelope())
                kinds = self.member.submit(request)
            except UppropError as error:
                self.refusals.append(error)
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
                continue
            assert all(
                kind in (registry_pb2.DISPOSITION_KIND_ACCEPTED, registry_pb2.DISPOSITION_KIND_DUPLICATE)
                for kind in kinds
            )
            self.acknowledged |= handles
            self.batches += 1
            return


def served_certificate(federation: throwaway.DevFederation, address: str) -> x509.Certificate:
    """What a server shows on a fresh handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(federation.directory / "ca" / "ca.crt")
    context.set_alpn_protocols(["h2"])
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw, context.wrap_socket(raw) as wrapped:
        der = wrapped.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def certificate_in(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@contextlib.contextmanager
def due(federation: throwaway.DevFederation, *homes: str) -> Iterator[dict[str, int]]:
    """Have these parties hold certificates that are due; gives their serial numbers by home."""
    serials = {}
    for home in homes:
        who = identity.registry("a") if home == "registry" else identity.node(home.removeprefix("node-"))
        reissue(federation, home, who, **A_THIRD_LEFT)
        serials[home] = certificate_in(federation.directory / home / "tls.crt").serial_number
    yield serials
