"""Plays a scenario on a trial federation: date by date, every member imports, sends, and hears what the registry found.

Invariant: nothing of the result is reckoned here. Cases come from the nodes, which alone can name the person; all that
is counted here is what they report.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from federation import migration
from federation.database import Database
from federation.demo import scenario as scenarios
from federation.demo.scenario import Case, Scenario
from federation.demo.trial import EVALUATORS, Route, Setting, Trial, direct
from federation.demo.withdrawing import Asked, SchoolSystem
from federation.descriptor_file import PolicyValues
from federation.errors import EXIT_INPUT, Code, UppropError, exit_code
from federation.rules.calendar import Break
from federation.rules.vocabulary import GapState, MemberId, Policy
from federation.throwaway import DevMember
from federation.v1 import control_pb2
from node.records.person import PersonRecord
from node.records.ss12000_file import Ss12000Changes, Ss12000File
from privacy.identifiers import Missing, parse

NODES_AT_ONCE = 4
"""Nodes at work at the same time; more of them than cores, since each waits for the others' answers in between."""
NUMBERS_AND_DATES = ("civicNo", "enrolments.startDate", "enrolments.endDate")
ROUTES = {"renumbered": "protected"}
"""Where a result has fewer words than a node: whoever was given a new number is taken to be protected."""
SYNCS = 20
"""A node that still has something to send after so many rounds will not get it sent."""

Result = TypeVar("Result")
Progress = Callable[[str, int, int], None]
"""Called with (step, done, total)."""


