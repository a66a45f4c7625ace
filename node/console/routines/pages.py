"""The pages of routines: the checklist of a case file, follow-ups due, routines, help, and what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from starlette.responses import Response

from node.casework.actor import Role, sees
from node.casework.files.filing import NoSuchFileError
from node.casework.files.model import CaseFile
from node.casework.journal.model import MAX_NOTE
from node.casework.routines import wording as flaws
from node.casework.routines.checklist import Due, LineName, StepDoneError, StepError
from node.casework.routines.leaflets import numbers_for_child
from node.casework.routines.model import CountsAs, HelpKind
from node.console.case.visiting import case_visit, file_id_of
from node.console.page import EVERYBODY, READERS, WORKERS, Page
from node.console.routines.part import checklist_of, urgency
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction
from node.store.case_keys import CaseShreddedError

LOOK_AHEAD = timedelta(days=30)
"""So far ahead the page of follow-ups looks."""

_PRINTED = {"barn": "child", "familj": "family", "child": "child", "family": "family"}


@dataclass(frozen=True, slots=True)
class _Typed:
    """What somebody typed that could not be taken: it stands in the form again."""

    name: LineName
    outcome: str = ""
    note: str = ""
    done_on: str = ""
    next_on: str = ""

    @property
    def key(self) -> str:
        return f"{self.name.run}-{self.name.step_id}-{self.name.round}"


def checklist(visit: Visit) -> Response:
    return _checklist(visit)


def _checklist(visit: Visit, typed: _Typed | None = None, error: StepError | None = None) -> Response:
    shown = case_visit(visit)
    file = shown.file
    sections = visit.desk.database.view("console_checklist", lambda tx: checklist_of(visit, tx, file.file_id))
    meanwhile = None
    if isinstance(error, StepDoneError):
        key = f"{error.line.name.run}-{error.line.name.step_id}-{error.line.name.round}"
        meanwhile = next((each for section in sections for each in section.past if each.key == key), None)
    return visit.show(
        "routines/checklist.html",
        200 if error is None else 409 if meanwhile is not None else 422,
        file=file,
        checklist=sections,
        typed=typed,
        error=None if error is None else _sentence(visit, error),
        meanwhile=meanwhile,
        startable=_startable(visit, [section.routine.name for section in sections if section.open]),
        max_note=MAX_NOTE,
    )


def _startable(visit: Visit, running: list[str]) -> list[object]:
    return [listed.routine for listed in visit.desk.routines.catalogue.all() if listed.routine.name not in running]


def _sentence(visit: Visit, error: StepError) -> str:
    told = dict(error.parameters)
    if "first" in told:
        told["first"] = told["first"].text(visit.language)  # type: ignore[attr-defined]  # Words of the step
    return visit.words(error.key, **told)


def take_step(visit: Visit) -> Response:
    """A step is finished, or a routine begun."""
    file_id, desk = file_id_of(visit), visit.desk

    def file(tx: Transaction) -> CaseFile:
        try:
            found = desk.case_files.see(tx, file_id, visit.actor)
        except NoSuchFileError:
            raise NoSuchPageError from None
        if found.shredded_on is not None:
            raise CaseShreddedError
        return found

    if begin := visit.field("begin"):
        if begin not in desk.routines.catalogue:
            raise NoSuchPageError
        today = desk.today()
        desk.database.run("routine_begin", lambda tx: desk.routines.start(tx, file(tx), begin, today, visit.actor))
        return visit.redirect("checklist", "routine-begun", file=file_id.hex())

    run, count = visit.field("run"), visit.field("round")
    if not (run.isascii() and run.isdigit() and count.isascii() and count.isdigit() and len(run + count) < 12):
        raise NoSuchPageError
    typed = _Typed(
        LineName(int(run), visit.field("step"), int(count)),
        visit.field("outcome"),
        visit.field("note"),
        visit.field("done_on"),
        visit.field("next_on"),
    )

    def work(tx: Transaction) -> None:
        desk.routines.finish(
            tx,
            file(tx).file_id,
            typed.name,
            typed.outcome,
            visit.actor,
            typed.note,
            done_on=_day(typed.done_on),
            next_on=_day(typed.next_on),
        )

    try:
        desk.database.run("routine_step", work)
    except StepError as error:
        return _checklist(visit, typed, error)
    seen = desk.database.view("console_checklist", lambda tx: _still_seen(visit, tx))
    if not seen:
        # The outcome made it the protected-identity role's alone.
        return visit.redirect("board", "step-protected")
    return visit.redirect("checklist", "step-done", file=file_id.hex())


def _still_seen(visit: Visit, tx: Transaction) -> bool:
    try:
        visit.desk.case_files.see(tx, file_id_of(visit), visit.actor)
    except NoSuchFileError:
        return False
    return True


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StepError("step.error.day") from None


@dataclass(frozen=True, slots=True)
class _FollowUp:
    due: Due
    file: CaseFile
    urgency: str


def follow_ups(visit: Visit) -> Response:
    desk, today = visit.desk, visit.desk.today()
    everything = visit.asked("all") == "1"

    def work(tx: Transaction) -> list[_FollowUp]:
        found: list[_FollowUp] = []
        counts_as = None if everything else CountsAs.FOLLOW_UP
        for due in desk.routines.due(tx, None, today + LOOK_AHEAD, counts_as):
            try:
                file = desk.case_files.see(tx, due.file_id, visit.actor)
            except NoSuchFileError:
                # Neither listed nor counted.
                continue
            found.append(_FollowUp(due, file, urgency(due.due_on, None, today)))
        return found

    assert sees(visit.actor, protected=False) or visit.actor.has(Role.PROTECTED)  # the page's roles
    lines = desk.database.view("console_follow_ups", work)
    late = sum(each.due.due_on < today for each in lines)
    return visit.show("routines/follow_ups.html", lines=lines, late=late, everything=everything)


def routines(visit: Visit) -> Response:
    return visit.show(
        "routines/routines.html", listed=visit.desk.routines.catalogue.all(), content="", flaws=None, max_note=MAX_NOTE
    )


def try_routine(visit: Visit) -> Response:
    """What is wrong with a routine that somebody wrote; nothing is kept of it."""
    content, catalogue = visit.field("content"), visit.desk.routines.catalogue
    found = [flaws.sentence(flaw, visit.language) for flaw in catalogue.flaws(content)]
    status = 422 if found else 200
    return visit.show(
        "routines/routines.html", status, listed=catalogue.all(), content=content, flaws=found, max_note=MAX_NOTE
    )


def routine(visit: Visit) -> Response:
    name, catalogue = visit.part("name"), visit.desk.routines.catalogue
    if name not in catalogue:
        raise NoSuchPageError
    listed = catalogue[name]
    version = listed.digest.hex()[:12]
    return visit.show(
        "routines/routine.html", listed=listed, routine=listed.routine, version=version, catalogue=catalogue
    )


def help_at_hand(visit: Visit) -> Response:
    directory = visit.desk.help
    kinds = [(kind, directory.of_kinds((kind,))) for kind in HelpKind]
    return visit.show(
        "routines/help.html",
        kinds=[(kind, entries) for kind, entries in kinds if entries],
        lacking=[kind for kind, entries in kinds if not entries],
        directory=directory,
        leaflets=visit.desk.leaflets.all(),
        printed=("barn", "familj") if visit.language == "sv" else ("child", "family"),
    )


def printed(visit: Visit) -> Response:
    """A page of its own, without the console's head: nothing on the child's paper tells where it is from."""
    what, language = _PRINTED.get(visit.part("what")), visit.part("tongue")
    if what is None or language not in visit.desk.leaflets:
        raise NoSuchPageError
    leaflet = visit.desk.leaflets[language]
    if what == "child":
        numbers = numbers_for_child(leaflet, visit.desk.help)
        return visit.show("routines/print_child.html", leaflet=leaflet, numbers=numbers)
    return visit.show("routines/print_family.html", leaflet=leaflet)


PAGES = (
    Page(
        "checklist",
        "arenden/{file}/checklista",
        "cases/{file}/checklist",
        checklist,
        READERS,
        act=take_step,
        act_roles=WORKERS,
    ),
    Page("follow_ups", "uppfoljningar", "follow-ups", follow_ups, READERS, menu=True),
    Page("help", "hjalp", "help", help_at_hand, EVERYBODY, menu=True),
    Page("routines", "rutiner", "routines", routines, EVERYBODY, act=try_routine, menu=True),
    Page("routine", "rutiner/{name}", "routines/{name}", routine, EVERYBODY),
    Page("printed", "utskrifter/{what}/{tongue}", "prints/{what}/{tongue}", printed, EVERYBODY),
)
