"""A registry that is told to stop while members submit: it drains, and what it acknowledged is in its store."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from federation import throwaway
from federation.migration import migrate
from federation.rpc.server import DRAIN_SECONDS
from federation.runtime import PORTS_NAME
from federation.settings import load
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.store.schema import signals
from tests.conftest import MakeFederation
from tests.integration.travelling_parties import Load, Member, eventually

ROOT = Path(__file__).parents[2]


class Process:
    """`upprop registry serve`, and the store it leaves."""

    def __init__(self, federation: throwaway.DevFederation) -> None:
        self.config = federation.registry
        self.settings = load(self.config, RegistrySettings)
        with contextlib.closing(open_database(self.settings)) as database:
            migrate(database, STORE_PACKAGE)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "federation.cli", "registry", "serve", "--config", str(self.config)]
        with (self.config.parent / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log)
        eventually(lambda: process.poll() is not None or (self.settings.data_dir / PORTS_NAME).exists())
        assert process.poll() is None
        return process

    def handles(self) -> list[bytes]:
        with contextlib.closing(open_database(self.settings)) as database, database.read("test") as tx:
            return [bytes(row.handle) for row in tx.execute(select(signals.c.handle))]


MEMBERS = ("0180", "1480", "2480")


def test_a_stop_under_load_drains_and_loses_no_acknowledgement(make_federation: MakeFederation) -> None:
    """Then it is started again, and everything that was submitted is in the store, once."""
    federation = make_federation(*MEMBERS, clock="system")
    registry = Process(federation)
    process = registry.start()
    with contextlib.ExitStack() as stack:

        def stop() -> None:
            process.terminate()
            process.wait(60)

        # Also where the test fails: no process is left behind.
        stack.callback(stop)
        loads = [stack.enter_context(Load(stack.enter_context(Member(federation, each)))) for each in MEMBERS]
        for load_ in loads:
            load_.goes_on(10)
        process.send_signal(signal.SIGTERM)
        # Nothing holds it up for as long as it would wait.
        assert process.wait(DRAIN_SECONDS + 20) == 0
        acknowledged = [set(each.acknowledged) for each in loads]
        kept = registry.handles()
        assert all(each <= set(kept) for each in acknowledged)
        process = registry.start()
        for load_ in loads:
            load_.goes_on()
    submitted = [each.submitted for each in loads]
    assert submitted == [each.acknowledged for each in loads]
    assert sorted(registry.handles()) == sorted(set().union(*submitted))
