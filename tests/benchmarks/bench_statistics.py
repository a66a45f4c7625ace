"""What statistics cost: the noise of a release, and reading all 290 municipalities, in process and through gRPC.

Noise is what a release draws with OpenDP and fits, for authority and public, counting and storing left out. A read is
the municipalities' whole table as JSON-stat, of which the registry keeps the bytes: it is asked over and over, of the
registry's own desk in this process, and of a registry in a process of its own, over mutual TLS on loopback.

Run `python tests/benchmarks/bench_statistics.py`.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import contextlib
import functools
import math
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

# Started as a script, the project's root is not on the path.
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from federation import tls13

tls13.require()

from federation import control, throwaway
from federation.clock import ManualClock
from federation.database import Database
from federation.descriptor import Descriptor, Reader
from federation.migration import migrate
from federation.observability import Log
from federation.settings import load
from federation.v1 import control_pb2
from federation.web.i18n import Language
from privacy import noise
from privacy.budget import STANDARD
from privacy.keys import deal_epoch
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.statistics import drawing
from registry.statistics.asking import Asking
from registry.statistics.catalogue import ReleaseKind, TableId
from registry.statistics.desk import Desk
from registry.statistics.model import Period, dimensions
from registry.statistics.reader import connect
from registry.statistics.reading import Document, Format, Level
from registry.statistics.settings import ReaderSettings
from tests.harness.statistics_nation import CHILDREN, fill, publish

NOISE_AIM = 0.5
"""Seconds for the noise of one release."""

READS_AIM = 10_000
"""A second, in process."""

YEAR = 2025
TODAY = date(YEAR + 2, 1, 1)
ROUNDS = 5
READS = 20_000
CALLS = 400
"""Of each reader; more bytes than these have a reader refused for a while, however fast the registry is."""
CALLERS = 4
READERS = tuple(throwaway.DevReader(f"reader{number}", "statistics") for number in range(1 + CALLERS))


@dataclass(frozen=True, slots=True)
class Figures:
    """`noise`: kind of release → seconds. `first`: seconds for a read whose bytes are not kept yet, `size` of them.

    The rest are reads a second: in process, through gRPC by one reader, and by several at once.
    """

    noise: dict[ReleaseKind, float]
    first: float
    size: int
    reads: float
    calls: float
    calls_at_once: float

    @property
    def year(self) -> float:
        """Seconds for the noise of all that is released of a year."""
        return 12 * self.noise[ReleaseKind.MONTH] + self.noise[ReleaseKind.YEAR] + self.noise[ReleaseKind.CLOSED]


def measure(children: int = CHILDREN, rounds: int = ROUNDS, reads: int = READS, calls: int = CALLS) -> Figures:
    """Measure releases `rounds` times, `reads` reads in process and `calls` through gRPC of each reader."""
    with TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        federation = _federation(Path(directory) / "federation")
        settings = load(federation.registry, RegistrySettings)
        database = stack.enter_context(contextlib.closing(open_database(settings)))
        migrate(database, STORE_PACKAGE)
        ask = _desk(database, children)
        begun = time.perf_counter()
        first = ask()
        rendered = time.perf_counter() - begun
        in_process = reads / _seconds(ask, reads)

        command = [sys.executable, "-m", "federation.cli", "registry", "serve", "--config", str(federation.registry)]
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        stack.enter_context(control.connect(settings.data_dir)).Status(control_pb2.StatusRequest())
        calling = []
        for reader in READERS:
            party = connect(load(federation.reader(reader.name), ReaderSettings), Log(level="error"))
            calling.append(functools.partial(_read, stack.enter_context(party).client.data))
            # Also opens the connection and has the bytes kept, which is not what is measured.
            if calling[-1]() != first:
                raise RuntimeError("two faces of one registry answer differently")
        one = calls / _seconds(calling[0], calls)
        several = CALLERS * calls / _at_once(calling[1:], calls)
    return Figures(_noise(rounds), rendered, len(first.content), in_process, one, several)


def _federation(directory: Path) -> throwaway.DevFederation:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    return throwaway.dev(
        directory,
        [throwaway.DevMember("0180")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(port, (1, 2)),
        today=TODAY,
        readers=READERS,
    )


def _desk(database: Database, children: int) -> Callable[[], Document]:
    """A nation's year, published; how its municipalities are read."""
    nation = fill(database, YEAR, 1, children, heard_on=TODAY, closed_on=TODAY)
    publish(database, nation, TODAY)
    clock = ManualClock("Europe/Stockholm", TODAY)

    def in_force() -> Descriptor:
        return nation.descriptor

    desk = Desk(database, Asking(database, in_force, clock), in_force, clock)
    reader = Reader(name="statistics", role="statistics", key_sha256="0" * 64)
    return functools.partial(_read, functools.partial(desk.data, reader))


def _read(data: Callable[..., object]) -> Document:
    document = data(TableId.MUNICIPALITY_YEAR.value, (), Level.AUTHORITY, Format.JSON_STAT2, Language.ENGLISH)
    if not isinstance(document, Document):
        raise TypeError("no document")
    return document


def _noise(rounds: int) -> dict[ReleaseKind, float]:
    periods = (Period(ReleaseKind.MONTH, YEAR, 9), Period(ReleaseKind.YEAR, YEAR), Period(ReleaseKind.CLOSED, YEAR))
    found = {}
    for period in periods:
        counts = {table: [8] * math.prod(map(len, dimensions(table).values())) for table in period.tables}
        draw = functools.partial(drawing.draw, counts, STANDARD, noise)
        # Loads OpenDP.
        draw()
        found[period.kind] = statistics.median(_seconds(draw, 1) for _ in range(rounds))
    return found


def _seconds(step: Callable[[], object], times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        step()
    return time.perf_counter() - begun


def _at_once(steps: Sequence[Callable[[], object]], times: int) -> float:
    """Seconds for each of the steps so many times, side by side. Raises what one of them raises."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(steps)) as pool:
        for done in [pool.submit(_seconds, step, times) for step in steps]:
            done.result()
    return time.perf_counter() - begun


def report(figures: Figures) -> str:
    """The figures as a few lines of text."""
    drawn = ", ".join(f"{kind.lower()} {seconds * 1e3:.1f} ms" for kind, seconds in figures.noise.items())
    lines = [
        "Statistics:",
        f"  noise of a release       {drawn} (aim ≤ {NOISE_AIM * 1e3:.0f} ms)",
        f"  noise of a whole year    {figures.year * 1e3:.0f} ms",
        f"  290 cells, first time    {figures.first * 1e3:.1f} ms, {figures.size / 1024:.1f} KiB",
        f"  290 cells, in process    {figures.reads:,.0f} reads/s (aim ≥ {READS_AIM:,})",
        f"  290 cells, through gRPC  {figures.calls:,.0f} reads/s by one reader",
        f"                           {figures.calls_at_once:,.0f} reads/s by {CALLERS} readers at once",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(measure()))  # noqa: T201
