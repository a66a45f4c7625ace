"""Starts parties as processes of their own and leaves none behind.

Invariants: a party is listed before it can fail, so whatever interrupts the supervisor stops it; each runs on a leash
(`federation.demo.leash`), so it stops even when nobody is left to tell it; each is a session of its own, so that Ctrl-C
in a terminal reaches the supervisor alone, which then stops the parties in order.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO, NoReturn

from federation.errors import Code, UppropError
from federation.runtime import PORTS_NAME

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_NAME = "log.jsonl"


def launch(arguments: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    """Start a process on a leash, in a session of its own, that writes what it has to say into `log`."""
    return subprocess.Popen(  # noqa: S603 - our own interpreter, and arguments that we made
        [sys.executable, "-m", "federation.demo.leash", *arguments],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


@dataclass
class Party:
    """One process. `directory` holds its configuration and its log; `data_dir` what it stores."""

    name: str
    arguments: tuple[str, ...]
    directory: Path
    data_dir: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.directory / LOG_NAME

    def port(self) -> int:
        """The port it serves RPCs on, as it says itself."""
        ports = json.loads((self.data_dir / PORTS_NAME).read_text(encoding="utf-8"))
        return int(ports["rpc"])

    def ended(self) -> UppropError:
        """Why it is not running: its log's last lines say it in its own words."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        code = self.process.returncode if self.process else None
        return UppropError(
            Code.PEER_UNREACHABLE, f"{self.name} stopped with exit code {code}. Its last words: {' '.join(lines)}"
        )


@dataclass
class Supervisor:
    """A context manager: on leaving it, every party has ended. Not for several threads at once."""

    parties: list[Party] = field(default_factory=list)

    def start(self, name: str, arguments: Sequence[str], directory: Path, data_dir: Path) -> Party:
        """Start `upprop <arguments>`; returns at once. A party of that name that has ended is replaced."""
        self.parties = [party for party in self.parties if party.name != name]
        party = Party(name, tuple(arguments), directory, data_dir)
        self.parties.append(party)
        self._spawn(party)
        return party

    def _spawn(self, party: Party) -> None:
        (party.data_dir / PORTS_NAME).unlink(missing_ok=True)
        with party.log.open("ab") as log:
            party.process = launch(party.arguments, log)

    def wait_until(
        self,
        ready: Callable[[Party], bool],
        parties: Sequence[Party],
        started: Callable[[str], None] = lambda _name: None,
        *,
        seconds: float = READY_SECONDS,
    ) -> None:
        """Wait until `ready` holds for each of `parties`, and tell `started` its name when it does.

        Raises UppropError when one ends or takes too long.
        """
        deadline = time.monotonic() + seconds
        waiting = list(parties)
        while waiting:
            for party in tuple(waiting):
                if party.process is None or party.process.poll() is not None:
                    raise party.ended()
                if ready(party):
                    started(party.name)
                    waiting.remove(party)
            if waiting and time.monotonic() > deadline:
                raise UppropError(
                    Code.DEADLINE,
                    f"{waiting[0].name} was not ready after {seconds:.0f} seconds; see {waiting[0].log}.",
                )
            time.sleep(POLL_SECONDS)

    def kill(self, party: Party) -> None:
        """End a party as a power cut would."""
        if party.process is not None:
            party.process.kill()
            party.process.wait()
            self._let_go(party)

    def restart(self, party: Party) -> None:
        self._spawn(party)

    def stop(self) -> None:
        """End all parties: politely, then not. Safe to call again."""
        running = [party for party in self.parties if party.process is not None]
        for party in running:
            _signal(party, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for party in running:
            process = party.process
            if process is None:
                continue
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(party, signal.SIGKILL)
                process.wait()
            self._let_go(party)

    @staticmethod
    def _let_go(party: Party) -> None:
        if party.process is not None and party.process.stdin is not None:
            party.process.stdin.close()
        party.process = None

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _signal(party: Party, number: signal.Signals) -> None:
    """To the whole process group, so that nothing a party started outlives it."""
    if party.process is not None and party.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(party.process.pid, number)


@contextlib.contextmanager
def interrupted_once() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block, and nothing disturbs what it then has to clear away. For the main thread.

    Clearing away takes seconds at most: parties that do not stop are killed.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def until_interrupted() -> NoReturn:
    """Do nothing until a handler of a signal raises; one that does not wake the main thread is heard a second later."""
    while True:
        time.sleep(1)
