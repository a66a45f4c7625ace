"""A roster of 100 000 pupils into a node: the first import, the same again, and one in which every pupil has changed.

Each import runs in a process of its own, as `upprop node import` does, and its peak of resident memory is what Linux
counted for it. The unchanged import is timed against a bare `json.loads` of the same file in the same process,
turn by turn, and the median of the turns is shown, so that machines can be compared and what else runs matters little.

Run `python tests/benchmarks/bench_import.py [PUPILS]`.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Started as a script, the project's root is not on the path.
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from federation import tls13

tls13.require()

import node.app  # noqa: F401 - all that a node's process loads counts
from federation.clock import ManualClock
from federation.database import Database
from federation.migration import migrate
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from node.records.importing import Importing
from node.records.sources import Source, delivery_of
from node.settings import STORE_PACKAGE
from node.store.sealing import RECORD_KEY_BYTES, Sealer
from tests.unit.node.exports import enrolment, person

PUPILS = 100_000
UNITS = 250
TURNS = 3
BASELINE = date(2026, 8, 24)

AIM_RATE = 10_000
"""Pupils a second on the unchanged import, at least."""
AIM_RATIO = 5.0
"""The unchanged import's time over that of a bare JSON parse, at most."""
AIM_MEMORY = 300.0
"""Megabytes of resident memory, at most, in any import."""


@dataclass(frozen=True)
class Taken:
    """One import in a process of its own. `seconds`: per turn; `parse`: of the bare JSON parse after each."""

    changed: int
    seconds: Sequence[float]
    parse: Sequence[float]
    peak: float

    def rate(self, pupils: int) -> float:
        return pupils / statistics.median(self.seconds)

    @property
    def ratio(self) -> float:
        return statistics.median(took / parsed for took, parsed in zip(self.seconds, self.parse, strict=True))


def write_json(path: Path, pupils: int, school_year: int) -> None:
    """A roster without ever holding it: memory is what is measured here."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"data": [')
        for place in range(pupils):
            file.write("," if place else "")
            json.dump(_pupil(place, school_year), file, ensure_ascii=False)
        file.write('], "pageToken": null}')


def _pupil(place: int, school_year: int) -> dict[str, Any]:
    row = enrolment(enroledAt={"id": f"unit-{place % UNITS}"}, schoolYear=school_year)
    modified = {"created": "2026-01-01T10:00:00Z", "modified": "2026-08-01T10:00:00Z"}
    return person(place, row, meta=modified, emails=[{"value": "elev@example.org", "type": "Skola elev"}])


def take(store: str, source: Source, path: Path, as_of: date, *, turns: int = 1, parse: Path | None = None) -> Taken:
    """Import a file, on as many days as there are turns, in another process."""
    arguments = [store, source.value, str(path), as_of.isoformat(), str(turns), str(parse or "")]
    done = subprocess.run([sys.executable, __file__, "--child", *arguments], check=True, stdout=subprocess.PIPE)
    return Taken(**json.loads(done.stdout))


def child(store: str, source: str, path: str, as_of: str, turns: str, parse: str) -> Taken:
    clock = ManualClock("Europe/Stockholm", date.fromisoformat(as_of))
    database = Database(store)
    importing = Importing(database, Sealer(bytes(RECORD_KEY_BYTES)), lambda: (Policy(), SchoolCalendar()), clock)
    seconds: list[float] = []
    parsing: list[float] = []
    peaks: list[float] = []
    changed = 0
    for turn in range(int(turns)):
        day = date.fromisoformat(as_of) + timedelta(days=turn)
        clock.set_today(day)
        begun = time.perf_counter()
        changed = importing.take(delivery_of(Source(source), Path(path)), day).changed
        seconds.append(time.perf_counter() - begun)
        peaks.append(peak_of_this_process())
        if parse:
            begun = time.perf_counter()
            json.loads(Path(parse).read_bytes())
            parsing.append(time.perf_counter() - begun)
    database.close()
    # The bare parse holds everything at once: only the import before the first one had the memory to itself.
    return Taken(changed, seconds, parsing, peaks[0] if parse else peaks[-1])


def peak_of_this_process() -> float:
    """Megabytes. What `getrusage` tells begins with the size of the process that started this one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6


