"""Parties of a trial as forks of one process that has all code loaded and has opened nothing.

A role takes a second of processor time to load its code, and the simulations start hundreds. What runs in a fork is the
same command as ever on the same leash, in a process and a session of its own, with its own log and its own end; tests
that play through the command line (`upprop demo`, `upprop simulate`) start theirs from nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from federation import migration
from federation.database import Database
from tests.harness.migrated import Remembered
from tests.harness.nursery import load

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.005


class Brood:
    """A context manager: `launch` forks a party within it. One that is still there afterwards ends by its leash."""

    def __enter__(self) -> Brood:
        self._socket, theirs = socket.socketpair()
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.harness.forked", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.wait(60)

    def launch(self, arguments: Sequence[str], log: BinaryIO) -> Forked:
        """What `federation.demo.supervisor.launch` does."""
        read, write = os.pipe()
        try:
            pid = self.ask({"start": list(arguments), "directory": str(Path.cwd())}, read, log.fileno())
        finally:
            os.close(read)
        return Forked(self, pid, os.fdopen(write, "wb", buffering=0))

    def ask(self, order: dict[str, Any], *files: int) -> Any:
        with self._turn:
            socket.send_fds(self._socket, [json.dumps(order).encode()], files)
            return json.loads(self._socket.recv(1024))


class Forked(subprocess.Popen[bytes]):
    """Somebody else's child, with as much of `Popen` as a supervisor uses."""

    def __init__(self, brood: Brood, pid: int, leash: BinaryIO) -> None:
        self._brood, self.pid = brood, pid
        self.stdin = leash
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._brood.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("upprop", timeout or 0.0)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, sig: int) -> None:
        # Until it has been polled as ended, its id is nobody else's.
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _main(orders: socket.socket) -> None:
    load()
    _remember_migrations()
    while True:
        message, files, _, _ = socket.recv_fds(orders, 1 << 20, 2)
        if not message:
            return
        order = json.loads(message)
        if "poll" in order:
            ended, status = os.waitpid(order["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        else:
            answer = os.fork()
            if answer == 0:
                orders.close()
                _become(order["start"], order["directory"], *files)
        for each in files:
            os.close(each)
        orders.sendall(json.dumps(answer).encode())


def _remember_migrations() -> None:
    """So that no fork goes through them again; what was opened for it is closed before the first."""
    migration._upgrade = Remembered()
    with tempfile.TemporaryDirectory() as directory:
        for package in ("node.store", "privacy.evaluator.store", "registry.store"):
            with contextlib.closing(Database(Path(directory) / package)) as database:
                migration.migrate(database, package)


def _become(arguments: list[str], directory: str, leash: int, log: int) -> None:
    """The party, until it ends."""
    code = 1
    try:
        os.setsid()
        os.chdir(directory)
        for source, number in ((leash, 0), (log, 1), (log, 2)):
            os.dup2(source, number)
        os.close(leash)
        os.close(log)
        from federation.demo.leash import main

        main(arguments)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        # Not by way of the parent's own ending, which is not this process's business.
        os._exit(code)


if __name__ == "__main__":
    _main(socket.socket(fileno=int(sys.argv[1])))
