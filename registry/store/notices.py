"""Notices: written by the close in commit order, read and acknowledged by their member.

Invariants: `position` counts all notices without holes in commit order, `number` those of one member; both are given
out under the sequence row, which `append` locks, so it is the last thing a transaction does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, func, select, update

from federation.rules.vocabulary import Handle, MemberId, Notice, NoticeKind
from registry.ledger import contents
from registry.model import NoticeDraft
from registry.store import ledger
from registry.store.bulk import among, chunks, insert, upsert
from registry.store.schema import mailboxes, notices, sequence


def append(tx: Connection, drafts: Sequence[NoticeDraft], closed_on: date) -> None:
    """Number and keep these notices, in their order, noted for the ledger. Locks the sequence row: call it last."""
    if not drafts:
        return
    ledger.note(tx, (contents.of_notice(draft, closed_on) for draft in drafts))
    following = sequence.c.next_position + len(drafts)
    after = tx.execute(
        update(sequence).values(next_position=following).returning(sequence.c.next_position)
    ).scalar_one()
    given = Counter(draft.member for draft in drafts)
    last = dict.fromkeys(given, 0)
    for chunk in chunks(sorted(given)):
        query = select(mailboxes.c.member, mailboxes.c.last_number).where(among(tx, mailboxes.c.member, chunk))
        last.update((MemberId(member), number) for member, number in tx.execute(query))
    rows = []
    for position, draft in enumerate(drafts, start=after - len(drafts)):
        last[draft.member] += 1
        rows.append(
            {
                "position": position,
                "member": draft.member,
                "number": last[draft.member],
                "kind": draft.kind.value,
                "closed_on": closed_on,
                "handle": draft.handle,
                "opening_number": draft.opening_number,
                "case_name": draft.case_name,
                "coverage_incomplete": draft.coverage_incomplete,
            }
        )
    upsert(
        tx,
        mailboxes,
        [{"member": member, "last_number": last[member], "acked_number": 0} for member in sorted(given)],
        update=("last_number",),
    )
    insert(tx, notices, rows)


def page(tx: Connection, member: MemberId, after: int, limit: int, through: int) -> tuple[list[Notice], bool]:
    """The member's next notices up to a position, oldest first, and whether there are more."""
    query = (
        select(notices)
        .where(notices.c.member == member, notices.c.number > after, notices.c.position <= through)
        .order_by(notices.c.number)
        .limit(limit + 1)
    )
    rows = tx.execute(query).all()
    found = [
        Notice(
            number=row.number,
            kind=NoticeKind(row.kind),
            closed_on=row.closed_on,
            handle=Handle(row.handle) if row.handle is not None else None,
            opening_number=row.opening_number,
            case_id=row.case_name,
            coverage_incomplete=row.coverage_incomplete,
        )
        for row in rows[:limit]
    ]
    return found, len(rows) > limit


def acknowledge(tx: Connection, member: MemberId, number: int, through: int) -> bool:
    """Note that the member has kept its notices up to a number; False where those up to a position are not so many.

    What it acknowledged before it may acknowledge again, when retention has taken those notices away too.
    """
    given = select(func.max(notices.c.number)).where(notices.c.member == member, notices.c.position <= through)
    before = select(mailboxes.c.acked_number).where(mailboxes.c.member == member)
    if number > max(tx.execute(given).scalar_one() or 0, tx.execute(before).scalar() or 0):
        return False
    tx.execute(
        update(mailboxes)
        .where(mailboxes.c.member == member, mailboxes.c.acked_number < number)
        .values(acked_number=number)
    )
    return True