def unseen(_step: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario. `signals_sent` were acknowledged by the registry."""

    as_of: tuple[date, ...]
    members: int
    signals_sent: int
    rejected_rows: int
    cases: tuple[Case, ...]
    withdrawals: tuple[Asked, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As the result file has it."""
        result: dict[str, Any] = msgspec.to_builtins(self)
        if not self.withdrawals:
            del result["withdrawals"]
        return result


Refused = Counter[tuple[MemberId, str, str]]
"""How often each (member, person, field) was refused in one export."""


def refused(
    member: MemberId, export: Path, as_of: date, report: control_pb2.ImportReport, *, delta: bool = False
) -> Refused:
    """The rows that the report refuses for an invalid or missing number or date.

    The report names persons by their place in the export, and places change from one export to the next.
    """
    remarks = [*report.rejected, *report.unlinkable]
    if not remarks:
        return Counter()
    read = (Ss12000Changes if delta else Ss12000File)(export).read(lambda _done, _total: None)
    persons = {each.position: each for each in read if isinstance(each, PersonRecord)}
    return Counter(
        (member, record.person_id, remark.field)
        for remark in remarks
        if (record := persons.get(remark.row)) is not None
        and (remark in report.rejected or isinstance(parse(record.number, as_of), Missing))
        and remark.field in NUMBERS_AND_DATES
    )


class Simulation:
    """One scenario on one trial. `between` is called between any two steps, with the name of the step just done."""

    def __init__(
        self,
        directory: Path,
        scenario: Scenario,
        trial: Trial,
        pool: ThreadPoolExecutor,
        *,
        progress: Progress = unseen,
        between: Callable[[Simulation, str], None] = lambda _simulation, _step: None,
    ) -> None:
        self._directory = directory
        self._scenario = scenario
        self.trial = trial
        self._pool = pool
        self._progress = progress
        self._between = between
        self._refused: Refused = Counter()
        self._school_systems = {each.member: SchoolSystem(trial, each.member) for each in scenario.withdrawals}
        self._sent = 0
        self.remarks: list[str] = []
        """Exports that a node refused, in plain sentences."""
        self.today = scenario.as_of[0]
        self._unchanged = trial.home.parent / "unchanged.json"
        self._unchanged.write_bytes(scenarios.page([], deleted=[]))

    def play(self) -> Outcome:
        total = len(self._scenario.as_of)
        for done, today in enumerate(self._scenario.as_of):
            self._progress(f"playing {today.day} {today:%B %Y}", done, total)
            self.play_day(today)
        self._progress("playing is done", total, total)
        cases = [case for member in self.trial.nodes for case in self._cases(MemberId(member))]
        return Outcome(
            as_of=self._scenario.as_of,
            members=len(self._scenario.members),
            signals_sent=self._sent,
            rejected_rows=self._refused.total(),
            cases=tuple(sorted(cases)),
            withdrawals=self.withdrawals(),
        )

    def play_day(self, today: date) -> None:
        """Import what the members export on that date, send, close the day, and hear."""
        trial = self.trial
        self.today = today
        self._done("begin")
        trial.set_today(trial.servers, today)
        self._done("servers dated")
        trial.set_today(tuple(trial.nodes.values()), today)
        self._done("nodes dated")
        for rows in self._each("importing", self._import):
            # A row counts once over all exports; a person with two broken rows at once has two.
            self._refused |= rows
        for asked in self._scenario.withdrawals:
            if asked.on == today:
                self._school_systems[asked.member].ask(asked)
        self._done("imported")
        self._sent += sum(self._each("sending", self._send))
        self._done("sent")
        self.close()
        self._done("closed")
        self._each("hearing", self._hear)
        self._done("heard")

    def exported(self, member: MemberId) -> Path:
        """What the member exports on the day that was played last."""
        return scenarios.export_path(self._directory, self.today, member).absolute()

    def sync(self) -> None:
        """Have every member send what it has, and hear what there is, once more on the day that was played last."""
        self._sent += sum(self._each("sending", self._send))

    def withdrawals(self) -> tuple[Asked, ...]:
        """What has become of all that was asked for, as each school system is told."""
        return tuple(sorted(each for system in self._school_systems.values() for each in system.asked()))

    def close(self) -> None:
        """Close the day at every replica of the registry at once."""
        list(self._pool.map(self._evaluate, self.trial.registries))

    def _evaluate(self, registry: str) -> None:
        for _ in self.trial.ask(registry, "Evaluate", control_pb2.EvaluateRequest()):
            pass

    def restart(self, name: str) -> None:
        """Kill a party, start it again and set its business date as the operator of a trial would."""
        self.trial.restart(name)
        self.trial.set_today([name], self.today)

    def _done(self, step: str) -> None:
        self._between(self, step)

    def _each(self, step: str, work: Callable[[MemberId], Result]) -> list[Result]:
        results, total = [], len(self.trial.nodes)
        for result in self._pool.map(work, [MemberId(member) for member in self.trial.nodes]):
            results.append(result)
            self._progress(step, len(results), total)
        return results

    def _import(self, member: MemberId) -> Refused:
        export = self.exported(member)
        if not export.exists():
            # Of this member nothing has changed: only a scenario of deltas may lack the file.
            export = self._unchanged
        try:
            report = self.take(member, export)
        except UppropError as error:
            if exit_code(error.code) != EXIT_INPUT:
                raise
            # An export is refused whole: what the node knew before stands, and the day goes on without it.
            self.remarks.append(f"{member} could not import its export of {self.today}: {error.sentence}")
            return Counter()
        return refused(member, export, self.today, report, delta=self._scenario.is_delta(self.today))

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        """Have the member's node take the export of the day; the report names persons by their places in it."""
        delta = self._scenario.is_delta(self.today)
        source = control_pb2.SOURCE_SS12000_CHANGES if delta else control_pb2.SOURCE_UNSPECIFIED
        return self.import_from(member, control_pb2.ImportRequest(path=str(export), source=source))

    def import_from(self, member: MemberId, request: control_pb2.ImportRequest) -> control_pb2.ImportReport:
        """Have the member's node import what the request says, a file as the state of the day."""
        if request.path:
            request.as_of = self.today.isoformat()
        responses = self.trial.ask(self.trial.nodes[member], "Import", request)
        report: control_pb2.ImportReport = _last(responses, "report", f"The import of {member} on {self.today}")
        return report

    def _send(self, member: MemberId) -> int:
        """Sync until nothing is left; returns how many signals were acknowledged."""
        sent = 0
        problems: Sequence[str] = ()
        for _ in range(SYNCS):
            report = self._sync(member, notices_only=False)
            sent += report.submitted
            problems = report.problems
            if report.parked:
                raise UppropError(
                    Code.INPUT_REFUSED, f"The registry refused {report.parked} signals of {member} on {self.today}."
                )
            if not report.waiting:
                return sent
        why = "; ".join(problems) or "no reason given"
        raise UppropError(Code.PEER_UNREACHABLE, f"{member} has signals left to send on {self.today}: {why}.")

    def _hear(self, member: MemberId) -> None:
        problems: Sequence[str] = ()
        for _ in range(SYNCS):
            problems = self._sync(member, notices_only=True).problems
            if not problems:
                return
        why = "; ".join(problems)
        raise UppropError(Code.PEER_UNREACHABLE, f"{member} could not fetch its notices on {self.today}: {why}.")

    def _sync(self, member: MemberId, *, notices_only: bool) -> control_pb2.SyncReport:
        request = control_pb2.SyncRequest(notices_only=notices_only)
        responses = self.trial.ask(self.trial.nodes[member], "Sync", request)
        report: control_pb2.SyncReport = _last(responses, "report", f"The sync of {member} on {self.today}")
        return report

    def _cases(self, member: MemberId) -> Iterator[Case]:
        request = control_pb2.ListCasesRequest(all_gaps=True, protected=True)
        for line in self.trial.ask(self.trial.nodes[member], "ListCases", request).cases:
            if line.HasField("opened_on") and _was_open_at_a_close(line):
                yield Case(
                    member=member,
                    person_id=line.person_id,
                    effective_date=date.fromisoformat(line.effective_date),
                    route=ROUTES.get(line.route, line.route),
                    opened_on=date.fromisoformat(line.opened_on),
                    state=GapState(line.state),
                    state_since=date.fromisoformat(line.state_since),
                )


def _was_open_at_a_close(line: control_pb2.CaseLine) -> bool:
    """A case that a node opens by itself may be answered by the close of the same day: then it was open at none."""
    return line.state == GapState.OPEN or date.fromisoformat(line.state_since) > date.fromisoformat(line.opened_on)


def _last(responses: Iterable[Any], name: str, what: str) -> Any:
    """The report that ends a stream of progress."""
    report = None
    for response in responses:
        if response.WhichOneof("content") == name:
            report = getattr(response, name)
    if report is None:
        raise UppropError(Code.INTERNAL, f"{what} ended without a report.")
    return report


def setting(
    scenario: Scenario,
    *,
    nodes_in_process: bool = False,
    node_processes: int = 0,
    route: Route = direct,
    registries: int = 1,
    database_url: str | None = None,
    consoles: bool = False,
) -> Setting:
    """The trial federation that a scenario asks for."""
    if scenario.withdrawals and (nodes_in_process or node_processes):
        raise UppropError(
            Code.INPUT_REFUSED,
            "The scenario's withdrawals are asked of nodes that are processes of their own: leave out "
            "--nodes-in-process.",
        )
    # What guards against misuse, and what asks people, is off unless the scenario says otherwise.
    unstated = msgspec.to_builtins(PolicyValues.of(Policy()))
    stated = {**unstated, **scenario.policy, "watch_school_days": scenario.watch_school_days}
    try:
        policy = msgspec.convert(stated, PolicyValues).policy()
    except msgspec.ValidationError as error:
        raise UppropError(Code.INPUT_REFUSED, f"The scenario's policy is not understood: {error}.") from error
    return Setting(
        members=tuple(DevMember(each.id, each.name, each.population) for each in scenario.members),
        breaks=tuple(Break(each.start, each.end) for each in scenario.calendar.breaks),
        policy=policy,
        today=scenario.as_of[0],
        nodes_in_process=nodes_in_process,
        node_processes=node_processes,
        route=route,
        registries=registries,
        database_url=database_url,
        consoles=consoles,
        pushes=bool(scenario.withdrawals),
    )


@contextmanager
def prepared(
    directory: Path,
    *,
    keep: Path | None = None,
    nodes_in_process: bool = False,
    node_processes: int = 0,
    route: Route = direct,
    registries: int = 1,
    database_url: str | None = None,
    consoles: bool = False,
    progress: Progress = unseen,
    between: Callable[[Simulation, str], None] = lambda _simulation, _step: None,
    kind: type[Simulation] = Simulation,
) -> Iterator[Simulation]:
    """A simulation of the scenario in `directory`, ready to play; what the parties wrote is copied to `keep`.

    `database_url` is of an empty PostgreSQL database, which several `registries` need; else the store is SQLite.
    `consoles`: each node, in a process of its own, serves its console on loopback.
    `route`, `between` and `kind` are for those who want to disturb it.
    """
    scenario = scenarios.read(directory)
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise UppropError(Code.INPUT_REFUSED, f"{keep} is not empty; choose a new directory for --keep.")
    if database_url is not None:
        _refuse_used(database_url)
    with tempfile.TemporaryDirectory(prefix="upprop-") as temporary:
        home = Path(temporary) / "trial"
        try:
            # The pool outlives the trial: where a step is interrupted, its calls end because the parties do.
            with ThreadPoolExecutor(max(NODES_AT_ONCE, 2 * node_processes), thread_name_prefix="simulate") as pool:
                wanted = setting(
                    scenario,
                    nodes_in_process=nodes_in_process,
                    node_processes=node_processes,
                    route=route,
                    registries=registries,
                    database_url=database_url,
                    consoles=consoles,
                )
                total = len(wanted.members) + EVALUATORS + registries
                counted = iter(range(1, total + 1))

                def started(name: str) -> None:
                    progress(f"starting {name}", next(counted, total), total)

                with Trial(home, wanted, started) as trial:
                    yield kind(directory, scenario, trial, pool, progress=progress, between=between)
        finally:
            if keep is not None and home.exists():
                shutil.copytree(home, keep, ignore=_sockets, dirs_exist_ok=True)


def _refuse_used(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        if migration.current(database) is not None:
            raise UppropError(Code.INPUT_REFUSED, "The registry's database is not empty; name one that is.")


def _sockets(directory: str, names: list[str]) -> list[str]:
    return [name for name in names if stat.S_ISSOCK((Path(directory) / name).lstat().st_mode)]