@dataclass(frozen=True)
class Measured:
    """A source on a store: the baseline, the same again, and (of an SS 12000 file) everyone changed."""

    name: str
    pupils: int
    baseline: Taken
    unchanged: Taken
    everyone: Taken | None

    def __str__(self) -> str:
        imports = [self.baseline, self.unchanged, *([self.everyone] if self.everyone else [])]
        changed = "" if self.everyone is None else f", all changed {self.everyone.rate(self.pupils):>6,.0f}"
        return (
            f"{self.name:<22} pupils/s: first {self.baseline.rate(self.pupils):>6,.0f}, "
            f"unchanged {self.unchanged.rate(self.pupils):>7,.0f}{changed}; "
            f"unchanged / bare JSON parse {self.unchanged.ratio:.1f}; peak {max(each.peak for each in imports):.0f} MB"
        )


def measure(name: str, store: str, source: Source, files: Sequence[Path], parse: Path, pupils: int) -> Measured:
    """`files`: the roster, and for the source that has one, the roster in which everyone has changed."""
    database = Database(store)
    migrate(database, STORE_PACKAGE)
    database.close()
    later = BASELINE + timedelta(days=7)
    return Measured(
        name,
        pupils,
        take(store, source, files[0], BASELINE),
        take(store, source, files[0], later, turns=TURNS, parse=parse),
        take(store, source, files[1], later + timedelta(days=7)) if len(files) > 1 else None,
    )


def run(pupils: int, say: Callable[[Measured], None]) -> list[Measured]:
    """All sources on SQLite, and the SS 12000 file on PostgreSQL."""
    # Not in the processes that import: what they load counts.
    from tests.harness import convert
    from tests.harness.postgres import postgres_server

    measured: list[Measured] = []
    with TemporaryDirectory() as directory, postgres_server() as server, server.fresh_database() as url:
        home = Path(directory)
        now, later, table, archive = (home / name for name in ("now.json", "later.json", "now.csv", "now.zip"))
        write_json(now, pupils, 4)
        write_json(later, pupils, 5)
        persons = [_pupil(place, 4) for place in range(pupils)]
        convert.write_plain(table, convert.plain_rows(persons))
        convert.write_oneroster(archive, convert.oneroster_tables(persons))
        del persons
        for name, store, source, files in (
            ("SS 12000, SQLite", f"sqlite:///{home}/a.db", Source.SS12000_FILE, (now, later)),
            ("SS 12000, PostgreSQL", url, Source.SS12000_FILE, (now, later)),
            ("OneRoster, SQLite", f"sqlite:///{home}/b.db", Source.ONEROSTER, (archive,)),
            ("plain CSV, SQLite", f"sqlite:///{home}/c.db", Source.CSV, (table,)),
        ):
            measured.append(measure(name, store, source, files, now, pupils))
            say(measured[-1])
    return measured


def main() -> int:
    pupils = int(sys.argv[1]) if len(sys.argv) > 1 else PUPILS
    measured = run(pupils, lambda one: print(one, flush=True))  # noqa: T201 - its purpose
    first = measured[0]
    met = first.unchanged.rate(pupils) >= AIM_RATE and first.unchanged.ratio <= AIM_RATIO
    held = all(
        taken.peak <= AIM_MEMORY
        for one in measured
        for taken in (one.baseline, one.unchanged, one.everyone)
        if taken is not None
    )
    print(  # noqa: T201 - as above
        f"Aims: unchanged at {AIM_RATE:,} pupils/s or more and {AIM_RATIO:.0f} times a bare parse or less: "
        f"{'met' if met else 'NOT met'}. {AIM_MEMORY:.0f} MB or less in every import: {'met' if held else 'NOT met'}."
    )
    return 0 if met and held else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(asdict(child(*sys.argv[2:]))))  # noqa: T201 - read by `take`
    else:
        sys.exit(main())
