"""From numbers to pseudonyms, once per number and epoch (design §4.3, §7).

1. blind: inputs are shuffled and blinded, and the request with its id and blinds made durable;
2. blind evaluate at as many evaluators as the epoch's threshold says, the same bytes under the same id at each;
3. verify each answer against that evaluator's commitment from the descriptor;
4. combine and finalize, and keep the pseudonyms in place of the request.

Invariants: nothing is sent that is not durable; an answer that does not verify is never combined, its evaluator is
named and the next one asked; no number, blind or pseudonym leaves this module but into the store.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from federation.clock import Clock
from federation.database import Database
from federation.descriptor import Epoch
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.rules.vocabulary import MAX_BATCH, REQUEST_ID_BYTES
from node.outbox import PseudonymRef
from node.store import Transaction
from node.store.outbox import Outbox, referenced
from node.store.pseudonyms import Evaluation, Pseudonyms
from node.store.pupils import Pupils
from privacy import protocol
from privacy.errors import AnswerError, PrivacyError, Reason
from privacy.protocol import Answer, EpochKey
from privacy.pseudonym import from_output, pupil_input

EVALUATOR_LIED = Event("evaluator_lied", ("evaluator", "epoch", "reason"), Level.ERROR)
EVALUATOR_UNAVAILABLE = Event("evaluator_unavailable", ("evaluator", "epoch", "code"), Level.WARNING)
NO_QUORUM = Event("evaluators_no_quorum", ("epoch", "threshold", "answered"), Level.ERROR)


REQUESTS_A_DAY = 4
"""A request is taken whole or not at all: one of over a day's quota never would be."""


class EvaluatorLink(Protocol):
    """One evaluator as it is asked; `node.uplink.EvaluatorLink` over the network."""

    @property
    def index(self) -> int: ...

    def blind_evaluate(self, request_id: bytes, epoch: int, elements: Sequence[bytes]) -> Answer: ...
    def check(self) -> None: ...


class EvaluatorWatch(Protocol):
    """Who wants to know whose answers verify; `node.evaluators.Evaluators`."""

    def lied(self, index: int) -> None: ...
    def proved(self, index: int) -> None: ...


_Request = Evaluation | Sequence[PseudonymRef]
"""Begun before, or to be begun."""

Inputs = Callable[[Transaction, Sequence[PseudonymRef]], dict[bytes, bytes]]
"""number_index → the protocol's input, of the numbers that are known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many pseudonyms were computed, and why others were not, in plain sentences."""

    computed: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Round:
    """What one run has learned of the evaluators: who is not asked again, of an epoch or at all, and why."""

    links: Sequence[EvaluatorLink]
    excluded: dict[tuple[int, int], str] = field(default_factory=dict)
    liars: dict[int, str] = field(default_factory=dict)

    def askable(self, epoch: int) -> list[EvaluatorLink]:
        return [
            link for link in self.links if (epoch, link.index) not in self.excluded and link.index not in self.liars
        ]


