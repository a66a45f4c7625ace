"""The roll call's rows: what members offered of their gaps, and the list of the newest close.

State of an offer: made by its member → removed by the close at which its gap is answered, ended or void, at which its
handle bears the pseudonym no more, or whose descriptor names its epoch no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection, delete, exists, func, select

from federation.rules.vocabulary import GapState, MemberId, Pseudonym
from registry.model import Ref, Statement
from registry.store.bulk import among, chunks, insert, upsert
from registry.store.schema import dirty, gaps, pseudonyms, signals
from registry.store.schema_limits import openings
from registry.store.schema_roll_call import roll_call_lists, roll_call_offers
from registry.store.signals import decode

_UNANSWERED = (GapState.WATCH.value, GapState.OPEN.value)
_LIVE = (pseudonyms.c.epoch == roll_call_offers.c.epoch) & (pseudonyms.c.keyed == roll_call_offers.c.keyed)
_LIVE &= (pseudonyms.c.ref == roll_call_offers.c.ref) & pseudonyms.c.live
_OF_GAP = (gaps.c.ref == roll_call_offers.c.ref) & (gaps.c.number == roll_call_offers.c.number)


@dataclass(frozen=True, slots=True)
class Offer:
    """A pseudonym of one gap: `keyed` as the registry compares it, `sealed` as the roll call gives it back."""

    ref: Ref = field(repr=False)
    number: int
    keyed: Pseudonym
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stands:
    """What stands of a handle that somebody offers a gap of. `answered`: numbers of its gaps that are accounted for."""

    statement: Statement
    pairs: frozenset[Pseudonym]
    answered: frozenset[int]


@dataclass(frozen=True, slots=True)
class Standing:
    """An offer of an unanswered gap, with what is listed of the gap."""

    offer: Offer
    member: MemberId
    due_on: date
    since: date
    statement: Statement


def stands(tx: Connection, refs: Collection[Ref]) -> dict[Ref, Stands]:
    """What stands of these handles; retracted ones and drills are absent."""
    found: dict[Ref, Stands] = {}
    for chunk in chunks(refs):
        said = select(signals.c.ref, signals.c.statement).where(
            among(tx, signals.c.ref, chunk), ~signals.c.retracted, ~signals.c.drill
        )
        statements = {Ref(ref): decode(text) for ref, text in tx.execute(said)}
        borne: dict[Ref, set[Pseudonym]] = {ref: set() for ref in statements}
        pairs = select(pseudonyms.c.ref, pseudonyms.c.epoch, pseudonyms.c.keyed)
        for ref, epoch, keyed in tx.execute(pairs.where(among(tx, pseudonyms.c.ref, chunk), pseudonyms.c.live)):
            if ref in borne:
                borne[Ref(ref)].add(Pseudonym(epoch, keyed))
        over: dict[Ref, set[int]] = {ref: set() for ref in statements}
        closed = select(gaps.c.ref, gaps.c.number).where(among(tx, gaps.c.ref, chunk), gaps.c.state.not_in(_UNANSWERED))
        for ref, number in tx.execute(closed):
            if ref in over:
                over[Ref(ref)].add(number)
        for ref, statement in statements.items():
            found[ref] = Stands(statement, frozenset(borne[ref]), frozenset(over[ref]))
    return found


def offer(tx: Connection, offers: Sequence[Offer]) -> None:
    """Keep what is not kept yet."""
    upsert(
        tx,
        roll_call_offers,
        [
            {
                "ref": each.ref,
                "number": each.number,
                "epoch": each.keyed.epoch,
                "keyed": each.keyed.value,
                "sealed": each.sealed,
            }
            for each in sorted(offers, key=lambda each: (each.ref, each.number, each.keyed))
        ],
    )


def drop(tx: Connection, offers: Iterable[Offer]) -> None:
    """Remove these offers."""
    for each in offers:
        of_gap = (roll_call_offers.c.ref == each.ref) & (roll_call_offers.c.number == each.number)
        of_pair = (roll_call_offers.c.epoch == each.keyed.epoch) & (roll_call_offers.c.keyed == each.keyed.value)
        tx.execute(delete(roll_call_offers).where(of_gap, of_pair))


def sweep(tx: Connection, epochs: Collection[int]) -> None:
    """Remove what is called no longer; what no close has looked at yet stays."""
    unanswered = exists().where(_OF_GAP, gaps.c.state.in_(_UNANSWERED))
    unseen = ~exists().where(_OF_GAP) & exists().where(dirty.c.ref == roll_call_offers.c.ref)
    called = exists().where(_LIVE) & roll_call_offers.c.epoch.in_(epochs) & (unanswered | unseen)
    tx.execute(delete(roll_call_offers).where(~called))


def standing(tx: Connection) -> list[Standing]:
    """The offers of unanswered gaps, of which a close has looked at every one.

    An opening beyond what its member may state in a month is not called before a person lets it be answered: else a
    member could have every other look for whomever it names.
    """
    query = (
        select(
            roll_call_offers,
            signals.c.member,
            signals.c.statement,
            gaps.c.kind,
            gaps.c.since,
            gaps.c.due_on,
        )
        .join(gaps, _OF_GAP)
        .join(signals, signals.c.ref == roll_call_offers.c.ref)
        .outerjoin(
            openings, (openings.c.ref == roll_call_offers.c.ref) & (openings.c.number == roll_call_offers.c.number)
        )
        .where(gaps.c.state.in_(_UNANSWERED), openings.c.waits.is_not(True))
    )
    return [
        Standing(
            Offer(Ref(row.ref), row.number, Pseudonym(row.epoch, row.keyed), row.sealed),
            MemberId(row.member),
            row.due_on,
            row.since,
            decode(row.statement),
        )
        for row in tx.execute(query)
    ]


def sample(tx: Connection, start: Ref, limit: int) -> list[Statement]:
    """What is stated of at most `limit` handles, drills and retracted ones left out, from a name on and then before it.

    Names are digests: handles that follow each other are picked at random where the start is.
    """
    query = select(signals.c.statement).where(~signals.c.retracted, ~signals.c.drill).order_by(signals.c.ref)
    found = list(tx.scalars(query.where(signals.c.ref >= start).limit(limit)))
    found += tx.scalars(query.where(signals.c.ref < start).limit(limit - len(found)))
    return [decode(text) for text in found]


def keep_list(tx: Connection, on: date, epoch: int, parts: Sequence[bytes]) -> None:
    """Keep the sealed parts of a day's list, in place of every other day's."""
    tx.execute(delete(roll_call_lists))
    rows = [{"closed_on": on, "part": part, "epoch": epoch, "sealed": sealed} for part, sealed in enumerate(parts)]
    insert(tx, roll_call_lists, rows)


def parts(tx: Connection, on: date) -> int:
    """How many parts the list of that day has; 0: there is none."""
    query = select(func.count()).select_from(roll_call_lists).where(roll_call_lists.c.closed_on == on)
    return tx.execute(query).scalar_one()


def part(tx: Connection, on: date, number: int) -> tuple[int, bytes]:
    """Under which epoch's key a part of that day's list is sealed, and its content."""
    query = select(roll_call_lists.c.epoch, roll_call_lists.c.sealed)
    row = tx.execute(query.where(roll_call_lists.c.closed_on == on, roll_call_lists.c.part == number)).one()
    return row.epoch, row.sealed


def clear(tx: Connection) -> None:
    """Forget all of it: the federation holds no roll call any more."""
    tx.execute(delete(roll_call_offers))
    tx.execute(delete(roll_call_lists))
