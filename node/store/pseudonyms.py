"""The aggregates "pseudonym" and "evaluation": computed once per number and epoch, and what is under way.

State of an evaluation: begun (request id, inputs and blinds are durable before anything is sent) → finished: the row is
replaced by its pseudonyms in one transaction. A lost answer or a restart finds the row and sends the same bytes under
the same id, which counts once against the quota.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, select

from federation.rules.vocabulary import Pseudonym
from node.outbox import PseudonymRef
from node.store.bulk import chunks
from node.store.schema import evaluations, pseudonyms, pupils, versions
from node.store.schema import number_indexes as numbers
from node.store.sealing import Sealer
from privacy.protocol import Blinded


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One request: `blinded.elements` are sent, everything else stays here.

    `number_indexes` are in the order in which the inputs were given, which is that of the outputs.
    """

    request_id: bytes
    epoch: int
    number_indexes: tuple[bytes, ...]
    blinded: Blinded

    @property
    def refs(self) -> tuple[PseudonymRef, ...]:
        """What it asks for."""
        return tuple(PseudonymRef(self.epoch, index) for index in self.number_indexes)

    def __repr__(self) -> str:
        return f"Evaluation(epoch={self.epoch}, elements={len(self.number_indexes)})"


class _Content(msgspec.Struct, frozen=True, array_like=True):
    """The sealed part of an evaluation."""

    number_indexes: tuple[bytes, ...]
    blinded: Blinded


