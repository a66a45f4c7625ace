"""Contacts between members: requests, who was handed them, and messages on their way.

State of a contact: handed to the member that is asked → accepted by it; or gone once its request has lapsed. Moved by
`add` and `accept`; it ends by retention, or with a handle of either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, exists, func, or_, select, true, tuple_, update

from federation.rules.vocabulary import GapState, Handle, MemberId
from registry.model import Ref
from registry.store.bulk import insert
from registry.store.schema import gaps, signals
from registry.store.schema_contact import contact_messages, contact_requests, contacts


@dataclass(frozen=True, slots=True)
class Stated:
    """What a member signed, with its signature and the key it is by: as it was sent, and judged by its reader."""

    content: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    public_key: bytes = field(repr=False)


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """A message under one pseudonym, sealed end to end."""

    epoch: int
    sealed: bytes

    def __repr__(self) -> str:
        return "Sealed()"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was filed."""

    member: MemberId
    request_id: bytes = field(repr=False)
    ref: Ref = field(repr=False)
    number: int
    stated: Stated
    filed_on: date
    lapses_on: date


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as one of its sides is told of it.

    `newest`: sequence of the other side's newest message; `sent`: of its own; `has`: through which it acknowledged.
    """

    contact_id: bytes = field(repr=False)
    asking: bool
    handle: Handle = field(repr=False)
    number: int
    request: Request
    acceptance: Stated | None
    greeting: tuple[Sealed, ...]
    newest: int
    sent: int
    has: int


@dataclass(frozen=True, slots=True)
class Held:
    """A contact as the registry looks at it before it is changed."""

    contact_id: bytes = field(repr=False)
    asking: MemberId
    asked: MemberId
    lapses_on: date
    acceptance: bytes | None = field(repr=False)
    sent: int
    """Sequence of the newest message of the side that looks; `last` is its id."""
    last: bytes | None = field(repr=False)
    others_sent: int


# -- requests ----------------------------------------------------------------------------------------------------------


def request(tx: Connection, member: MemberId, request_id: bytes) -> Request | None:
    query = select(contact_requests).where(
        contact_requests.c.member == member, contact_requests.c.request_id == request_id
    )
    row = tx.execute(query).one_or_none()
    return None if row is None else _request(row)


def filed_since(tx: Connection, member: MemberId, since: date) -> int:
    """How many requests the member has filed since a day."""
    query = select(func.count()).where(contact_requests.c.member == member, contact_requests.c.filed_on >= since)
    return tx.execute(query.select_from(contact_requests)).scalar_one()


def standing(tx: Connection, ref: Ref, number: int, today: date) -> bool:
    """Whether a request about a gap can still be accepted."""
    of_gap = (contact_requests.c.ref == ref) & (contact_requests.c.number == number)
    query = select(exists().where(of_gap, contact_requests.c.lapses_on >= today))
    return bool(tx.execute(query).scalar_one())


def handed_and_standing(
    tx: Connection, after: tuple[str, bytes], limit: int, today: date
) -> list[tuple[Request, frozenset[MemberId]]]:
    """The next requests that can still be accepted, each with whom it was handed to; to nobody: it is left out."""
    name = tuple_(contact_requests.c.member, contact_requests.c.request_id)
    query = (
        select(contact_requests)
        .where(name > tuple_(*after), contact_requests.c.lapses_on >= today, exists().where(_OF_REQUEST))
        .order_by(contact_requests.c.member, contact_requests.c.request_id)
        .limit(limit)
        # Replicas that do the same wait for each other.
        .with_for_update()
    )
    found = [_request(row) for row in tx.execute(query)]
    names = [(each.member, each.request_id) for each in found]
    handed: dict[tuple[str, bytes], set[MemberId]] = {each: set() for each in names}
    whom = select(contacts.c.asking, contacts.c.request_id, contacts.c.asked)
    for row in tx.execute(whom.where(tuple_(contacts.c.asking, contacts.c.request_id).in_(names))):
        handed[row.asking, row.request_id].add(MemberId(row.asked))
    return [(each, frozenset(handed[each.member, each.request_id])) for each in found]


def owns(tx: Connection, member: MemberId, ref: Ref) -> bool:
    """Whether the member has stated this handle, and has not taken it back; no drill's."""
    of_member = (signals.c.ref == ref) & (signals.c.member == member) & ~signals.c.retracted & ~signals.c.drill
    return bool(tx.execute(select(exists().where(of_member))).scalar_one())


