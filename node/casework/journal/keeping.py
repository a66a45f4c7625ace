"""What people write into a journal: notes, corrections, attachments; and what they read of it.

Invariants
    - Nothing written is changed or removed: a correction is a new entry that names the one it corrects.
    - A note sent twice (the same form, twice) stands once: `form_id` names it.
    - An attachment's SHA-256 stands in the entry that tells of it, so that the chain holds it too.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from federation.clock import Clock
from federation.database import Database
from node.casework.actor import Actor
from node.casework.files.filing import CaseFiles, MayNotError
from node.casework.files.model import FileId
from node.casework.journal.model import MAX_NOTE, Entry, EntryKind, View
from node.store import Transaction
from node.store.attachments import Attachment, Attachments
from node.store.journal import Journal
from node.store.sealing import SealError

MAX_ATTACHMENT = 20 * 1024 * 1024
"""Bytes of one attachment: a scanned decision, a photograph."""
MAX_NAME = 200

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".txt": "text/plain",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".eml": "message/rfc822",
}
"""What can be attached, by the name's end; it is handed out as a download, never shown within a page."""


class JournalError(Exception):
    """What somebody wrote cannot be taken; `key` names the sentence `journal.error.<key>`, with its parameters."""

    def __init__(self, key: str, **parameters: object) -> None:
        super().__init__(key)
        self.key, self.parameters = key, parameters


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody attaches."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


class Keeping:
    """The journals of one node, for the people who keep them."""

    def __init__(
        self, database: Database, case_files: CaseFiles, journal: Journal, attachments: Attachments, clock: Clock
    ) -> None:
        self._database = database
        self._case_files = case_files
        self._journal = journal
        self._attachments = attachments
        self._clock = clock

    def note(self, file_id: FileId, text: str, actor: Actor, form_id: str = "") -> int:
        """Write a note; returns its position. Raises JournalError, NoSuchFileError, MayNotError."""
        return self._write(file_id, EntryKind.NOTE, {"text": _text(text)}, actor, form_id)

    def correct(self, file_id: FileId, position: int, text: str, actor: Actor, form_id: str = "") -> int:
        """Correct an entry of this case file by a new one, which names it."""
        return self._write(file_id, EntryKind.CORRECTION, {"text": _text(text), "corrects": position}, actor, form_id)

    def _write(self, file_id: FileId, kind: EntryKind, body: dict[str, object], actor: Actor, form_id: str) -> int:
        if not actor.works_cases:
            raise MayNotError

        def work(tx: Transaction) -> int:
            self._case_files.see(tx, file_id, actor)
            before = self._journal.of_form(tx, file_id, form_id, kind)
            if before is not None:
                return before.position
            corrected = body.get("corrects")
            if corrected is not None and all(
                entry.position != corrected for entry in self._journal.of_file(tx, file_id)
            ):
                raise JournalError("no-such-entry")
            told = {**body, "form": form_id} if form_id else body
            return self._journal.append(tx, file_id, actor, kind, told, self._clock.now())

        return self._database.run("journal_write", work)

    def attach(self, file_id: FileId, upload: Upload, text: str, actor: Actor, form_id: str = "") -> bytes:
        """Attach a file, sealed under the case file's key; returns its id. Raises as `note`."""
        if not actor.works_cases:
            raise MayNotError
        name = upload.name.replace("\\", "/").rpartition("/")[2].strip()[:MAX_NAME]
        end = "." + name.rpartition(".")[2].lower()
        if end not in MEDIA_TYPES:
            raise JournalError("media-type", known=", ".join(sorted(MEDIA_TYPES)))
        if not upload.content:
            raise JournalError("empty-file")
        if len(upload.content) > MAX_ATTACHMENT:
            raise JournalError("file-too-large", most=MAX_ATTACHMENT // (1024 * 1024))
        attachment = Attachment(secrets.token_bytes(16), file_id, name, MEDIA_TYPES[end], len(upload.content))
        body = {
            "name": name,
            "size": attachment.size,
            "sha256": hashlib.sha256(upload.content).hexdigest(),
            "attachment": attachment.attachment_id.hex(),
            "text": _text(text, needed=False),
            **({"form": form_id} if form_id else {}),
        }

        def work(tx: Transaction) -> bytes:
            self._case_files.see(tx, file_id, actor)
            before = self._journal.of_form(tx, file_id, form_id, EntryKind.ATTACHMENT)
            if before is not None and before.body is not None:
                return bytes.fromhex(before.body["attachment"])
            self._attachments.add(tx, attachment, upload.content)
            self._journal.append(tx, file_id, actor, EntryKind.ATTACHMENT, body, self._clock.now())
            return attachment.attachment_id

        return self._database.run("journal_attach", work)

    def fetch(self, file_id: FileId, attachment_id: bytes, actor: Actor) -> tuple[Attachment, bytes] | None:
        """An attachment with its content; None where there is none of that id in this case file.

        JournalError where somebody changed it in the store.
        """

        def work(tx: Transaction) -> tuple[Attachment, bytes] | None:
            self._case_files.see(tx, file_id, actor)
            try:
                found = self._attachments.load(tx, attachment_id)
            except SealError:
                raise JournalError("attachment-damaged") from None
            if found is None or found[0].file_id != file_id:
                return None
            self._journal.viewed(tx, file_id, actor, "attachment", self._clock.now())
            return found

        return self._database.run("journal_fetch", work)

    def attached(self, tx: Transaction, file_id: FileId) -> tuple[Attachment, ...]:
        """The attachments of a case file, without their contents; none of one that was shredded."""
        return self._attachments.of_file(tx, file_id)

    def entries(self, tx: Transaction, file_id: FileId) -> tuple[Entry, ...]:
        """The entries of a case file, oldest first."""
        return self._journal.of_file(tx, file_id)

    def views(self, tx: Transaction, file_id: FileId) -> tuple[View, ...]:
        """Who looked at a case file, newest first."""
        return self._journal.views_of(tx, file_id)


def _text(text: str, *, needed: bool = True) -> str:
    stripped = text.strip()
    if needed and not stripped:
        raise JournalError("empty")
    if len(stripped) > MAX_NOTE:
        raise JournalError("too-long", length=len(stripped), most=MAX_NOTE)
    return stripped
