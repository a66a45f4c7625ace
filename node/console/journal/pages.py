"""The journal's part of a case file's page, and its own: attachments, export, the log of views.

Nothing attached is ever shown within a page: it is handed out as a download.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from node.casework.actor import Role
from node.casework.files.filing import MayNotError, NoSuchFileError
from node.casework.files.showing import Shown
from node.casework.journal.exporting import Form
from node.casework.journal.keeping import MAX_ATTACHMENT, MEDIA_TYPES, JournalError, Upload
from node.casework.journal.model import MAX_NOTE
from node.casework.journal.telling import lines
from node.console.case.visiting import case_visit, file_id_of
from node.console.page import READERS, WORKERS, Page
from node.console.visit import NoSuchPageError, Visit
from node.store import Transaction

_DOWNLOAD = {"Cache-Control": "no-store", "Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}


def part(visit: Visit, tx: Transaction, shown: Shown) -> Mapping[str, Any]:
    """The journal on the page of a case file."""
    entries = visit.desk.keeping.entries(tx, shown.file.file_id)
    corrected = {entry.body.get("corrects") for entry in entries if entry.body is not None}
    return {
        "entries": [(entry, lines(entry, visit.words), entry.position in corrected) for entry in reversed(entries)],
        "flaws": visit.desk.journal.flaws_of(tx, shown.file.file_id),
        "file": shown.file,
        "works": visit.actor.works_cases,
    }


def show(visit: Visit) -> Response:
    return _page(visit)


def act(visit: Visit) -> Response:
    """Which form it was stands in `do`."""
    file_id, keeping = file_id_of(visit), visit.desk.keeping
    try:
        match visit.field("do"):
            case "note":
                keeping.note(file_id, visit.field("text"), visit.actor, visit.field("form"))
            case "correct":
                position = visit.number("corrects")
                keeping.correct(file_id, position, visit.field("text"), visit.actor, visit.field("form"))
            case "attach":
                keeping.attach(file_id, _upload(visit), visit.field("text"), visit.actor, visit.field("form"))
            case _:
                return _page(visit, 400)
    except NoSuchFileError:
        raise NoSuchPageError from None
    except MayNotError:
        return _page(visit, 403)
    except JournalError as error:
        return _page(visit, 400, error)
    return visit.redirect("journal", "journal-written", file=file_id.hex())


def _upload(visit: Visit) -> Upload:
    upload = visit.upload("file")
    if upload is None:
        raise JournalError("no-file")
    # One byte more than there may be tells that it is too large.
    return Upload(upload.filename or "", upload.file.read(MAX_ATTACHMENT + 1))


def _page(visit: Visit, status: int = 200, flaw: JournalError | None = None) -> Response:
    shown = case_visit(visit)
    values = visit.desk.database.view("console_journal", lambda tx: part(visit, tx, shown))
    return visit.show(
        "journal/journal.html",
        status,
        shown=shown,
        **values,
        flaw=None if flaw is None else visit.words(f"journal.error.{flaw.key}", **flaw.parameters),
        typed={name: visit.field(name) for name in ("do", "text", "corrects")},
        corrects=visit.asked("corrects") or visit.field("corrects"),
        form=visit.field("form") or secrets.token_hex(16),
        most=MAX_NOTE,
        media_types=",".join(sorted(MEDIA_TYPES)),
    )


def download(visit: Visit) -> Response:
    """One attachment."""
    file_id = file_id_of(visit)
    try:
        attachment_id = bytes.fromhex(visit.part("attachment"))
        found = visit.desk.keeping.fetch(file_id, attachment_id, visit.actor)
    except (ValueError, NoSuchFileError):
        raise NoSuchPageError from None
    except JournalError as error:
        return _page(visit, 409, error)
    if found is None:
        raise NoSuchPageError
    attachment, content = found
    # The name may hold anything: the header gets the file's end alone.
    end = "".join(each for each in attachment.name.rpartition(".")[2].lower() if each.isalnum())[:8]
    headers = {
        "Content-Disposition": f'attachment; filename="bilaga-{visit.part("attachment")[:8]}.{end}"',
        **_DOWNLOAD,
    }
    return Response(content, media_type=attachment.media_type, headers=headers)


def views(visit: Visit) -> Response:
    """Who looked at the case file."""
    shown = case_visit(visit)
    found = visit.desk.database.view("console_views", lambda tx: visit.desk.keeping.views(tx, shown.file.file_id))
    return visit.show("journal/views.html", shown=shown, file=shown.file, views=found)


def export(visit: Visit) -> Response:
    """The form that asks to whom it is handed out."""
    shown = case_visit(visit)
    return visit.show("journal/export.html", shown=shown, file=shown.file, flaw=False)


def hand_out(visit: Visit) -> Response:
    """The whole case file as a document or as JSON; that it was handed out stands in it."""
    file_id, form = file_id_of(visit), visit.field("as")
    if not visit.field("to") or form not in list(Form):
        shown = case_visit(visit)
        return visit.show("journal/export.html", 400, shown=shown, file=shown.file, flaw=True)
    try:
        made = visit.desk.handing_out.hand_out(file_id, Form(form), visit.field("to"), visit.actor, visit.words)
    except NoSuchFileError:
        raise NoSuchPageError from None
    headers = {"Content-Disposition": f'attachment; filename="{made.reference}.{made.form}"', **_DOWNLOAD}
    return Response(made.content, media_type=f"application/{made.form}", headers=headers)


_AUDITED = frozenset({Role.AUDITOR, *WORKERS})

PAGES = (
    Page("journal", "arenden/{file}/journal", "cases/{file}/journal", show, READERS, act=act, act_roles=WORKERS),
    Page(
        "attachment", "arenden/{file}/bilagor/{attachment}", "cases/{file}/attachments/{attachment}", download, READERS
    ),
    Page("views", "arenden/{file}/visningar", "cases/{file}/views", views, _AUDITED),
    Page("export", "arenden/{file}/utlamna", "cases/{file}/export", export, WORKERS, act=hand_out),
)