def others(tx: Connection, ref: Ref, number: int) -> list[tuple[MemberId, Ref, int]]:
    """The other members with an open gap in the case that this gap leads, with one gap of each; none where it does not.

    By the newest finished look of a close.
    """
    own, theirs = gaps.alias("own"), gaps.alias("theirs")
    query = (
        select(signals.c.member, theirs.c.ref, theirs.c.number)
        .select_from(own)
        .join(theirs, and_(theirs.c.case_id == own.c.case_id, theirs.c.ref != own.c.ref))
        .join(signals, signals.c.ref == theirs.c.ref)
        .where(
            own.c.ref == ref,
            own.c.number == number,
            own.c.state == GapState.OPEN.value,
            own.c.leads == true(),
            theirs.c.state == GapState.OPEN.value,
            ~signals.c.retracted,
        )
        .order_by(signals.c.member, theirs.c.ref, theirs.c.number)
    )
    own_member = select(signals.c.member).where(signals.c.ref == ref).scalar_subquery()
    found: dict[MemberId, tuple[Ref, int]] = {}
    for member, its_ref, its_number in tx.execute(query.where(signals.c.member != own_member)):
        found.setdefault(MemberId(member), (Ref(its_ref), its_number))
    return [(member, *gap) for member, gap in found.items()]


def add(tx: Connection, filed: Request, handed: Sequence[tuple[bytes, MemberId, Ref, int]]) -> None:
    """Keep a request, handed as (contact id, member, its gap's ref and number) to others."""
    insert(
        tx,
        contact_requests,
        [
            {
                "member": filed.member,
                "request_id": filed.request_id,
                "ref": filed.ref,
                "number": filed.number,
                "content": filed.stated.content,
                "signature": filed.stated.signature,
                "public_key": filed.stated.public_key,
                "filed_on": filed.filed_on,
                "lapses_on": filed.lapses_on,
            }
        ],
    )
    hand(tx, filed, handed, filed.filed_on)


def hand(tx: Connection, filed: Request, handed: Sequence[tuple[bytes, MemberId, Ref, int]], today: date) -> None:
    """Hand a request on, as (contact id, member, its gap's ref and number)."""
    rows = [
        {
            "contact_id": contact_id,
            "asking": filed.member,
            "request_id": filed.request_id,
            "asked": member,
            "asked_ref": ref,
            "asked_number": number,
            "asking_sent": 0,
            "asked_sent": 0,
            "asking_has": 0,
            "asked_has": 0,
            "touched_on": today,
        }
        for contact_id, member, ref, number in handed
    ]
    insert(tx, contacts, rows)


# -- contacts ----------------------------------------------------------------------------------------------------------

_OF_REQUEST = and_(
    contact_requests.c.member == contacts.c.asking, contact_requests.c.request_id == contacts.c.request_id
)


def page(tx: Connection, member: MemberId, after: bytes, limit: int, today: date) -> tuple[list[Contact], bool]:
    """The next contacts that a member may know of, and whether there are more: those it was asked for, and accepted
    ones that it asked for itself.
    """
    accepted = contacts.c.accepted_on.is_not(None)
    asked = (contacts.c.asked == member) & or_(accepted, contact_requests.c.lapses_on >= today)
    asking = (contacts.c.asking == member) & accepted
    own, theirs = signals.alias("own"), signals.alias("theirs")
    query = (
        select(contacts, contact_requests.c.ref, contact_requests.c.number, contact_requests.c.member)
        .add_columns(contact_requests.c.content.label("asked_for"), contact_requests.c.signature.label("asked_signed"))
        .add_columns(contact_requests.c.public_key.label("asked_key"), contact_requests.c.filed_on)
        .add_columns(contact_requests.c.lapses_on, own.c.handle.label("own"), theirs.c.handle.label("theirs"))
        .join(contact_requests, _OF_REQUEST)
        .join(own, own.c.ref == contact_requests.c.ref)
        .join(theirs, theirs.c.ref == contacts.c.asked_ref)
        .where(contacts.c.contact_id > after, or_(asked, asking))
        .order_by(contacts.c.contact_id)
        .limit(limit + 1)
    )
    rows = tx.execute(query).all()
    return [_contact(row, asking=row.asking == member) for row in rows[:limit]], len(rows) > limit


