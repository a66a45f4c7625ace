"""A school year of a nation: 290 members, 1.1 million pupils, some 50 000 moves, played and compared with the truth.

Every party is a process, the nodes spread over one process per core, the registry of several replicas on a PostgreSQL
server that is started for it; every call between them is gRPC over mutual TLS.
What each kind of process costs is what Linux counted for it: processor time, and the peak of resident memory.

Run `python tests/benchmarks/bench_nation.py --help`, or `make bench-nation` for the whole.
"""

# ruff: noqa: E402 - the path and TLS 1.3 are set before anything that needs them is imported

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

# Started as a script, the project's root is not on the path; for the processes that it starts, it has to be.
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

from federation import tls13

tls13.require()

import click
import psutil
import psycopg
from sqlalchemy.engine import make_url

from federation.demo import nation, show
from federation.demo.bars import bars
from federation.demo.nation import Nation
from federation.demo.simulate import Progress, Simulation, prepared
from federation.demo.supervisor import interrupted_once
from tests.harness.postgres import postgres_server

POSTGRESQL = "postgresql"

SECONDS_OF_A_DAY_S_DELIVERY = 3_600
"""The nation's nodes import at night and send what they have within an hour, on its busiest day as on any other."""

STEPS = {"imported": "import", "sent": "send", "closed": "close", "heard": "hear"}
"""The steps of a date that are measured, by what the simulation calls them when they are done."""


@dataclass
class Costs:
    """What was measured, in seconds and megabytes; kinds are of processes: nodes, registry, evaluator, postgresql, and
    simulate, which generates and plays."""

    wall: dict[str, float] = field(default_factory=dict)
    """Step → seconds."""
    dates: dict[str, dict[str, float]] = field(default_factory=dict)
    """Date → step → seconds."""
    processor: dict[str, dict[str, float]] = field(default_factory=dict)
    """Kind → step → seconds of processor time, all its processes together."""
    evaluator_on: dict[str, float] = field(default_factory=dict)
    """Date → seconds of processor time of the evaluators, all together."""
    peak: dict[str, float] = field(default_factory=dict)
    """Kind → peak of resident memory of its largest process."""
    processes: dict[str, int] = field(default_factory=dict)
    """Kind → how many."""


@dataclass(frozen=True)
class Report:
    """The whole run. `registry`: how many replicas on what; `evaluator_cores`: of all evaluators together, on the date
    on which most is sent."""

    members: int
    pupils: int
    moves: int
    registry: str
    cases: int
    equals_truth: bool
    signals_sent: int
    rejected_rows: int
    remarks: int
    imports: int
    imports_per_second: float
    seconds: float
    busiest_date: str
    evaluator_cores: float
    costs: Costs

    def __str__(self) -> str:
        costs = self.costs
        equal = "EQUAL to" if self.equals_truth else "DIFFERENT from"
        lines = [
            f"{self.members} members, {self.pupils:,} pupils, {self.moves:,} moves: {self.seconds:,.0f} s in all",
            f"{self.cases:,} cases, {equal} the truth; registry: {self.registry}",
            f"{self.signals_sent:,} signals sent; {self.imports:,} imports, {self.imports_per_second:.1f} a second",
            f"{self.rejected_rows} broken rows, {self.remarks} refused exports",
            "Wall time (s): " + ", ".join(f"{step} {seconds:,.1f}" for step, seconds in costs.wall.items()),
            f"{'':<12}{'processes':>10}{'peak MB':>10}  processor time (s)",
        ]
        for kind, steps in costs.processor.items():
            told = ", ".join(f"{step} {seconds:,.1f}" for step, seconds in steps.items())
            lines.append(f"{kind:<12}{costs.processes[kind]:>10}{costs.peak[kind]:>10,.0f}  {told}")
        busiest = costs.evaluator_on[self.busiest_date]
        lines.append(
            f"Evaluators on the busiest date, {self.busiest_date}: {busiest:,.1f} s of processor time, which is "
            f"{self.evaluator_cores:.4f} cores where it all comes within an hour"
        )
        return "\n".join(lines)


class Meter:
    """Reads what the processes of a trial have cost, and charges it to the step just done."""

    def __init__(self, database_url: str | None) -> None:
        self.costs = Costs()
        self._besides = {"simulate": os.getpid()}
        if database_url is not None:
            self._besides[POSTGRESQL] = _postmaster(database_url)
        self._begun = self._last = time.perf_counter()
        self._spent: dict[str, float] = defaultdict(float)

    def step(self, name: str, simulation: Simulation | None = None, date: str | None = None) -> None:
        now = time.perf_counter()
        took, self._last = now - self._last, now
        costs = self.costs
        costs.wall[name] = costs.wall.get(name, 0.0) + took
        if date is not None:
            costs.dates.setdefault(date, {})[name] = took
        for kind, seconds in self._charge(simulation).items():
            steps = costs.processor.setdefault(kind, {})
            steps[name] = steps.get(name, 0.0) + seconds
            if kind == "evaluator" and date is not None:
                costs.evaluator_on[date] = costs.evaluator_on.get(date, 0.0) + seconds

    def between(self, simulation: Simulation, done: str) -> None:
        self.step(STEPS.get(done, "set the date"), simulation, simulation.today.isoformat())

    @property
    def seconds(self) -> float:
        return self._last - self._begun

    def _charge(self, simulation: Simulation | None) -> Mapping[str, float]:
        """Kind → processor time since the last step."""
        names = {**self._besides, **(simulation.trial.processes if simulation is not None else {})}
        charged: dict[str, float] = defaultdict(float)
        if simulation is not None:
            self.costs.processes = dict(Counter(_kind(name) for name in names))
        for name, pid in names.items():
            spent, peak = _cost(psutil.Process(pid), with_children=name == POSTGRESQL)
            charged[_kind(name)] += spent - self._spent[name]
            self._spent[name] = spent
            self.costs.peak[_kind(name)] = max(self.costs.peak.get(_kind(name), 0.0), peak)
        return charged


