"""The aggregates "duty" and "mail".

State of a mail: WAITING → SENT (a mail server took it) | DROPPED (nobody stands in the second place). Moved by
`node.casework.mailing.sending` alone. Names and addresses of those on duty are sealed; of whom a mail was sent to
nothing is kept.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from node.casework.actor import Role
from node.casework.files.model import CaseFile, FileId
from node.casework.mailing.model import FIRST, SECOND, Duty, Mail, Occasion
from node.store.bulk import chunks
from node.store.schema_journal import file_views
from node.store.schema_mailing import duties, mails
from node.store.sealing import Sealer

ROWS = 500


class MailState(enum.StrEnum):
    WAITING = "WAITING"
    SENT = "SENT"
    DROPPED = "DROPPED"


class _Person(msgspec.Struct, frozen=True):
    name: str
    address: str


class Duties:
    """Who is on duty. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def add(
        self, tx: Connection, role: Role, place: int, from_on: date, until_on: date | None, *, name: str, address: str
    ) -> None:
        """One that says the same as one that stands is that one: a form sent twice."""
        said = (role, place, from_on, until_on, name, address)
        for each in self.all(tx, from_on):
            if (each.role, each.place, each.from_on, each.until_on, each.name, each.address) == said:
                return
        row = {"role": role.value, "place": place, "from_on": from_on, "until_on": until_on, "sealed_content": b""}
        duty_id: int = tx.execute(insert(duties).values(row).returning(duties.c.duty_id)).scalar_one()
        sealed = self._sealer.seal(
            "duties", _row_id(duty_id), "sealed_content", msgspec.json.encode(_Person(name, address))
        )
        tx.execute(update(duties).where(duties.c.duty_id == duty_id).values(sealed_content=sealed))

    def end(self, tx: Connection, duty_id: int) -> None:
        """Take a duty away. One that is gone stays so."""
        tx.execute(delete(duties).where(duties.c.duty_id == duty_id))

    def all(self, tx: Connection, since: date) -> tuple[Duty, ...]:
        """Those that stand or will stand on a day, by role and place, in the order of their beginning."""
        query = select(duties).where(or_(duties.c.until_on.is_(None), duties.c.until_on >= since))
        rows = tx.execute(query.order_by(duties.c.role, duties.c.place, duties.c.from_on, duties.c.duty_id))
        return tuple(self._opened(row) for row in rows)

    def _opened(self, row: Any) -> Duty:
        plain = self._sealer.open("duties", _row_id(row.duty_id), "sealed_content", row.sealed_content)
        person = msgspec.json.decode(plain, type=_Person)
        return Duty(row.duty_id, Role(row.role), row.place, row.from_on, row.until_on, person.name, person.address)


