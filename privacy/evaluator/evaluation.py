"""One request for blind evaluation, from the caller's quota to the proof.

1. The epoch's share must be in force.
2. The request is charged to the member's quota and, beyond that, to what the evaluator's administrator allows it,
   durably; one that was charged before, under the same id and with the same content, is not charged again.
3. Only then is it evaluated and proved.

Invariants: no answer leaves that was not charged; a member pays for what it asks, sound or not, so that rubbish is not
free; nothing about a request is kept but its id, a digest and how many elements it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from federation.database import Database
from federation.descriptor import Descriptor
from federation.errors import Code, UppropError
from federation.rules.vocabulary import REQUEST_ID_BYTES, MemberId
from privacy import oprf
from privacy.errors import PrivacyError
from privacy.evaluator.observability import EvaluatorMetrics
from privacy.evaluator.shares import Shares
from privacy.evaluator.store import Transaction, allowances, usage
from privacy.evaluator.store.allowances import Allowance
from privacy.evaluator.store.usage import Used
from privacy.group import Element, RandomBytes
from privacy.keys import Share
from privacy.oprf import Proof

REQUESTS_KEPT = timedelta(days=90)
"""How long a request may be repeated without being charged anew: longer than any outage a node sits out."""

LARGEST_ALLOWANCE = 10_000_000
"""Elements: more pupils than the nation has, in two epochs."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The answer to a request, in its order."""

    share: Share
    elements: Sequence[Element]
    proof: Proof


class Evaluation:
    """Answers members."""

    def __init__(
        self,
        database: Database,
        shares: Shares,
        descriptors: Callable[[], Descriptor],
        random_bytes: RandomBytes,
        metrics: EvaluatorMetrics,
    ) -> None:
        self._database = database
        self._shares = shares
        self._descriptors = descriptors
        self._random_bytes = random_bytes
        self._metrics = metrics

    def answer(
        self, member: MemberId, request_id: bytes, epoch: int, blinded: Sequence[bytes], today: date
    ) -> Evaluated:
        """Evaluate 1 to 1 000 blinded elements and prove it.

        Raises UppropError: REQUEST_INVALID, BATCH_TOO_LARGE, EPOCH_UNKNOWN, QUOTA_EXCEEDED; BATCH_REUSED where the id
        came before with other content.
        """
        _check_shape(request_id, blinded)
        share = self._shares.of_epoch(epoch, self._descriptors())
        self._charge(member, request_id, _digest(epoch, blinded), len(blinded), today)
        try:
            evaluated = oprf.blind_evaluate(share.secret, blinded)
            proof = oprf.generate_proof(share.secret, share.commitment, blinded, evaluated, self._random_bytes)
        except PrivacyError as refused:
            raise UppropError(Code.REQUEST_INVALID, f"The request cannot be evaluated: {refused}.") from refused
        return Evaluated(share, evaluated, proof)

    def epochs(self) -> tuple[Share, ...]:
        """The shares in force."""
        return self._shares.usable(self._descriptors())

    def used(self, member: MemberId, today: date) -> Used:
        return self._database.view("evaluator_used", lambda tx: usage.used(tx, member, today))

    def used_by_all(self, today: date) -> dict[MemberId, Used]:
        """What each member has asked for this year and today; those that asked for nothing are left out."""
        return self._database.view("evaluator_used_by_all", lambda tx: usage.used_by_all(tx, today))

    def allow(self, member: MemberId, allowance: Allowance, today: date) -> None:
        """Let a member ask for more than its quota, in place of what it was allowed before.

        Raises UppropError(INPUT_REFUSED) for a member that the descriptor does not list, a day past or too many.
        """
        if not self._descriptors().has_member(member):
            raise UppropError(Code.INPUT_REFUSED, "The descriptor lists no such member. Write its id, such as 0180.")
        if allowance.until < today:
            raise UppropError(Code.INPUT_REFUSED, f"{allowance.until} is past. Give a last day that is still to come.")
        if allowance.elements > LARGEST_ALLOWANCE:
            raise UppropError(Code.INPUT_REFUSED, "The nation has fewer pupils. Allow as many as the member's roster.")
        self._database.run("evaluator_allow", lambda tx: allowances.grant(tx, member, allowance))

    def allowed(self, member: MemberId, today: date) -> int:
        """Elements that the member may ask for today beyond its quota."""
        return self._database.view("evaluator_allowed", lambda tx: allowances.left(tx, member, today))

    def allowed_to_all(self, today: date) -> dict[MemberId, Allowance]:
        """The allowances that may be used today, by member."""
        return self._database.view("evaluator_allowed_to_all", lambda tx: allowances.standing(tx, today))

    def forget(self, today: date) -> None:
        """Drop what no quota and no repetition needs any more."""

        def work(tx: Transaction) -> None:
            usage.forget(tx, today - REQUESTS_KEPT)
            allowances.forget(tx, today)

        self._database.run("evaluator_forget", work)

    def _charge(self, member: MemberId, request_id: bytes, digest: bytes, count: int, today: date) -> None:
        quota = self._descriptors().quota(member)

        def work(tx: Transaction) -> tuple[int, int]:
            before = usage.digest_of(tx, member, request_id)
            if before is not None:
                if before != digest:
                    raise UppropError(
                        Code.BATCH_REUSED, "This request id came before with other content. Send it under a new id."
                    )
                return 0, 0
            used = usage.used(tx, member, today)
            allowed = allowances.left(tx, member, today)
            for span, limit, spent in (("year", quota.year, used.year), ("day", quota.day, used.day)):
                if max(0, spent + count - limit) > allowed:
                    self._metrics.refused.labels(span).inc()
                    raise UppropError(
                        Code.QUOTA_EXCEEDED,
                        f"Member {member} has asked for {spent} evaluations this {span} and wants {count} more, but "
                        f"may ask for {limit}{f' and {allowed} allowed beyond that' if allowed else ''}. Wait for the "
                        f"next {span}, or ask the evaluator's administrator for an allowance (upprop evaluator allow).",
                    )
            within = max(0, min(count, quota.year - used.year, quota.day - used.day))
            usage.charge(tx, member, request_id, digest, within, today)
            allowances.use(tx, member, count - within)
            return within, count - within

        charged, beyond = self._database.run("evaluator_charge", work)
        for outcome, number in (("charged", charged), ("allowed", beyond), ("repeated", count - charged - beyond)):
            self._metrics.elements.add(outcome, number)


def _check_shape(request_id: bytes, blinded: Sequence[bytes]) -> None:
    if len(request_id) != REQUEST_ID_BYTES:
        raise UppropError(Code.REQUEST_INVALID, f"A request id has {REQUEST_ID_BYTES} bytes.")
    if not blinded:
        raise UppropError(Code.REQUEST_INVALID, "The request holds no elements.")
    if len(blinded) > oprf.MAX_BATCH:
        raise UppropError(Code.BATCH_TOO_LARGE, f"A request holds at most {oprf.MAX_BATCH} elements. Send it in parts.")


def _digest(epoch: int, blinded: Sequence[bytes]) -> bytes:
    content = hashlib.sha256(epoch.to_bytes(4, "big"))
    for element in blinded:
        content.update(len(element).to_bytes(4, "big") + element)
    return content.digest()