def _kind(name: str) -> str:
    """Of the process `nodes-2`: nodes."""
    return name.partition("-")[0]


def _cost(process: psutil.Process, *, with_children: bool) -> tuple[float, float]:
    """Seconds of processor time so far, and peak of resident memory; with children, the peak of the largest."""
    times = process.cpu_times()
    spent, peak = times.user + times.system, _peak(process.pid)
    if with_children:
        spent += times.children_user + times.children_system
        for child in process.children():
            # One that ends just now is among the children that have ended, the next time.
            with contextlib.suppress(psutil.NoSuchProcess, OSError):
                of_child, its_peak = _cost(child, with_children=False)
                spent, peak = spent + of_child, max(peak, its_peak)
    return spent, peak


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024 / 1e6


def _postmaster(database_url: str) -> int:
    """The process of which all others of a PostgreSQL server on this machine are children."""
    address = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        return psutil.Process(connection.info.backend_pid).ppid()


def run(
    size: Nation,
    directory: Path,
    progress: Progress,
    *,
    processes: int,
    registries: int = 1,
    database_url: str | None = None,
) -> Report:
    """Generate, play, compare. `database_url`: of an empty PostgreSQL database on this machine; without it, SQLite."""
    meter = Meter(database_url)
    truth = nation.write(size, directory, progress)
    meter.step("generate")
    with prepared(
        directory,
        node_processes=processes,
        registries=registries,
        database_url=database_url,
        progress=progress,
        between=meter.between,
    ) as simulation:
        meter.step("start", simulation)
        outcome = simulation.play()
        meter.step("list cases", simulation)
        registry = f"{registries} on {'SQLite' if database_url is None else 'PostgreSQL'}"
    meter.step("stop")
    comparison = show.compare(outcome.cases, truth.cases)
    costs = meter.costs
    imports = size.members * len(outcome.as_of)
    busiest = max(costs.evaluator_on, key=lambda date: costs.evaluator_on[date])
    return Report(
        members=size.members,
        pupils=size.pupils,
        moves=size.moves,
        registry=registry,
        cases=len(outcome.cases),
        equals_truth=comparison.equal,
        signals_sent=outcome.signals_sent,
        rejected_rows=outcome.rejected_rows,
        remarks=len(simulation.remarks),
        imports=imports,
        imports_per_second=imports / costs.wall["import"],
        seconds=meter.seconds,
        busiest_date=busiest,
        evaluator_cores=costs.evaluator_on[busiest] / SECONDS_OF_A_DAY_S_DELIVERY,
        costs=costs,
    )


@click.command()
@click.option("--members", type=click.IntRange(2, 1_000), default=Nation.members, show_default=True)
@click.option("--pupils", type=click.IntRange(100, 1_100_000), default=Nation.pupils, show_default=True)
@click.option(
    "--moves", type=click.IntRange(0, 100_000), help="Of the year; as many as befit the pupils where not given."
)
@click.option("--seed", type=int, default=Nation.seed, show_default=True, help="Another number makes other histories.")
@click.option("--processes", type=click.IntRange(1, 256), help="Processes of nodes; one per core where not given.")
@click.option(
    "--registries", type=click.IntRange(1, 10), default=2, show_default=True, help="Replicas of the registry."
)
@click.option("--sqlite", is_flag=True, help="One registry on SQLite, in place of replicas on PostgreSQL.")
@click.option(
    "--scenario",
    "directory",
    type=click.Path(path_type=Path),
    help="Keep the generated scenario in this new directory.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all that was measured as JSON.")
def main(
    members: int,
    pupils: int,
    moves: int | None,
    seed: int,
    processes: int | None,
    registries: int,
    sqlite: bool,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Play a school year of a nation and report what it costs.

    Exit code 1 where the cases found differ from the truth. The whole takes a quarter of an hour or more, some 1 GB of
    disk in the temporary directory for the scenario and 3 GB for what the nodes store.
    """
    if moves is None:
        moves = Nation.moves * pupils // Nation.pupils
    size = Nation(members=members, pupils=pupils, moves=moves, seed=seed)
    with contextlib.ExitStack() as stack:
        stack.enter_context(interrupted_once())
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="upprop-nation-")))
        url = None
        if not sqlite:
            url = stack.enter_context(stack.enter_context(postgres_server()).fresh_database())
        report = run(
            size,
            directory or temporary / "scenario",
            stack.enter_context(bars()),
            processes=processes or os.cpu_count() or 1,
            registries=1 if sqlite else registries,
            database_url=url,
        )
    click.echo(json.dumps(asdict(report), indent=1) if as_json else str(report))
    sys.exit(not report.equals_truth)


if __name__ == "__main__":
    main()
