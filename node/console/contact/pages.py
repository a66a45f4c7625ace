"""The pages of contact: that of one case file, with its forms, and the list of all that waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from federation.rules.contact import ANSWER_DAYS
from node.casework.contact.model import MAX_TEXT_BYTES, Ground, Refused, RefusedError, WrittenMeanwhileError
from node.casework.files.filing import MayNotError, NoSuchFileError
from node.casework.files.showing import Shown
from node.console.case.visiting import case_visit, file_id_of
from node.console.page import READERS, WORKERS, Page
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction

CONTACT_ID_BYTES = 16


def show(visit: Visit) -> Response:
    return _page(visit)


def act(visit: Visit) -> Response:
    """Which form it was stands in `do`."""
    file_id = file_id_of(visit)
    try:
        said = _done(visit)
    except NoSuchFileError:
        raise NoSuchPageError from None
    except MayNotError:
        return _page(visit, 403)
    except RefusedError as error:
        return _page(visit, 400, flaw=error.why.value)
    except WrittenMeanwhileError:
        return _page(visit, 409, flaw="meanwhile")
    return visit.redirect("contact", said, file=file_id.hex())


def _done(visit: Visit) -> str:
    file_id, actor, contacting = file_id_of(visit), visit.actor, visit.desk.contacting
    match visit.field("do"):
        case "ask":
            if visit.field("ground") not in list(Ground):
                raise RefusedError(Refused.GROUND_MISSING)
            contacting.ask(file_id, Ground(visit.field("ground")), actor)
            return "contact-asked"
        case "accept":
            contacting.accept(file_id, _contact_id(visit), actor)
            return "contact-accepted"
        case "decline":
            contacting.decline(file_id, _contact_id(visit), actor)
            return "contact-declined"
        case "write":
            contacting.write(file_id, _contact_id(visit), visit.number("sequence"), visit.field("text"), actor)
            return "contact-written"
        case _:
            raise NoSuchPageError


def _contact_id(visit: Visit) -> bytes:
    try:
        found = bytes.fromhex(visit.field("contact"))
    except ValueError:
        raise NoSuchPageError from None
    if len(found) != CONTACT_ID_BYTES:
        raise NoSuchPageError
    return found


def _page(visit: Visit, status: int = 200, *, flaw: str = "") -> Response:
    shown = case_visit(visit)
    standing = visit.desk.database.view("console_contact", lambda tx: visit.desk.contacting.standing(tx, shown.file))
    return visit.show(
        "contact/contact.html",
        status,
        shown=shown,
        file=shown.file,
        standing=standing,
        flaw=flaw,
        typed={name: visit.field(name) for name in ("do", "contact", "ground", "text")},
        grounds=list(Ground),
        answer_days=ANSWER_DAYS,
        max_text=MAX_TEXT_BYTES,
        works=visit.actor.works_cases,
    )


def show_all(visit: Visit) -> Response:
    """What waits of contacts in all case files that the asker may see."""
    lines = visit.desk.database.view("console_contacts", lambda tx: visit.desk.contacting.lines(tx, visit.actor))
    return visit.show("contact/contacts.html", lines=lines)


def case_part(visit: Visit, tx: Transaction, shown: Shown) -> Mapping[str, Any] | None:
    """What `contact/case_part.html` puts on the page of a case file; nothing where there is nobody to contact."""
    standing = visit.desk.contacting.standing(tx, shown.file)
    if standing.refused in (Refused.NO_GAP, Refused.PROTECTED) and not standing.requests and not standing.contacts:
        return None
    return {"standing": standing, "answer_days": ANSWER_DAYS}


PAGES = (
    Page("contacts", "kontakter", "contacts", show_all, READERS, menu=True),
    Page("contact", "arenden/{file}/kontakt", "cases/{file}/contact", show, READERS, act=act, act_roles=WORKERS),
)