class Pseudonyms:
    """The pseudonyms of the node. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def missing(self, tx: Connection, wanted: Iterable[PseudonymRef]) -> tuple[PseudonymRef, ...]:
        """Those of `wanted` that have not been computed, in a fixed order."""
        asked = set(wanted)
        return tuple(sorted(asked - self._known(tx, asked)))

    def values(self, tx: Connection, wanted: Iterable[PseudonymRef]) -> dict[PseudonymRef, Pseudonym]:
        """Those of `wanted` that are known, opened."""
        asked = set(wanted)
        found: dict[PseudonymRef, Pseudonym] = {}
        for chunk in chunks(ref.number_index for ref in asked):
            for row in tx.execute(select(pseudonyms).where(pseudonyms.c.number_index.in_(chunk))):
                ref = PseudonymRef(row.epoch, row.number_index)
                if ref in asked:
                    value = self._sealer.open("pseudonyms", _row_id(ref), "sealed_value", row.sealed_value)
                    found[ref] = Pseudonym(ref.epoch, value)
        return found

    def made_by(self, tx: Connection, wanted: Iterable[PseudonymRef]) -> dict[PseudonymRef, str]:
        """Of those of `wanted` that are known: the evaluators whose answers made them, as 1,2."""
        asked = set(wanted)
        found: dict[PseudonymRef, str] = {}
        for chunk in chunks(ref.number_index for ref in asked):
            query = select(pseudonyms.c.epoch, pseudonyms.c.number_index, pseudonyms.c.evaluators)
            for row in tx.execute(query.where(pseudonyms.c.number_index.in_(chunk))):
                found[PseudonymRef(row.epoch, row.number_index)] = row.evaluators or ""
        return {ref: evaluators for ref, evaluators in found.items() if ref in asked}

    def epochs(self, tx: Connection) -> tuple[int, ...]:
        """The epochs of which there is any pseudonym."""
        return tuple(tx.scalars(select(pseudonyms.c.epoch).distinct().order_by(pseudonyms.c.epoch)))

    def lacking_epoch(self, tx: Connection, epoch: int) -> int:
        """How many pupils already spoken of have the pseudonym of another epoch and not of this one; no drills."""
        own = pseudonyms.alias("own")
        query = (
            select(func.count(pupils.c.pupil_id.distinct()))
            .select_from(pupils)
            .join(numbers, numbers.c.pupil_id == pupils.c.pupil_id)
            .join(pseudonyms, and_(pseudonyms.c.number_index == numbers.c.number_index, pseudonyms.c.epoch != epoch))
            .outerjoin(own, and_(own.c.number_index == numbers.c.number_index, own.c.epoch == epoch))
            .where(own.c.number_index.is_(None), ~pupils.c.drill, pupils.c.pupil_id.in_(select(versions.c.pupil_id)))
        )
        return tx.execute(query).scalar_one()

    def pupils_with_any(self, tx: Connection) -> int:
        """Of how many pupils already spoken of `lacking_epoch` is about, and those who lack nothing; no drills."""
        query = (
            select(func.count(pupils.c.pupil_id.distinct()))
            .select_from(pupils)
            .join(numbers, numbers.c.pupil_id == pupils.c.pupil_id)
            .join(pseudonyms, pseudonyms.c.number_index == numbers.c.number_index)
            .where(~pupils.c.drill, pupils.c.pupil_id.in_(select(versions.c.pupil_id)))
        )
        return tx.execute(query).scalar_one()

    # -- evaluations ------------------------------------------------------------------------------------------------

    def begin(self, tx: Connection, evaluation: Evaluation, now: datetime) -> None:
        """Make a request durable before it is sent for the first time."""
        content = _Content(evaluation.number_indexes, evaluation.blinded)
        tx.execute(
            insert(evaluations).values(
                request_id=evaluation.request_id,
                epoch=evaluation.epoch,
                sealed_content=self._sealer.seal(
                    "evaluations", evaluation.request_id, "sealed_content", _encode(content)
                ),
                created_at=now,
            )
        )

    def under_way(self, tx: Connection) -> tuple[Evaluation, ...]:
        """Requests whose pseudonyms are not known yet, oldest first."""
        rows = tx.execute(select(evaluations).order_by(evaluations.c.created_at, evaluations.c.request_id)).all()
        return tuple(self._opened(row.request_id, row.epoch, row.sealed_content) for row in rows)

    def finish(
        self, tx: Connection, evaluation: Evaluation, values: Sequence[bytes], evaluators: Sequence[int]
    ) -> None:
        """Keep the pseudonyms of a request, in its order, and forget its blinds.

        `evaluators` are those whose verified answers made them.
        """
        by_ref: Mapping[PseudonymRef, bytes] = dict(zip(evaluation.refs, values, strict=True))
        known = self._known(tx, by_ref)
        rows = [
            {
                "number_index": ref.number_index,
                "epoch": ref.epoch,
                "sealed_value": self._sealer.seal("pseudonyms", _row_id(ref), "sealed_value", value),
                "evaluators": ",".join(map(str, sorted(evaluators))),
            }
            for ref, value in by_ref.items()
            if ref not in known
        ]
        if rows:
            tx.execute(insert(pseudonyms), rows)
        self.drop(tx, evaluation)

    def drop(self, tx: Connection, evaluation: Evaluation) -> None:
        """Forget a request that serves nothing any more."""
        tx.execute(delete(evaluations).where(evaluations.c.request_id == evaluation.request_id))

    def _known(self, tx: Connection, asked: Iterable[PseudonymRef]) -> set[PseudonymRef]:
        found: set[PseudonymRef] = set()
        for chunk in chunks(ref.number_index for ref in asked):
            query = select(pseudonyms.c.epoch, pseudonyms.c.number_index).where(pseudonyms.c.number_index.in_(chunk))
            found.update(PseudonymRef(row.epoch, row.number_index) for row in tx.execute(query))
        return found

    def _opened(self, request_id: bytes, epoch: int, sealed: bytes) -> Evaluation:
        content = _decode(self._sealer.open("evaluations", request_id, "sealed_content", sealed))
        return Evaluation(request_id, epoch, content.number_indexes, content.blinded)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Content).decode


def _row_id(ref: PseudonymRef) -> bytes:
    return ref.number_index + ref.epoch.to_bytes(4, "big")


def evaluations_naming(tx: Connection, sealer: Sealer, number_indexes: Iterable[bytes]) -> tuple[bytes, ...]:
    """The request ids of what is asked of evaluators about any of these numbers."""
    sought = set(number_indexes)
    found = []
    for row in tx.execute(select(evaluations)):
        plain = sealer.open("evaluations", row.request_id, "sealed_content", row.sealed_content)
        if sought & set(_decode(plain).number_indexes):
            found.append(row.request_id)
    return tuple(found)
