"""The roll call's rows: which pupils are called, which of the roster can be compared, and what of the quota was spent.

Called can be who is on the roster on the route `registry`: no pupil of the protected-identity role, no drill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date

from sqlalchemy import ColumnElement, Connection, Join, and_, delete, func, insert, select, update

from federation.rules.vocabulary import GapState, Handle
from node.identity import Route
from node.model import Call
from node.outbox import PseudonymRef
from node.store.bulk import chunks
from node.store.schema import gaps, number_indexes, pseudonyms, pupils, versions
from node.store.schema_roll_call import roll_call_hits, roll_call_quota, roll_call_state

Hits = AbstractSet[tuple[bytes, date]]
"""(pupil_id, the leaver's own begin) of pupils of the roster whom a list calls."""

_ON_ROSTER = and_(pupils.c.in_roster, pupils.c.route == Route.REGISTRY.value, ~pupils.c.protected, ~pupils.c.drill)
_UNANSWERED = (GapState.WATCH.value, GapState.OPEN.value)
_ROSTER = number_indexes.join(pupils, pupils.c.pupil_id == number_indexes.c.pupil_id)


class RollCalls:
    """The node's part in the roll call. Every method works on the connection of the caller's transaction."""

    # -- the roster -------------------------------------------------------------------------------------------------

    def missing(self, tx: Connection, epoch: int, limit: int) -> tuple[PseudonymRef, ...]:
        """At most `limit` numbers of the roster without a pseudonym of this epoch."""
        query = (
            select(number_indexes.c.number_index)
            .select_from(_roster_at(epoch))
            .where(_ON_ROSTER, pseudonyms.c.number_index.is_(None))
            .order_by(number_indexes.c.number_index)
            .limit(limit)
        )
        return tuple(PseudonymRef(epoch, index) for index in tx.scalars(query))

    def progress(self, tx: Connection, epoch: int) -> tuple[int, int]:
        """How many numbers of the roster have their pseudonym of this epoch, and how many there are."""
        query = select(func.count(pseudonyms.c.number_index), func.count()).select_from(_roster_at(epoch))
        row = tx.execute(query.where(_ON_ROSTER)).one()
        return row[0], row[1]

    def bearers(self, tx: Connection) -> Iterator[tuple[PseudonymRef, bytes]]:
        """Every pseudonym that pupils of the roster have, by name, with its pupil_id.

        Left out are pupils with a gap of our own that is not accounted for: whom we call ourselves.
        """
        own = select(gaps.c.pupil_id).where(gaps.c.state.in_(_UNANSWERED))
        query = (
            select(pseudonyms.c.epoch, pseudonyms.c.number_index, pupils.c.pupil_id)
            .select_from(_ROSTER.join(pseudonyms, pseudonyms.c.number_index == number_indexes.c.number_index))
            .where(_ON_ROSTER, pupils.c.pupil_id.not_in(own))
        )
        for epoch, index, pupil_id in tx.execute(query):
            yield PseudonymRef(epoch, index), pupil_id

    def own_gaps(self, tx: Connection) -> tuple[tuple[Handle, int, date], ...]:
        """(handle, number, due day) of our own gaps that go by the registry and that it has not accounted for."""
        query = (
            select(gaps.c.handle, gaps.c.number, gaps.c.due_on)
            .join(pupils, pupils.c.pupil_id == gaps.c.pupil_id)
            .where(
                gaps.c.stated,
                gaps.c.route == Route.REGISTRY.value,
                gaps.c.state.in_(_UNANSWERED),
                pupils.c.route == Route.REGISTRY.value,
                ~pupils.c.drill,
            )
            .order_by(gaps.c.handle)
        )
        return tuple((Handle(handle), number, due_on) for handle, number, due_on in tx.execute(query))

    # -- what lists call --------------------------------------------------------------------------------------------

    def compared_on(self, tx: Connection) -> date | None:
        """The day of the newest list that was compared with the roster."""
        found: date | None = tx.execute(select(roll_call_state.c.closed_on)).scalar()
        return found

    def take(self, tx: Connection, closed_on: date, hits: Hits) -> bool:
        """Keep what the list of a day calls, in place of what the one before called; returns whether it differs.

        What was said because of a call stands when nobody calls any more: said anew as a pupil whom the member had when
        it joined, it could answer a gap whose call it did not. Pupils of whom that is not so, and pupils who are called
        anew, are marked to be restated.
        """
        before = {(row.pupil_id, row.begun_since) for row in tx.execute(select(roll_call_hits))}
        said = select(versions.c.pupil_id).where(versions.c.pupil_id == roll_call_hits.c.pupil_id).exists()
        answered = select(roll_call_hits).where(said, ~roll_call_hits.c.doubted)
        gone = before - hits - {(row.pupil_id, row.begun_since) for row in tx.execute(answered)}
        for pupil_id, begun_since in gone:
            tx.execute(delete(roll_call_hits).where(*_is(pupil_id, begun_since)))
        rows = [
            {"pupil_id": pupil_id, "begun_since": begun_since, "called_on": closed_on}
            for pupil_id, begun_since in sorted(hits - before)
        ]
        if rows:
            tx.execute(insert(roll_call_hits), rows)
        changed = gone | (hits - before)
        for chunk in chunks(pupil_id for pupil_id, _ in changed):
            tx.execute(update(pupils).where(pupils.c.pupil_id.in_(chunk)).values(dirty=True))
        if not tx.execute(update(roll_call_state).values(closed_on=closed_on)).rowcount:
            tx.execute(insert(roll_call_state).values(id=1, closed_on=closed_on))
        return bool(changed)

    def stop(self, tx: Connection) -> bool:
        """Nothing is called: the federation holds no roll call. Returns whether pupils are to be restated."""
        changed = self.take(tx, date.min, frozenset())
        tx.execute(delete(roll_call_state))
        return changed

    def calls(self, tx: Connection, pupil_ids: Iterable[bytes]) -> dict[bytes, tuple[Call, ...]]:
        """pupil_id → the calls of that pupil in a fixed order; pupils who are not called are left out."""
        found: dict[bytes, list[Call]] = {}
        for chunk in chunks(pupil_ids):
            query = select(roll_call_hits).where(roll_call_hits.c.pupil_id.in_(chunk))
            for row in tx.execute(query.order_by(roll_call_hits.c.begun_since)):
                found.setdefault(row.pupil_id, []).append(Call(row.called_on, row.begun_since))
        return {pupil_id: tuple(calls) for pupil_id, calls in found.items()}

    def doubt(self, tx: Connection, doubted: Mapping[bytes, Sequence[Call]]) -> None:
        """Of each of these pupils, the calls that a person is asked about; its others are not."""
        for chunk in chunks(doubted):
            tx.execute(update(roll_call_hits).where(roll_call_hits.c.pupil_id.in_(chunk)).values(doubted=False))
        for pupil_id, calls in doubted.items():
            for call in calls:
                tx.execute(update(roll_call_hits).where(*_is(pupil_id, call.begun_since)).values(doubted=True))

    def asked(self, tx: Connection) -> dict[bytes, date]:
        """pupil_id → day of the list that first called, of those whom a person is asked about."""
        query = (
            select(roll_call_hits.c.pupil_id, func.min(roll_call_hits.c.called_on).label("called_on"))
            .where(roll_call_hits.c.doubted)
            .group_by(roll_call_hits.c.pupil_id)
        )
        return {row.pupil_id: row.called_on for row in tx.execute(query)}

    # -- the quota --------------------------------------------------------------------------------------------------

    def spent(self, tx: Connection, since: date) -> int:
        """Numbers that were asked about for the roll call from a day on."""
        query = select(func.coalesce(func.sum(roll_call_quota.c.numbers), 0)).where(roll_call_quota.c.day >= since)
        total: int = tx.execute(query).scalar_one()
        return total

    def spend(self, tx: Connection, day: date, numbers: int) -> None:
        """Count numbers before they are asked about; days of earlier years count no more and go."""
        tx.execute(delete(roll_call_quota).where(roll_call_quota.c.day < date(day.year, 1, 1)))
        row = update(roll_call_quota).where(roll_call_quota.c.day == day)
        if not tx.execute(row.values(numbers=roll_call_quota.c.numbers + numbers)).rowcount:
            tx.execute(insert(roll_call_quota).values(day=day, numbers=numbers))


def _roster_at(epoch: int) -> Join:
    """The numbers of all pupils, each with its pseudonym of an epoch where it has one."""
    of_epoch = and_(pseudonyms.c.number_index == number_indexes.c.number_index, pseudonyms.c.epoch == epoch)
    return _ROSTER.outerjoin(pseudonyms, of_epoch)


def _is(pupil_id: bytes, begun_since: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return roll_call_hits.c.pupil_id == pupil_id, roll_call_hits.c.begun_since == begun_since
