"""One case file as a whole, for the authority that takes over: a document to read, or JSON with its attachments."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from node.casework.files.showing import Shown
from node.casework.journal.model import Entry, EntryKind
from node.console.journal.document import Section, pdf
from node.console.journal.telling import lines
from node.console.visit import Visit
from node.store import Transaction

FORMAT = "upprop-case-file/1"


def gathered(visit: Visit, tx: Transaction, shown: Shown) -> tuple[tuple[Entry, ...], list[dict[str, Any]]]:
    """The entries and the attachments, with their contents."""
    keeping, file_id = visit.desk.keeping, shown.file.file_id
    attached = []
    for attachment in keeping.attached(tx, file_id):
        content = keeping.content(tx, attachment)
        attached.append(
            {
                "name": attachment.name,
                "media_type": attachment.media_type,
                "sha256": hashlib.sha256(content).hexdigest(),
                "content_base64": base64.b64encode(content).decode("ascii"),
            }
        )
    return keeping.entries(tx, file_id), attached


def as_json(visit: Visit, shown: Shown, entries: tuple[Entry, ...], attached: list[dict[str, Any]]) -> bytes:
    """Dates as ISO 8601; codes as in the manual. `journal` is whole and in its order."""
    file, identity, gap = shown.file, shown.identity, shown.gap
    document: Mapping[str, Any] = {
        "format": FORMAT,
        "member": visit.desk.member_name,
        "exported_at": visit.desk.now().isoformat(),
        "exported_by": visit.actor.name,
        "reference": file.reference,
        "pupil": None
        if identity is None
        else {
            "name": identity.name,
            "number": None if identity.number is None else identity.number.number,
            "earlier_numbers": [number.number for number in identity.numbers[:-1]],
            "birth_date": identity.birth_date,
        },
        "opened_for": file.opened_for.value,
        "opened_on": file.opened_on.isoformat(),
        "protected": file.protected,
        "status": file.status.value,
        "status_since": file.status_since.isoformat(),
        "suspended_until": None if file.suspended_until is None else file.suspended_until.isoformat(),
        "outcome": None if file.outcome is None else file.outcome.value,
        "classification": file.classification.value,
        "absence": file.absence.value,
        "absence_why": file.absence_why,
        "responsible": {"role": file.responsible.role.value, "name": file.responsible.name},
        "gap": None
        if gap is None
        else {
            "kind": gap.opening.kind.value,
            "since": gap.opening.since.isoformat(),
            "state": gap.state.value,
            "state_since": gap.state_since.isoformat(),
        },
        "journal": [
            {
                "position": entry.position,
                "written_at": entry.written_at.isoformat(),
                "by": entry.author,
                "kind": entry.kind.value,
                "body": entry.body,
            }
            for entry in entries
        ],
        "attachments": attached,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def as_pdf(visit: Visit, shown: Shown, entries: tuple[Entry, ...], attached: list[dict[str, Any]]) -> bytes:
    words, file, identity = visit.words, shown.file, shown.identity
    facts = [
        (words("case.number"), "" if identity is None or identity.number is None else identity.number.number),
        (words("case.opened"), file.opened_on.isoformat()),
        (words("case.status.heading"), words(f"status.{file.status}")),
        (words("case.status.outcome"), "" if file.outcome is None else words(f"outcome.{file.outcome}")),
        (words("case.classify.label"), words(f"classification.{file.classification}")),
        (words("case.absence.heading"), f"{words(f'absence.{file.absence}')} {file.absence_why}".strip()),
        (words("case.responsible"), file.responsible.name or words(f"role.{file.responsible.role}")),
    ]
    if shown.gap is not None:
        facts.append((words("case.since"), shown.gap.opening.since.isoformat()))
    name = words("case.no-name") if identity is None else identity.name
    sections = [Section(name, [(f"{label}:", value) for label, value in facts if value])]
    for entry in entries:
        kind = words(f"journal.kind.{entry.kind}")
        head = f"{entry.position}. {entry.written_at:%Y-%m-%d %H:%M} UTC – {entry.author or ''} – {kind}"
        told = lines(entry, words)
        sections.append(
            Section(
                head,
                [(f"{label}:", value) for label, value in told if label],
                [value for label, value in told if not label],
            )
        )
    if attached:
        sections.append(
            Section(words("journal.attachments"), [(each["name"], f"SHA-256 {each['sha256']}") for each in attached])
        )
    title = words("case.title", reference=file.reference)
    foot = words("journal.foot", reference=file.reference, day=visit.desk.today(), by=visit.actor.name)
    return pdf(f"{title} – {visit.desk.member_name}", sections, foot, visit.language.value)


def note(visit: Visit, tx: Transaction, shown: Shown, form: str) -> None:
    """That it was handed out, and to whom, stands in the journal."""
    body = {"text": visit.field("to"), "as": form}
    visit.desk.journal.append(tx, shown.file.file_id, visit.actor, EntryKind.EXPORTED, body, visit.desk.now())
