"""The aggregate "ledger": how batches are bound, the receipts for them, the newest checkpoint, and the alarms.

State of a receipt: kept → proved, once its checkpoint was proved to be the beginning of one that is kept; moved by
`advance`. State of an alarm: standing → acknowledged by a person; moved by `acknowledge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from federation.checkpoint import Checkpoint
from federation.rules.vocabulary import Handle
from node.ledger.findings import Finding, Kind, Sent
from node.ledger.receipts import Binding, Held, Receipt
from node.store.bulk import chunks
from node.store.outbox import Outbox, VersionState
from node.store.schema import batches, pupils, versions
from node.store.schema_ledger import alarms, ledger, receipts, witnesses
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest checkpoint that continues all before it; `verified_at`: when everything was last verified."""

    tree: Checkpoint
    note: bytes
    since: datetime
    verified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A finding that a person has to see. `acknowledged_by` is empty while nobody has."""

    alarm_id: int
    kind: Kind
    first: int | None
    last: int | None
    witness: int | None
    raised_on: date
    acknowledged_by: str = ""
    evidence: bytes = field(default=b"", repr=False)


class Ledgers:
    """What a node keeps of the ledger. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._outbox = Outbox(sealer)

    # -- batches and receipts ---------------------------------------------------------------------------------------

    def binding(self, tx: Connection, batch_id: bytes) -> Binding | None:
        """How a batch was bound; None where it was not."""
        row = tx.execute(select(batches.c.batch_key, batches.c.digest).where(batches.c.batch_id == batch_id)).one()
        return None if row.batch_key is None else Binding(row.batch_key, row.digest)

    def bind(self, tx: Connection, batch_id: bytes, binding: Binding) -> None:
        tx.execute(
            update(batches)
            .where(batches.c.batch_id == batch_id)
            .values(batch_key=binding.batch_key, digest=binding.digest)
        )

    def keep(self, tx: Connection, held: Held) -> None:
        """Keep a receipt; the one that is there stays, since the same batch is the same leaf."""
        if tx.execute(select(receipts.c.batch_id).where(receipts.c.batch_id == held.batch_id)).first() is None:
            tx.execute(
                insert(receipts).values(
                    batch_id=held.batch_id,
                    leaf_index=held.receipt.leaf_index,
                    salt=held.receipt.salt,
                    batch_digest=held.batch_digest,
                    stored_digest=held.receipt.stored_digest,
                    checkpoint=held.receipt.checkpoint,
                    size=held.tree.size,
                    root=held.tree.root,
                )
            )

    def count(self, tx: Connection) -> int:
        """How many receipts there are."""
        return tx.execute(select(func.count()).select_from(receipts)).scalar_one()

    def unproved(self, tx: Connection, limit: int) -> tuple[Held, ...]:
        """Receipts whose checkpoints are still to be proved, the oldest trees first."""
        query = select(receipts).where(~receipts.c.proved).order_by(receipts.c.size, receipts.c.leaf_index)
        return tuple(map(_held, tx.execute(query.limit(limit))))

    def page(self, tx: Connection, after: int, limit: int) -> tuple[Held, ...]:
        """The next receipts by their leaf, after an index."""
        query = select(receipts).where(receipts.c.leaf_index > after).order_by(receipts.c.leaf_index)
        return tuple(map(_held, tx.execute(query.limit(limit))))

    def proved_trees(self, tx: Connection, below: int) -> tuple[Checkpoint, ...]:
        """The proved checkpoints of receipts, of sizes below one, by size."""
        query = select(receipts.c.size, receipts.c.root).where(receipts.c.proved, receipts.c.size < below)
        return tuple(Checkpoint(row.size, row.root) for row in tx.execute(query.distinct().order_by(receipts.c.size)))

    # -- the newest checkpoint --------------------------------------------------------------------------------------

    def kept(self, tx: Connection) -> Kept | None:
        row = tx.execute(select(ledger)).one_or_none()
        if row is None:
            return None
        return Kept(Checkpoint(row.size, row.root), row.checkpoint, row.since, row.verified_at)

    def advance(self, tx: Connection, tree: Checkpoint, note: bytes, proved: Iterable[Held], now: datetime) -> None:
        """Put a checkpoint in place of the one before and of the receipts' that it was proved to continue."""
        values = {"size": tree.size, "root": tree.root, "checkpoint": note}
        if not tx.execute(update(ledger).values(values)).rowcount:
            tx.execute(insert(ledger).values(id=1, since=now, **values))
        for chunk in chunks(held.batch_id for held in proved):
            tx.execute(update(receipts).where(receipts.c.batch_id.in_(chunk)).values(proved=True))

    def begin_anew(self, tx: Connection) -> None:
        """Follow the ledger from the next checkpoint on, whatever it is; every leaf of ours is looked for as before."""
        tx.execute(delete(ledger))
        tx.execute(update(receipts).values(proved=True))
        # What witnesses were proved to have seen is of the ledger before.
        tx.execute(update(witnesses).values(size=0))

    def verified(self, tx: Connection, at: datetime) -> None:
        tx.execute(update(ledger).values(verified_at=at))

    def agreed_sizes(self, tx: Connection) -> dict[int, int]:
        """evaluator → the size up to which its ledger was proved to be the one that is kept here."""
        return {row.witness: row.size for row in tx.execute(select(witnesses))}

    def agree(
        self, tx: Connection, asked: Iterable[int], proved: Mapping[int, int], newest: int, now: datetime
    ) -> dict[int, datetime]:
        """Note the sizes up to which the ledgers of the witnesses that were asked were proved to be ours.

        Returns since when each was seen to show nothing new of a ledger that has `newest` leaves; those that do show it
        are absent.
        """
        before = {row.witness: row for row in tx.execute(select(witnesses))}
        behind = {}
        for witness in asked:
            last = before.get(witness)
            known = 0 if last is None else last.size
            size = proved.get(witness, 0)
            since = None
            if size < newest and size <= known:
                since = behind[witness] = (None if last is None else last.behind_since) or now
            values = {"size": max(size, known), "behind_since": since}
            if last is None:
                tx.execute(insert(witnesses).values(witness=witness, **values))
            else:
                tx.execute(update(witnesses).where(witnesses.c.witness == witness).values(values))
        return behind

    # -- what was sent ----------------------------------------------------------------------------------------------

    def sent(self, tx: Connection, after: bytes, through: bytes | None) -> dict[Handle, Sent]:
        """What was acknowledged under the handles beyond one, up to another (None: to the end); drills left out."""
        reached = [VersionState.ACKNOWLEDGED.value, VersionState.SENT.value, VersionState.PARKED.value]
        query = (
            select(versions, receipts.c.leaf_index)
            .join(pupils, pupils.c.pupil_id == versions.c.pupil_id)
            .outerjoin(receipts, receipts.c.batch_id == versions.c.batch_id)
            .where(
                versions.c.handle > after,
                ~pupils.c.drill,
                # What was dissolved may have been taken all the same.
                or_(versions.c.state.in_(reached), versions.c.batch_id.is_not(None)),
            )
            .order_by(versions.c.handle, versions.c.version)
        )
        if through is not None:
            query = query.where(versions.c.handle <= through)
        by_handle: dict[Handle, list[Any]] = {}
        for row in tx.execute(query):
            by_handle.setdefault(Handle(row.handle), []).append(row)
        found = {}
        for handle, rows in by_handle.items():
            taken = [row for row in rows if row.state == VersionState.ACKNOWLEDGED.value]
            since = taken[-1].version if taken else 0
            found[handle] = Sent(
                # Older ones are overtaken, whatever the registry says of them.
                versions={row.version: self._outbox.opened(row) for row in rows if row.version >= since},
                acknowledged=since,
                uncertain=frozenset(row.version for row in rows if row.state in _UNCERTAIN),
                leaf_indexes={row.version: row.leaf_index for row in rows if row.leaf_index is not None},
            )
        return found


