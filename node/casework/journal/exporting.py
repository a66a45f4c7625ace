"""One case file as a whole, for the authority that takes over: a document to read, or JSON with its attachments.

That it was handed out, to whom and by whom, stands in the journal before anything of it is given away.
"""

from __future__ import annotations

import base64
import enum
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from federation.clock import Clock
from federation.database import Database
from federation.web.i18n import Texts
from node.casework.actor import Actor
from node.casework.files.filing import MayNotError, NoSuchFileError
from node.casework.files.model import FileId
from node.casework.files.showing import Showing, Shown
from node.casework.journal.document import Section, pdf
from node.casework.journal.keeping import JournalError
from node.casework.journal.model import Entry, EntryKind
from node.casework.journal.telling import lines
from node.store import Transaction
from node.store.attachments import Attachment, Attachments
from node.store.files import Files
from node.store.journal import Journal
from node.store.sealing import SealError

FORMAT = "upprop-case-file/1"
MAX_TO = 200


class Form(enum.StrEnum):
    """What is made of it."""

    PDF = "pdf"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Exported:
    """A case file that was handed out. `reference` names its file."""

    reference: str
    form: Form
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Whole:
    """`contents` by attachment; None for one that somebody touched, so that it does not open."""

    shown: Shown
    entries: tuple[Entry, ...]
    attached: tuple[tuple[Attachment, bytes | None], ...]


class HandingOut:
    """Hands case files of one node out: on paper with the times of `zone`, as data in UTC."""

    def __init__(
        self,
        database: Database,
        showing: Showing,
        files: Files,
        journal: Journal,
        attachments: Attachments,
        clock: Clock,
        member: Callable[[], str],
        zone: Callable[[], tzinfo],
    ) -> None:
        self._database, self._showing, self._files = database, showing, files
        self._journal, self._attachments = journal, attachments
        self._clock, self._member, self._zone = clock, member, zone

    def hand_out(self, file_id: FileId, form: Form, to: str, actor: Actor, words: Texts) -> Exported:
        """Raises JournalError (to nobody), MayNotError, NoSuchFileError."""
        if not actor.works_cases:
            raise MayNotError
        if not to.strip():
            raise JournalError("to-nobody")
        body = {"text": to.strip()[:MAX_TO], "as": form.value}

        def work(tx: Transaction) -> _Whole:
            shown = self._showing.one(tx, file_id, actor)
            self._journal.viewed(tx, file_id, actor, "export", self._clock.now())
            self._journal.append(tx, file_id, actor, EntryKind.EXPORTED, body, self._clock.now())
            attached = self._attachments.of_file(tx, file_id) if form is Form.JSON else ()
            whole = tuple((each, self._content(tx, each)) for each in attached)
            return _Whole(shown, self._journal.of_file(tx, file_id), whole)

        # Written first: a document that nobody gets is better than one of which nobody knows.
        whole = self._database.run("journal_export", work)
        content = self._pdf(whole, actor, words) if form is Form.PDF else self._json(whole, actor)
        return Exported(whole.shown.file.reference, form, content)

    def references(self, file_ids: Iterable[FileId | None]) -> dict[FileId, str]:
        """What people call these case files by; those that are none are left out."""
        asked = {file_id for file_id in file_ids if file_id is not None}
        return self._database.view("journal_references", lambda tx: self._files.references(tx, asked))

    def by_reference(self, reference: str) -> FileId:
        """The case file of that reference. Raises NoSuchFileError."""
        found = self._database.view("journal_reference", lambda tx: self._files.by_reference(tx, reference))
        if found is None:
            raise NoSuchFileError
        return found

    def _content(self, tx: Transaction, attachment: Attachment) -> bytes | None:
        try:
            found = self._attachments.load(tx, attachment.attachment_id)
        except SealError:
            return None
        return None if found is None else found[1]

    # -- forms ------------------------------------------------------------------------------------------------------

    def _json(self, whole: _Whole, actor: Actor) -> bytes:
        """Dates as ISO 8601, codes as in the manual. `journal` is whole and in its order."""
        file, identity, gap = whole.shown.file, whole.shown.identity, whole.shown.gap
        document: dict[str, Any] = {
            "format": FORMAT,
            "member": self._member(),
            "exported_at": self._clock.now().astimezone(UTC).isoformat(),
            "exported_by": actor.name,
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
            "opened_on": file.opened_on,
            "protected": file.protected,
            "status": file.status.value,
            "status_since": file.status_since,
            "suspended_until": file.suspended_until,
            "outcome": file.outcome,
            "classification": file.classification.value,
            "absence": file.absence.value,
            "absence_why": file.absence_why,
            "responsible": {"role": file.responsible.role.value, "name": file.responsible.name},
            "gap": None
            if gap is None
            else {
                "kind": gap.opening.kind.value,
                "since": gap.opening.since,
                "state": gap.state.value,
                "state_since": gap.state_since,
            },
            "journal": [
                {
                    "position": entry.position,
                    "written_at": entry.written_at.astimezone(UTC).isoformat(),
                    "by": entry.author,
                    "kind": entry.kind.value,
                    "body": entry.body,
                    "damaged": entry.damaged,
                }
                for entry in whole.entries
            ],
            "attachments": [
                {
                    "id": each.attachment_id.hex(),
                    "name": each.name,
                    "media_type": each.media_type,
                    "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
                    "content_base64": None if content is None else base64.b64encode(content).decode("ascii"),
                }
                for each, content in whole.attached
            ],
        }
        return msgspec.json.format(msgspec.json.encode(document), indent=2)

    def _pdf(self, whole: _Whole, actor: Actor, words: Texts) -> bytes:
        file, identity, gap = whole.shown.file, whole.shown.identity, whole.shown.gap
        facts = [
            (words("case.number"), "" if identity is None or identity.number is None else identity.number.number),
            (words("case.opened"), file.opened_on.isoformat()),
            (words("case.status.heading"), words(f"status.{file.status}")),
            (words("case.status.outcome"), "" if file.outcome is None else words(f"outcome.{file.outcome}")),
            (words("case.classify.label"), words(f"classification.{file.classification}")),
            (words("case.absence.heading"), f"{words(f'absence.{file.absence}')} {file.absence_why}".strip()),
            (words("case.responsible"), file.responsible.name or words(f"role.{file.responsible.role}")),
            (words("case.since"), "" if gap is None else gap.opening.since.isoformat()),
            (words("case.state"), "" if gap is None else words(f"gap.{gap.state}")),
        ]
        if file.protected:
            facts.insert(0, (words("case.protected"), words("journal.export.protected")))
        name = words("case.no-name") if identity is None else identity.called
        sections = [Section(name, [(f"{label}:", value) for label, value in facts if value])]
        for entry in whole.entries:
            kind = words(f"journal.kind.{entry.kind}")
            written_at = entry.written_at.astimezone(self._zone())
            head = f"{entry.position}. {written_at:%Y-%m-%d %H:%M %Z} – {entry.author or ''} – {kind}"
            told = lines(entry, words)
            sections.append(
                Section(
                    head,
                    [(f"{label}:", value) for label, value in told if label],
                    [value for label, value in told if not label],
                )
            )
        title = words("case.title", reference=file.reference)
        foot = words("journal.foot", reference=file.reference, day=self._clock.today(), by=actor.name)
        return pdf(f"{title} – {self._member()}", sections, foot, words.language.value)
