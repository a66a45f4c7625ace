"""The page of a case file and its forms. Each form bears the revision that was seen."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from starlette.responses import Response

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.files import rules
from node.casework.files.filing import ChangedMeanwhileError, Handed, MayNotError, NoSuchFileError
from node.casework.files.model import Absence, CaseFile, Classification, Responsible
from node.casework.files.rules import RefusedError
from node.casework.journal.telling import lines
from node.console.case.parts import PARTS
from node.console.case.visiting import case_visit, file_id_of
from node.console.page import READERS, WORKERS, Page
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction

E = TypeVar("E", bound=enum.StrEnum)


class _FormError(Exception):
    """A field that cannot be read; `why` is the key of its sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def show(visit: Visit) -> Response:
    return _page(visit)


def act(visit: Visit) -> Response:
    """Which form it was stands in `do`."""
    file_id = file_id_of(visit)
    try:
        changed = _change(visit)
    except NoSuchFileError:
        raise NoSuchPageError from None
    except MayNotError:
        return _page(visit, 403)
    except ChangedMeanwhileError as error:
        return _page(visit, 409, meanwhile=error)
    except RefusedError as error:
        return _page(visit, 400, flaw=error.why.value)
    except _FormError as error:
        return _page(visit, 400, flaw=error.why)
    return visit.redirect("case", "case-saved", file=changed.file_id.hex() or file_id.hex())


def _change(visit: Visit) -> CaseFile:
    file_id, actor, case_files = file_id_of(visit), visit.actor, visit.desk.case_files
    revision = visit.number("revision")
    match visit.field("do"):
        case "status":
            outcome = visit.field("outcome")
            return case_files.set_status(
                file_id,
                revision,
                _chosen(CaseStatus, visit.field("status")),
                actor,
                why=visit.field("why"),
                until=_day(visit.field("until")),
                outcome=_chosen(CaseOutcome, outcome) if outcome else None,
            )
        case "classify":
            chosen = _chosen(Classification, visit.field("classification"))
            return case_files.classify(file_id, revision, chosen, actor, why=visit.field("why"))
        case "absence":
            absence = _chosen(Absence, visit.field("absence"))
            return case_files.decide_absence(file_id, revision, absence, actor, why=visit.field("why"))
        case "take":
            return case_files.hand(file_id, revision, Handed.TAKEN, actor)
        case "give-back":
            return case_files.hand(file_id, revision, Handed.BACK, actor)
        case "assign":
            return case_files.assign(file_id, revision, visit.field("to"), actor)
        case _:
            raise _FormError("choice")


def _page(
    visit: Visit, status: int = 200, *, flaw: str = "", meanwhile: ChangedMeanwhileError | None = None
) -> Response:
    shown = case_visit(visit)

    def read(tx: Transaction) -> tuple[list[tuple[str, str, object]], Sequence[Responsible]]:
        found = ((part, part.values(visit, tx, shown)) for part in PARTS)
        told: list[tuple[str, str, object]] = [
            (part.name, part.template, values) for part, values in found if values is not None
        ]
        works = visit.actor.works_cases
        return told, visit.desk.case_files.colleagues(tx, shown.file, visit.actor) if works else ()

    parts, colleagues = visit.desk.database.view("console_case_parts", read)
    return visit.show(
        "case/case.html",
        status,
        shown=shown,
        file=shown.file,
        parts=parts,
        colleagues=colleagues,
        flaw=flaw,
        meanwhile=[] if meanwhile is None else [(entry, lines(entry, visit.words)) for entry in meanwhile.since],
        typed={
            name: visit.field(name) for name in ("do", "status", "why", "until", "outcome", "classification", "absence")
        },
        next_statuses=rules.next_statuses(shown.file),
        outcomes=list(CaseOutcome),
        classifications=list(Classification),
        absences=list(Absence),
        works=visit.actor.works_cases,
    )


def _chosen(choices: type[E], text: str) -> E:
    try:
        return choices(text)
    except ValueError:
        raise _FormError("choice") from None


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _FormError("date") from None


PAGES = (Page("case", "arenden/{file}", "cases/{file}", show, READERS, act=act, act_roles=WORKERS),)