def held(tx: Connection, member: MemberId, contact_id: bytes, *, lock: bool = False) -> Held | None:
    """A contact of which the member is a side; locked until the transaction ends where asked for."""
    query = (
        select(contacts, contact_requests.c.lapses_on)
        .join(contact_requests, _OF_REQUEST)
        .where(contacts.c.contact_id == contact_id, or_(contacts.c.asking == member, contacts.c.asked == member))
    )
    row = tx.execute(query.with_for_update(of=contacts) if lock else query).one_or_none()
    if row is None:
        return None
    by_asking = member == row.asking
    return Held(
        row.contact_id,
        MemberId(row.asking),
        MemberId(row.asked),
        row.lapses_on,
        row.content,
        row.asking_sent if by_asking else row.asked_sent,
        row.asking_last if by_asking else row.asked_last,
        row.asked_sent if by_asking else row.asking_sent,
    )


def accept(tx: Connection, contact_id: bytes, stated: Stated, greeting: Sequence[Sealed], today: date) -> None:
    tx.execute(
        update(contacts)
        .where(contacts.c.contact_id == contact_id)
        .values(
            accepted_on=today,
            touched_on=today,
            content=stated.content,
            signature=stated.signature,
            public_key=stated.public_key,
            greeting=msgspec.msgpack.encode(list(greeting)),
        )
    )


# -- messages ----------------------------------------------------------------------------------------------------------


def sent_on(tx: Connection, contact_id: bytes, day: date, *, by_asking: bool) -> int:
    """How many messages of one side that lie here were sent on a day."""
    of_side = (contact_messages.c.contact_id == contact_id) & (contact_messages.c.by_asking == by_asking)
    query = select(func.count()).select_from(contact_messages).where(of_side, contact_messages.c.sent_on == day)
    return tx.execute(query).scalar_one()


def lying(tx: Connection, contact_id: bytes, *, by_asking: bool) -> int:
    """How many messages of one side lie here."""
    of_side = (contact_messages.c.contact_id == contact_id) & (contact_messages.c.by_asking == by_asking)
    return tx.execute(select(func.count()).select_from(contact_messages).where(of_side)).scalar_one()


def send(
    tx: Connection,
    contact_id: bytes,
    sequence: int,
    message_id: bytes,
    sealed: Sequence[Sealed],
    today: date,
    *,
    by_asking: bool,
) -> None:
    """Keep the next message of one side."""
    row = {
        "contact_id": contact_id,
        "by_asking": by_asking,
        "sequence": sequence,
        "sealed": msgspec.msgpack.encode(list(sealed)),
        "sent_on": today,
    }
    insert(tx, contact_messages, [row])
    side = "asking" if by_asking else "asked"
    counted = {f"{side}_sent": sequence, f"{side}_last": message_id, "touched_on": today}
    tx.execute(update(contacts).where(contacts.c.contact_id == contact_id).values(**counted))


def messages(
    tx: Connection, contact_id: bytes, after: int, limit: int, *, by_asking: bool
) -> tuple[list[tuple[int, tuple[Sealed, ...]]], bool]:
    """The next messages of one side after a sequence, in order, and whether there are more."""
    of_side = (contact_messages.c.contact_id == contact_id) & (contact_messages.c.by_asking == by_asking)
    query = (
        select(contact_messages.c.sequence, contact_messages.c.sealed)
        .where(of_side, contact_messages.c.sequence > after)
        .order_by(contact_messages.c.sequence)
        .limit(limit + 1)
    )
    rows = tx.execute(query).all()
    return [(row.sequence, _sealed(row.sealed)) for row in rows[:limit]], len(rows) > limit