class Mails:
    """What is to be sent. Every method works on the connection of the caller's transaction."""

    # -- making -----------------------------------------------------------------------------------------------------

    def add(
        self, tx: Connection, occasion: Occasion, key: str, role: Role, at: datetime, file: CaseFile | None = None
    ) -> bool:
        """A mail to the first on duty. The same occasion, by its key, is mailed once; whether it is a new one."""
        if file is None:
            return self._add(tx, occasion, key, role, FIRST, at, None, "")
        return self._add(tx, occasion, key, role, FIRST, at, file.file_id, file.reference)

    def unmade(self, tx: Connection, occasion: Occasion, keys: Iterable[str]) -> frozenset[str]:
        """Those of the keys under which no mail was made."""
        wanted = set(keys)
        for chunk in chunks(sorted(wanted)):
            query = select(mails.c.occasion_key).where(
                mails.c.occasion == occasion.value, mails.c.occasion_key.in_(chunk)
            )
            wanted -= set(tx.scalars(query))
        return frozenset(wanted)

    def add_seconds(self, tx: Connection, before: datetime, at: datetime) -> int:
        """To the second on duty, of mails sent before an instant whose case file nobody has looked at since.

        Of those who work case files: an auditor's look helps nobody.
        """
        told = mails.alias("told")
        looked = select(file_views.c.view_id).where(
            file_views.c.file_id == mails.c.file_id,
            file_views.c.viewed_at >= mails.c.made_at,
            file_views.c.works_cases,
        )
        second = select(told.c.mail_id).where(
            told.c.occasion == mails.c.occasion,
            told.c.occasion_key == mails.c.occasion_key,
            told.c.place == SECOND,
        )
        query = select(mails).where(
            mails.c.state == MailState.SENT.value,
            mails.c.place == FIRST,
            mails.c.file_id.is_not(None),
            mails.c.ended_at <= before,
            ~looked.exists(),
            ~second.exists(),
        )
        found = tx.execute(query.order_by(mails.c.made_at).limit(ROWS)).all()
        for row in found:
            self._add(
                tx,
                Occasion(row.occasion),
                row.occasion_key,
                Role(row.role),
                SECOND,
                at,
                FileId(row.file_id),
                row.reference,
                since=row.made_at,
            )
        return len(found)

    def _add(
        self,
        tx: Connection,
        occasion: Occasion,
        key: str,
        role: Role,
        place: int,
        at: datetime,
        file_id: FileId | None,
        reference: str,
        *,
        since: datetime | None = None,
    ) -> bool:
        same = and_(mails.c.occasion == occasion.value, mails.c.occasion_key == key, mails.c.place == place)
        if tx.execute(select(mails.c.mail_id).where(same)).first() is not None:
            return False
        tx.execute(
            insert(mails).values(
                mail_id=secrets.token_bytes(16),
                occasion=occasion.value,
                occasion_key=key,
                role=role.value,
                place=place,
                file_id=file_id,
                reference=reference,
                made_at=since or at,
                state=MailState.WAITING.value,
                next_at=at,
            )
        )
        return True

    # -- sending ----------------------------------------------------------------------------------------------------

    def take(self, tx: Connection, at: datetime, until: datetime) -> tuple[Mail, ...]:
        """What is to be sent now, oldest first; nobody else takes it before `until`."""
        query = select(mails).where(mails.c.state == MailState.WAITING.value, mails.c.next_at <= at)
        rows = tx.execute(query.order_by(mails.c.made_at).limit(ROWS).with_for_update(skip_locked=True)).all()
        tx.execute(update(mails).where(mails.c.mail_id.in_([row.mail_id for row in rows])).values(next_at=until))
        return tuple(
            Mail(
                row.mail_id,
                Occasion(row.occasion),
                Role(row.role),
                row.place,
                row.reference,
                None if row.file_id is None else FileId(row.file_id),
                row.made_at,
                row.tries,
            )
            for row in rows
        )

    def ended(self, tx: Connection, mail: Mail, state: MailState, at: datetime) -> None:
        tx.execute(_of(mail).values(state=state.value, ended_at=at))

    def failed(self, tx: Connection, mail: Mail, again_at: datetime) -> None:
        tx.execute(_of(mail).values(tries=mail.tries + 1, next_at=again_at))

    def waiting_since(self, tx: Connection) -> datetime | None:
        """When the oldest mail that has not gone out was made."""
        query = select(mails.c.made_at).where(mails.c.state == MailState.WAITING.value).order_by(mails.c.made_at)
        found: datetime | None = tx.execute(query.limit(1)).scalar()
        return found


def forget(tx: Connection, mails_before: datetime, duties_before: date) -> int:
    """Mails that ended, made before an instant, and duties that were over before a day."""
    old = select(mails.c.mail_id).where(mails.c.state != MailState.WAITING.value, mails.c.made_at < mails_before)
    taken = tx.execute(delete(mails).where(mails.c.mail_id.in_(old.limit(ROWS)))).rowcount
    over = select(duties.c.duty_id).where(duties.c.until_on < duties_before)
    tx.execute(delete(duties).where(duties.c.duty_id.in_(over.limit(ROWS))))
    return int(taken)


def _of(mail: Mail) -> Any:
    return update(mails).where(mails.c.mail_id == mail.mail_id, mails.c.state == MailState.WAITING.value)


def _row_id(number: int) -> bytes:
    return number.to_bytes(8, "big")