class Pseudonymiser:
    """Computes what the outbox waits for."""

    def __init__(
        self,
        database: Database,
        pupils: Pupils,
        outbox: Outbox,
        pseudonyms: Pseudonyms,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        log: Log,
        day_quota: Callable[[], int],
        watch: EvaluatorWatch | None = None,
    ) -> None:
        """`day_quota`: elements that this member may ask of an evaluator on one day."""
        self._day_quota = day_quota
        self._watch = watch
        self._database = database
        self._pupils = pupils
        self._outbox = outbox
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._random_bytes = random_bytes
        self._log = log

    def run(
        self, epochs: Sequence[Epoch], links: Callable[[], Sequence[EvaluatorLink]]
    ) -> Generator[tuple[int, int], None, Outcome]:
        """Compute the pseudonyms that waiting versions name; yields (done, total) and returns the outcome."""
        standing = frozenset(epoch.epoch for epoch in epochs)

        def named(tx: Transaction) -> frozenset[PseudonymRef]:
            return frozenset(ref for ref in referenced(self._outbox.waiting(tx)) if ref.epoch in standing)

        return (yield from self._compute(named, epochs, links, self._inputs))

    def compute(
        self,
        refs: Collection[PseudonymRef],
        epochs: Sequence[Epoch],
        links: Callable[[], Sequence[EvaluatorLink]],
        inputs: Mapping[bytes, bytes] | None = None,
    ) -> Generator[tuple[int, int], None, Outcome]:
        """Compute these pseudonyms as `run` does, where they are not known yet.

        `inputs`: number_index → the protocol's input, where the number is no pupil's.
        """
        find = self._inputs if inputs is None else lambda _tx, _refs: dict(inputs)
        return (yield from self._compute(lambda _tx: frozenset(refs), epochs, links, find))

    def _compute(
        self,
        named: Callable[[Transaction], Collection[PseudonymRef]],
        epochs: Sequence[Epoch],
        links: Callable[[], Sequence[EvaluatorLink]],
        inputs: Inputs,
    ) -> Generator[tuple[int, int], None, Outcome]:
        standing = {epoch.epoch: epoch for epoch in epochs}
        begun = self._database.run("node_evaluations_resume", lambda tx: self._resume(tx, frozenset(standing)))
        asked = self._database.view("node_pseudonyms_asked", lambda tx: frozenset(named(tx)))
        wanted = self._database.view("node_pseudonyms_wanted", lambda tx: self._wanted(tx, begun, asked))
        total = len(wanted) + sum(len(evaluation.number_indexes) for evaluation in begun)
        if not total:
            return Outcome()
        asking = _Round(links())
        problems: list[str] = []
        computed, done = 0, 0
        stuck: set[int] = set()
        # What was begun for another purpose goes last: where it is beyond the quota, it holds up nobody.
        others = [evaluation for evaluation in begun if asked.isdisjoint(evaluation.refs)]
        ours = [evaluation for evaluation in begun if evaluation not in others]
        # The oldest epoch first: it is what every member can be met by.
        first: list[_Request] = [*ours, *_batches(wanted, self._at_once())]
        requests: list[_Request] = [*sorted(first, key=_epoch_of), *others]
        for request in requests:
            yield done, total
            size = len(request.number_indexes if isinstance(request, Evaluation) else request)
            done += size
            epoch = standing[_epoch_of(request)]
            if epoch.epoch in stuck:
                continue
            try:
                evaluation = request if isinstance(request, Evaluation) else self._begin(request, inputs)
                if evaluation is None:
                    continue
                values, evaluators = self._evaluate(evaluation, epoch, asking)
            except UppropError as error:
                # What is left of this epoch would meet the same evaluators.
                stuck.add(epoch.epoch)
                problems.append(error.sentence)
                continue
            self._database.run(
                "node_evaluation_finish",
                functools.partial(self._pseudonyms.finish, evaluation=evaluation, values=values, evaluators=evaluators),
            )
            computed += len(values)
        yield total, total
        return Outcome(computed, (*asking.liars.values(), *problems))

    def _at_once(self) -> int:
        """Elements of one request: small enough beside a day's quota that what is left of it serves to the last."""
        return max(1, min(MAX_BATCH, self._day_quota() // REQUESTS_A_DAY))

    # -- what is to be computed -------------------------------------------------------------------------------------

    def _resume(self, tx: Transaction, standing: frozenset[int]) -> tuple[Evaluation, ...]:
        """Requests begun before; those of an epoch that stands no more serve nothing."""
        kept: list[Evaluation] = []
        for evaluation in self._pseudonyms.under_way(tx):
            if evaluation.epoch in standing:
                kept.append(evaluation)
            else:
                self._pseudonyms.drop(tx, evaluation)
        return tuple(kept)

    def _wanted(
        self, tx: Transaction, begun: Sequence[Evaluation], named: Collection[PseudonymRef]
    ) -> tuple[PseudonymRef, ...]:
        under_way = {ref for evaluation in begun for ref in evaluation.refs}
        return self._pseudonyms.missing(tx, set(named) - under_way)

    def _begin(self, refs: Sequence[PseudonymRef], find: Inputs) -> Evaluation | None:
        """Blind one batch and make it durable before it is sent; None where no number is known any more."""
        inputs = self._database.view("node_numbers", lambda tx: find(tx, refs))
        if not inputs:
            return None
        evaluation = Evaluation(
            request_id=self._random_bytes(REQUEST_ID_BYTES),
            epoch=refs[0].epoch,
            number_indexes=tuple(inputs),
            blinded=protocol.blind(tuple(inputs.values()), self._random_bytes),
        )
        now = self._clock.now()
        self._database.run(
            "node_evaluation_begin", functools.partial(self._pseudonyms.begin, evaluation=evaluation, now=now)
        )
        return evaluation

    def _inputs(self, tx: Transaction, refs: Sequence[PseudonymRef]) -> dict[bytes, bytes]:
        """number_index → the protocol's input, of the numbers that pupils still have."""
        wanted = {ref.number_index for ref in refs}
        owners = self._pupils.by_numbers(tx, wanted)
        inputs: dict[bytes, bytes] = {}
        for identity in self._pupils.identities(tx, owners.values()).values():
            for number in identity.numbers:
                index = self._pupils.number_index(number)
                if index in wanted:
                    inputs[index] = pupil_input(number.number)
        return inputs

    # -- asking -----------------------------------------------------------------------------------------------------

    def _evaluate(self, evaluation: Evaluation, epoch: Epoch, asking: _Round) -> tuple[list[bytes], list[int]]:
        """The pseudonyms of one request, in its order, and whose answers made them. Raises UppropError(NO_QUORUM)."""
        key = _epoch_key(epoch)
        answers: dict[int, Answer] = {}
        while True:
            for link in asking.askable(evaluation.epoch):
                if len(answers) == key.threshold:
                    break
                if link.index in key.commitments and link.index not in answers:
                    self._ask(link, evaluation, asking, answers)
            if len(answers) < key.threshold:
                raise self._no_quorum(evaluation, key, len(answers), asking)
            chosen = list(answers.values())
            try:
                verified = protocol.verify(key, evaluation.blinded, chosen, self._random_bytes)
            except AnswerError as refused:
                for index in refused.indices:
                    answers.pop(index, None)
                    if refused.reason is Reason.SHARE_VERSIONS_MIXED:
                        # Honest after a share refresh that the descriptor here does not know yet, or knows too early.
                        asking.excluded[evaluation.epoch, index] = (
                            f"Evaluator {index} answers with another share than the descriptor lists; "
                            "fetch the newest descriptor."
                        )
                    else:
                        self._lied(index, evaluation.epoch, refused.reason.value, asking)
                continue
            if self._watch is not None:
                for index in answers:
                    self._watch.proved(index)
            return [from_output(output) for output in protocol.finalize(verified)], list(answers)

    def _ask(self, link: EvaluatorLink, evaluation: Evaluation, asking: _Round, answers: dict[int, Answer]) -> None:
        try:
            answers[link.index] = link.blind_evaluate(
                evaluation.request_id, evaluation.epoch, evaluation.blinded.elements
            )
        except UppropError as error:
            if error.code is Code.EVALUATOR_LIED:
                self._lied(link.index, evaluation.epoch, "UNFIT", asking)
                return
            asking.excluded[evaluation.epoch, link.index] = error.sentence
            self._log(EVALUATOR_UNAVAILABLE, evaluator=link.index, epoch=evaluation.epoch, code=error.code)

    def _lied(self, index: int, epoch: int, reason: str, asking: _Round) -> None:
        asking.liars[index] = (
            f"Evaluator {index} gave an answer that does not verify; nothing of it was used. "
            "Tell the authority and the evaluator's operator."
        )
        if self._watch is not None:
            self._watch.lied(index)
        self._log(EVALUATOR_LIED, evaluator=index, epoch=epoch, reason=reason)

    def _no_quorum(self, evaluation: Evaluation, key: EpochKey, answered: int, asking: _Round) -> UppropError:
        self._log(NO_QUORUM, epoch=evaluation.epoch, threshold=key.threshold, answered=answered)
        why = " ".join(said for (epoch, _), said in sorted(asking.excluded.items()) if epoch == evaluation.epoch)
        return UppropError(
            Code.NO_QUORUM,
            f"{key.threshold} evaluators are needed for a pseudonym of epoch {evaluation.epoch}, but only {answered} "
            f"could be used: what waits stays in the outbox until a later sync. {why}".strip(),
        )


def _epoch_of(request: _Request) -> int:
    return request.epoch if isinstance(request, Evaluation) else request[0].epoch


def _batches(refs: Sequence[PseudonymRef], size: int) -> list[Sequence[PseudonymRef]]:
    """Batches of one epoch each; `refs` come sorted, so by epoch."""
    found: list[Sequence[PseudonymRef]] = []
    for epoch in sorted({ref.epoch for ref in refs}):
        of_epoch = [ref for ref in refs if ref.epoch == epoch]
        found += [of_epoch[start : start + size] for start in range(0, len(of_epoch), size)]
    return found


def _epoch_key(epoch: Epoch) -> EpochKey:
    """The epoch's keys, checked to fit each other."""
    return _checked(
        epoch.epoch, epoch.threshold, epoch.share_version, epoch.public_key, tuple(sorted(epoch.commitments.items()))
    )


@functools.lru_cache(maxsize=16)
def _checked(
    epoch: int, threshold: int, share_version: int, public_key: bytes, commitments: tuple[tuple[int, bytes], ...]
) -> EpochKey:
    try:
        return EpochKey.checked(epoch, threshold, share_version, public_key, dict(commitments))
    except PrivacyError as error:
        raise UppropError(
            Code.DESCRIPTOR_INVALID,
            f"The evaluators' commitments of epoch {epoch} do not add up to its key. Tell the authority.",
        ) from error
