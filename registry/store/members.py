"""Members as the registry has heard from them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, case, select, update

from federation.rules.vocabulary import MemberId
from registry.model import Contacts, Heard
from registry.store.bulk import upsert
from registry.store.schema import members


def lock(tx: Connection, member: MemberId) -> date | None:
    """Wait for the member's other transactions and return its last contact, if any. Call it first."""
    upsert(tx, members, [{"member": member}])
    query = select(members.c.last_contact).where(members.c.member == member).with_for_update()
    last_contact: date | None = tx.execute(query).scalar_one()
    return last_contact


def report(tx: Connection, member: MemberId, as_of: date, roster: int) -> None:
    # A member known from before first contacts were kept gets none: a later import is no baseline.
    first = case((members.c.last_contact.is_(None), as_of), else_=members.c.first_contact)
    tx.execute(
        update(members).where(members.c.member == member).values(first_contact=first, last_contact=as_of, roster=roster)
    )


def contacts(tx: Connection, member: MemberId) -> Contacts:
    query = select(members.c.first_contact, members.c.last_contact).where(members.c.member == member)
    row = tx.execute(query).one_or_none()
    return Contacts() if row is None else Contacts(row.first_contact, row.last_contact)


def rosters(tx: Connection) -> dict[MemberId, int]:
    """The roster of every member that reported one."""
    query = select(members.c.member, members.c.roster).where(members.c.roster.is_not(None))
    return {MemberId(member): roster for member, roster in tx.execute(query)}


def last_contacts(tx: Connection) -> dict[MemberId, date]:
    """As-of of the newest import of every member that reported one."""
    query = select(members.c.member, members.c.last_contact).where(members.c.last_contact.is_not(None))
    return {MemberId(member): day for member, day in tx.execute(query)}


def heard(tx: Connection) -> dict[MemberId, Heard]:
    """Every member that reported an import."""
    query = select(members.c.member, members.c.last_contact, members.c.roster).where(
        members.c.last_contact.is_not(None)
    )
    return {MemberId(member): Heard(day, roster) for member, day, roster in tx.execute(query)}