def acknowledge(tx: Connection, contact_id: bytes, through: int, *, by_asking: bool) -> None:
    """The other side has the messages of one side up to a sequence: they go."""
    of_side = (contact_messages.c.contact_id == contact_id) & (contact_messages.c.by_asking == by_asking)
    tx.execute(delete(contact_messages).where(of_side, contact_messages.c.sequence <= through))
    has = contacts.c.asked_has if by_asking else contacts.c.asking_has
    tx.execute(update(contacts).where(contacts.c.contact_id == contact_id, has < through).values({has.name: through}))


# -- retention ---------------------------------------------------------------------------------------------------------


def over(tx: Connection, after: bytes, limit: int, lapsed_before: date, silent_before: date) -> tuple[list[bytes], Any]:
    """Of the next `limit` contacts those that are over, and the last that was looked at (None: no more)."""
    query = (
        select(contacts.c.contact_id, contacts.c.accepted_on, contacts.c.touched_on, contact_requests.c.lapses_on)
        .join(contact_requests, _OF_REQUEST)
        .where(contacts.c.contact_id > after)
        .order_by(contacts.c.contact_id)
        .limit(limit)
    )
    rows = tx.execute(query).all()
    gone = [
        row.contact_id
        for row in rows
        if (row.lapses_on < lapsed_before if row.accepted_on is None else row.touched_on < silent_before)
    ]
    return gone, rows[-1].contact_id if len(rows) == limit else None


def forget(tx: Connection, contact_ids: Sequence[bytes]) -> None:
    tx.execute(delete(contacts).where(contacts.c.contact_id.in_(contact_ids)))


def requests_over(tx: Connection, filed_before: date, limit: int) -> list[tuple[str, bytes]]:
    """Requests of long ago of which no contact is left."""
    query = (
        select(contact_requests.c.member, contact_requests.c.request_id)
        .where(contact_requests.c.filed_on < filed_before, ~exists().where(_OF_REQUEST).correlate(contact_requests))
        .order_by(contact_requests.c.member, contact_requests.c.request_id)
        .limit(limit)
    )
    return [(row.member, row.request_id) for row in tx.execute(query)]


def forget_requests(tx: Connection, named: Sequence[tuple[str, bytes]]) -> None:
    tx.execute(
        delete(contact_requests).where(
            tuple_(contact_requests.c.member, contact_requests.c.request_id).in_(list(named))
        )
    )


# -- rows --------------------------------------------------------------------------------------------------------------


def _request(row: Any) -> Request:
    stated = Stated(row.content, row.signature, row.public_key)
    member = MemberId(row.member)
    return Request(member, row.request_id, Ref(row.ref), row.number, stated, row.filed_on, row.lapses_on)


def _contact(row: Any, *, asking: bool) -> Contact:
    asked_for = Stated(row.asked_for, row.asked_signed, row.asked_key)
    filed = Request(
        MemberId(row.member), row.request_id, Ref(row.ref), row.number, asked_for, row.filed_on, row.lapses_on
    )
    return Contact(
        contact_id=row.contact_id,
        asking=asking,
        handle=Handle(row.own if asking else row.theirs),
        number=row.number if asking else row.asked_number,
        request=filed,
        acceptance=None if row.content is None else Stated(row.content, row.signature, row.public_key),
        greeting=() if row.greeting is None else _sealed(row.greeting),
        newest=row.asked_sent if asking else row.asking_sent,
        sent=row.asking_sent if asking else row.asked_sent,
        has=row.asking_has if asking else row.asked_has,
    )


def _sealed(content: bytes) -> tuple[Sealed, ...]:
    return msgspec.msgpack.decode(content, type=tuple[Sealed, ...])
