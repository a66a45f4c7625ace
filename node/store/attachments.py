"""The aggregate "attachment": a file in a journal, sealed under the key of its case file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from node.casework.files.model import FileId
from node.store.case_keys import CaseKeys, CaseShreddedError
from node.store.schema_journal import attachments


@dataclass(frozen=True, slots=True)
class Attachment:
    """`size` in bytes."""

    attachment_id: bytes
    file_id: FileId = field(repr=False)
    name: str = field(repr=False)
    media_type: str
    size: int


class Attachments:
    """Every method works on the connection of the caller's transaction."""

    def __init__(self, keys: CaseKeys) -> None:
        self._keys = keys

    def add(self, tx: Connection, attachment: Attachment, content: bytes) -> None:
        row, file_id = attachment.attachment_id, attachment.file_id
        named = msgspec.json.encode({"name": attachment.name, "media_type": attachment.media_type})
        tx.execute(
            insert(attachments).values(
                attachment_id=row,
                file_id=file_id,
                sealed_name=self._keys.seal(file_id, "attachments", row, "sealed_name", named),
                sealed_content=self._keys.seal(file_id, "attachments", row, "sealed_content", content),
                size=attachment.size,
            )
        )

    def load(self, tx: Connection, attachment_id: bytes) -> tuple[Attachment, bytes] | None:
        """The attachment with its content; None where there is none, or it was shredded."""
        row = tx.execute(select(attachments).where(attachments.c.attachment_id == attachment_id)).one_or_none()
        if row is None or row.sealed_content is None:
            return None
        try:
            content = self._keys.open(
                FileId(row.file_id), "attachments", row.attachment_id, "sealed_content", row.sealed_content
            )
            return self._named(row), content
        except CaseShreddedError:
            return None

    def of_file(self, tx: Connection, file_id: FileId) -> tuple[Attachment, ...]:
        """Without their contents; none of a case file that was shredded."""
        columns = [column for column in attachments.c if column.name != "sealed_content"]
        query = select(*columns).where(attachments.c.file_id == file_id, attachments.c.sealed_name.is_not(None))
        try:
            return tuple(self._named(row) for row in tx.execute(query.order_by(attachments.c.attachment_id)))
        except CaseShreddedError:
            return ()

    def _named(self, row: Any) -> Attachment:
        plain = self._keys.open(FileId(row.file_id), "attachments", row.attachment_id, "sealed_name", row.sealed_name)
        told = msgspec.json.decode(plain)
        return Attachment(row.attachment_id, FileId(row.file_id), told["name"], told["media_type"], row.size)
