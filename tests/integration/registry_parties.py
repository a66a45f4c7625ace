"""The registry as its own process over mutual TLS, and members' ends of the wire without the rest of a node."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from federation import control, identity, throwaway
from federation.clock import ManualClock
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.settings import load
from federation.tls import ChannelCredentials, OwnIdentity
from federation.v1 import control_pb2, registry_pb2, signal_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from tests.harness.signing import sign, tls_key

COMMAND = [sys.executable, "-m", "federation.cli", "registry"]
ROOT = Path(__file__).parents[2]
SINCE = date(2026, 9, 1)
DUE = date(2026, 9, 14)
REACHED_SECONDS = 60.0


class Server:
    """The registry of a throw-away federation, as a process."""

    def __init__(self, federation: throwaway.DevFederation) -> None:
        self.federation = federation
        self.settings = load(federation.registry, RegistrySettings)
        self.log_path = federation.directory / "registry.log"
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments, "--config", str(self.federation.registry)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> None:
        database = open_database(self.settings)
        migrate(database, STORE_PACKAGE)
        database.close()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--config", str(self.federation.registry)], cwd=ROOT, stderr=log
            )
        with control.connect(self.settings.data_dir) as stub:
            stub.Status(control_pb2.StatusRequest())

    def kill(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process = None
        return code

    def set_today(self, day: date) -> None:
        with control.connect(self.settings.data_dir) as stub:
            stub.SetToday(control_pb2.SetTodayRequest(today=day.isoformat()))

    def close_day(self, day: date) -> control_pb2.EvaluateReport:
        self.set_today(day)
        with control.connect(self.settings.data_dir) as stub:
            *_, last = stub.Evaluate(control_pb2.EvaluateRequest())
        return last.report


class Caller:
    """A member's end of the wire, without the rest of a node."""

    def __init__(self, server: Server, name: str, descriptor_path: Path | None = None) -> None:
        home = server.federation.directory / name
        self.descriptors = DescriptorStore(
            descriptor_path or server.federation.descriptor,
            server.federation.authority_key.public_key(),
            home / "descriptor.seen",
        )
        own = OwnIdentity(home / "tls.crt", home / "tls.key", self.descriptors)
        address = self.descriptors.current().registry("a").address
        self.peer = Peer(identity.registry("a"), address, ChannelCredentials(own))
        self.stub = RegistryServiceStub(self.peer.channel)
        self.clock = ManualClock("Europe/Stockholm", SINCE)
        self.member, self.key = name.removeprefix("node-"), tls_key(home)

    def envelope(self) -> registry_pb2.Envelope:
        return make_envelope(self.clock, self.descriptors.current())

    def submit(
        self, *signals: signal_pb2.Signal, batch_id: bytes | None = None, attempts: int = 4
    ) -> registry_pb2.SubmitSignalsResponse:
        request = registry_pb2.SubmitSignalsRequest(
            envelope=self.envelope(), batch_id=batch_id or secrets.token_bytes(16), signals=signals
        )
        sign(request, self.member, self.key)
        return self.peer.call(self.stub.SubmitSignals, request, attempts=attempts)

    def kinds(self, *signals: signal_pb2.Signal, batch_id: bytes | None = None) -> list[str]:
        answer = self.submit(*signals, batch_id=batch_id)
        return [registry_pb2.DispositionKind.Name(each.kind)[17:] for each in answer.dispositions]

    def reach(self) -> None:
        """Wait for a registry that was started again: a channel that found nobody waits before it looks anew."""
        deadline = time.monotonic() + REACHED_SECONDS
        while True:
            try:
                self.notices()
            except UppropError as error:
                if error.code is not Code.PEER_UNREACHABLE or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def notices(self, after: int = 0, limit: int = 0) -> registry_pb2.ListNoticesResponse:
        request = registry_pb2.ListNoticesRequest(envelope=self.envelope(), after_number=after, limit=limit)
        return self.peer.call(self.stub.ListNotices, request)

    def told(self) -> list[str]:
        return [registry_pb2.NoticeKind.Name(each.kind)[12:] for each in self.notices().notices]

    def acknowledge(self, through: int) -> None:
        request = registry_pb2.AckNoticesRequest(envelope=self.envelope(), through_number=through)
        self.peer.call(self.stub.AckNotices, request)

    def report(self, as_of: date, roster: int = 500) -> None:
        request = registry_pb2.ReportRosterRequest(envelope=self.envelope(), as_of=as_of.isoformat(), roster=roster)
        self.peer.call(self.stub.ReportRoster, request)


def stated(pseudonym: bytes, *, leaves: bool, begins: str = "2025-08-18") -> signal_pb2.Signal:
    signal = signal_pb2.Signal(
        handle=secrets.token_bytes(16),
        version=1,
        pseudonyms=[signal_pb2.Pseudonym(epoch=1, value=pseudonym)],
        nonce=secrets.token_bytes(16),
    )
    if leaves:
        signal.presences.add(begins=begins, until=SINCE.isoformat())
        signal.opening.number = 1
        signal.opening.kind = signal_pb2.OPENING_KIND_LEFT
        signal.opening.since = SINCE.isoformat()
        signal.opening.urgency = signal_pb2.URGENCY_NORMAL
    else:
        signal.presences.add(begins=SINCE.isoformat(), affirmed_on=SINCE.isoformat())
    return signal


def refused(error: pytest.ExceptionInfo[UppropError]) -> Code:
    return error.value.code