class AlarmBook:
    """The alarms of a node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def raise_new(self, tx: Connection, findings: Iterable[Finding], on: date, at: datetime) -> tuple[Alarm, ...]:
        """Keep those that were never raised before, and return them."""
        new = []
        for finding in findings:
            if tx.execute(select(alarms.c.alarm_id).where(alarms.c.subject == finding.subject)).first() is not None:
                continue
            values = {
                "subject": finding.subject,
                "kind": finding.kind.value,
                "first_index": finding.first,
                "last_index": finding.last,
                "witness": finding.witness,
                "evidence": finding.evidence or None,
                "raised_on": on,
                "raised_at": at,
            }
            row = tx.execute(insert(alarms).values(values).returning(*alarms.c)).one()
            new.append(self._opened(row))
        return tuple(new)

    def standing(self, tx: Connection) -> tuple[Alarm, ...]:
        """Those that nobody has acknowledged, oldest first."""
        query = select(alarms).where(alarms.c.acknowledged_at.is_(None)).order_by(alarms.c.alarm_id)
        return tuple(map(self._opened, tx.execute(query)))

    def all(self, tx: Connection) -> tuple[Alarm, ...]:
        """Every alarm there ever was, oldest first."""
        return tuple(map(self._opened, tx.execute(select(alarms).order_by(alarms.c.alarm_id))))

    def acknowledge(self, tx: Connection, alarm_ids: Sequence[int], by: str, at: datetime) -> None:
        """A person has seen them."""
        for alarm_id in alarm_ids:
            sealed = self._sealer.seal("alarms", _row_id(alarm_id), "sealed_acknowledged_by", by.encode())
            tx.execute(
                update(alarms)
                .where(alarms.c.alarm_id == alarm_id, alarms.c.acknowledged_at.is_(None))
                .values(acknowledged_at=at, sealed_acknowledged_by=sealed)
            )

    def _opened(self, row: Any) -> Alarm:
        by = b""
        if row.sealed_acknowledged_by is not None:
            place = ("alarms", _row_id(row.alarm_id), "sealed_acknowledged_by")
            by = self._sealer.open(*place, row.sealed_acknowledged_by)
        return Alarm(
            alarm_id=row.alarm_id,
            kind=Kind(row.kind),
            first=row.first_index,
            last=row.last_index,
            witness=row.witness,
            raised_on=row.raised_on,
            acknowledged_by=by.decode(),
            evidence=row.evidence or b"",
        )


_UNCERTAIN = (VersionState.PARKED.value, VersionState.SUPERSEDED.value)


def _held(row: Any) -> Held:
    receipt = Receipt(row.leaf_index, row.checkpoint, row.salt, row.stored_digest)
    return Held(row.batch_id, row.batch_digest, receipt, Checkpoint(row.size, row.root))


def _row_id(alarm_id: int) -> bytes:
    return alarm_id.to_bytes(8, "big")
