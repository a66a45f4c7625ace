"""The pages of holds. Whom a person may not see is neither listed nor told apart from nobody."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import Response

from federation.errors import Code, UppropError
from node.casework.actor import Role
from node.casework.files.model import CaseFile
from node.casework.files.showing import Shown
from node.casework.holds.holding import DECIDERS, is_made
from node.casework.holds.model import HOLD_ID_BYTES, Asked, Hold, HoldError, HoldId, HoldState
from node.console.page import Page
from node.console.visit import NoSuchPageError, Visit
from node.model import Reason
from node.store import Transaction
from node.store.pupils import Pupil

SEERS = frozenset({Role.CASEWORKER, Role.PROTECTED, Role.PRINCIPAL, Role.AUDITOR})


def show(visit: Visit) -> Response:
    return _list(visit)


def ask(visit: Visit) -> Response:
    try:
        form = bytes.fromhex(visit.field("form") or "-")
    except ValueError:
        form = b""
    try:
        visit.desk.holding.ask(
            visit.field("person"),
            Asked(
                # The form's own id: sent twice, it is one request.
                HoldId(form if len(form) == HOLD_ID_BYTES else secrets.token_bytes(HOLD_ID_BYTES)),
                _day(visit.field("last_day")),
                _reason(visit.field("reason")),
                visit.field("responsible"),
                note=visit.field("note"),
                unit=visit.field("unit"),
            ),
            visit.actor,
        )
    except HoldError as error:
        return _list(visit, 400, error.key)
    except UppropError as error:
        if error.code is not Code.BATCH_REUSED:
            raise
        # Sent before with other content, as by going back: shown again with an id of its own, nothing typed is lost.
        return _list(visit, 400, "sent-before")
    return visit.redirect("holds", "hold-asked")


def _list(visit: Visit, status: int = 200, flaw: str = "") -> Response:
    def work(tx: Transaction) -> tuple[tuple[tuple[Hold, Pupil], ...], dict[str, str]]:
        return visit.desk.holding.listed(tx, visit.actor), visit.desk.holding.units(tx)

    listed, units = visit.desk.database.view("console_holds", work)
    if visit.actor.by_units:
        units = {unit: name for unit, name in units.items() if unit in visit.actor.units}
    return visit.show(
        "holds/holds.html",
        status,
        listed=sorted(listed, key=lambda each: (each[0].state is not HoldState.HELD, each[0].asked.last_day)),
        made={hold.asked.hold_id for hold, pupil in listed if is_made(hold, pupil, visit.desk.today())},
        decides=visit.actor.has(*DECIDERS),
        reasons=list(Reason),
        units=units,
        flaw=flaw,
        form=secrets.token_hex(HOLD_ID_BYTES),
        typed={name: visit.field(name) for name in ("person", "last_day", "unit", "reason", "responsible", "note")},
    )


def show_one(visit: Visit) -> Response:
    return _one(visit)


def decide(visit: Visit) -> Response:
    hold, _ = _found(visit)
    try:
        if visit.field("do") == "cancel":
            visit.desk.holding.cancel(hold.asked.hold_id, visit.actor, visit.field("why"))
            return visit.redirect("holds", "hold-cancelled")
        if visit.field("do") == "duty":
            visit.desk.holding.end_duty(
                hold.asked.hold_id,
                visit.actor,
                begins=_day(visit.field("begins")),
                review=_day(visit.field("review")),
                why=visit.field("why"),
            )
            return visit.redirect("holds", "hold-decided")
        visit.desk.holding.override(hold.asked.hold_id, visit.actor, visit.field("why"))
    except HoldError as error:
        return _one(visit, 400, error.key)
    return visit.redirect("holds", "hold-decided")


def _one(visit: Visit, status: int = 200, flaw: str = "") -> Response:
    hold, pupil = _found(visit)
    desk = visit.desk

    def work(tx: Transaction) -> tuple[dict[str, str], CaseFile | None]:
        file = desk.holding.open_file(tx, hold, visit.actor)
        if file is not None:
            # What stands here stands on the page of the case file too.
            desk.journal.viewed(tx, file.file_id, visit.actor, visit.page, desk.now())
        return desk.holding.units(tx), file

    units, file = desk.database.run("console_hold", work)
    return visit.show(
        "holds/hold.html",
        status,
        hold=hold,
        pupil=pupil,
        file=file,
        made=is_made(hold, pupil, desk.today()),
        decides=visit.actor.has(*DECIDERS),
        unit=units.get(hold.asked.unit, hold.asked.unit),
        flaw=flaw,
        typed={name: visit.field(name) for name in ("do", "why", "begins", "review")},
    )


def part(visit: Visit, tx: Transaction, shown: Shown) -> Mapping[str, Any] | None:
    """On the page of a case file: the withdrawal that waits, or was let go and is not made."""
    if shown.file.pupil_id is None:
        return None
    hold = visit.desk.holding.unsettled(tx, shown.file.pupil_id)
    return None if hold is None else {"hold": hold, "decides": visit.actor.has(*DECIDERS)}


def _found(visit: Visit) -> tuple[Hold, Pupil]:
    """The hold of the address. Raises NoSuchPageError where there is none for this person."""
    listed = visit.desk.database.view("console_holds", lambda tx: visit.desk.holding.listed(tx, visit.actor))
    for hold, pupil in listed:
        if hold.asked.hold_id.hex() == visit.part("hold"):
            return hold, pupil
    raise NoSuchPageError


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HoldError("date") from None


def _reason(text: str) -> Reason:
    try:
        return Reason(text)
    except ValueError:
        raise HoldError("reason") from None


PAGES = (
    Page("holds", "sparrar", "holds", show, SEERS, act=ask, act_roles=DECIDERS, menu=True),
    Page("hold", "sparrar/{hold}", "holds/{hold}", show_one, SEERS, act=decide, act_roles=DECIDERS),
)
