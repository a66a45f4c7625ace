"""Members as the registry has heard from them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select, update

from federation.rules.vocabulary import MemberId
from registry.store.bulk import upsert
from registry.store.schema import members


def lock(tx: Connection, member: MemberId) -> date | None:
    """Wait for the member's other transactions and return its last contact, if any. Call it first."""
    upsert(tx, members, [{"member": member}])
    query = select(members.c.last_contact).where(members.c.member == member).with_for_update()
    last_contact: date | None = tx.execute(query).scalar_one()
    return last_contact


def report(tx: Connection, member: MemberId, as_of: date, roster: int) -> None:
    tx.execute(update(members).where(members.c.member == member).values(last_contact=as_of, roster=roster))


def last_contacts(tx: Connection) -> dict[MemberId, date]:
    """As-of of the newest import of every member that reported one."""
    query = select(members.c.member, members.c.last_contact).where(members.c.last_contact.is_not(None))
    return {MemberId(member): day for member, day in tx.execute(query)}
