"""Restores: that the store was made of a copy, and what keeps a store that was set back from being taken for the one
before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from federation.rules.vocabulary import MemberId
from registry.store.bulk import insert, upsert
from registry.store.schema import mailboxes, members
from registry.store.schema_restores import restores

NUMBERS_APART = 1_000_000
"""More notices than any member is given between a copy and its restore; a member's node counts to 2³¹."""


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore. `copied_at` and `signed_leaves` are None where they were not known."""

    restored_at: datetime
    copied_at: datetime | None
    leaves: int
    signed_leaves: int | None
    held_until: datetime


def note(tx: Connection, restore: Restore) -> None:
    number = 1 + (tx.execute(select(func.max(restores.c.restore_id))).scalar() or 0)
    row = {
        "restore_id": number,
        "restored_at": restore.restored_at,
        "copied_at": restore.copied_at,
        "leaves": restore.leaves,
        "signed_leaves": restore.signed_leaves,
        "held_until": restore.held_until,
    }
    insert(tx, restores, [row])


def newest(tx: Connection) -> Restore | None:
    row = tx.execute(select(restores).order_by(restores.c.restore_id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return Restore(row.restored_at, row.copied_at, row.leaves, row.signed_leaves, row.held_until)


def number_apart(tx: Connection, listed: Iterable[MemberId]) -> None:
    """Number the notices to come beyond all that were given after the copy was made.

    Nodes list notices after the newest number they have kept: numbers given a second time would never be read. `listed`
    are the members of the descriptor; one that was first told something after the copy has no mailbox in it. What they
    say they have kept is believed up to there: those numbers were given by the registry before.
    """
    everybody = {MemberId(member) for member in tx.execute(select(members.c.member)).scalars()} | set(listed)
    upsert(tx, mailboxes, [{"member": member, "last_number": 0, "acked_number": 0} for member in sorted(everybody)])
    apart = mailboxes.c.last_number + NUMBERS_APART
    tx.execute(update(mailboxes).values(last_number=apart, acked_number=apart))
