"""The node's side of the threshold VOPRF, step by step and without any network.

    blinded  = blind(inputs, random_bytes)              # send blinded.elements to t evaluators
    verified = verify(epoch_key, blinded, answers, …)   # raises AnswerError, naming who lied; ask another one
    outputs  = finalize(verified)                       # 64 bytes each, in the order of `inputs`

Invariants:
- The output equals the RFC 9497 output of the whole key, whichever t evaluators answered.
- Inputs are shuffled before they are blinded, so that their order tells an evaluator nothing.
- Every evaluator's batch proof is verified against that evaluator's commitment from the descriptor; `Verified` is the
  only thing `finalize` takes, and only `verify` makes one.
- Blinds live in `Blinded` alone and never leave it.

What it costs per number with t = 2, in scalar multiplications: hash .3, blind 1, composites Σdᵢ·Bᵢ 1.3 for both
evaluators together (see `_composites`) and Σdᵢ·Zᵢ 1.3 each, combination .3 to .6, unblinding 1. Additive blinding
would cost the same: what it saves in multiplications it spends on additions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from privacy import group, oprf, threshold
from privacy.errors import AnswerError, PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar
from privacy.oprf import Mode

_SHUFFLE_BYTES = 16
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class EpochKey:
    """What the descriptor says of one epoch: K and, per share index, Kᵢ. Build it with `EpochKey.checked`."""

    epoch: int
    threshold: int
    share_version: int
    public_key: Element
    commitments: Mapping[int, Element]

    @classmethod
    def checked(
        cls, epoch: int, threshold_: int, share_version: int, public_key: bytes, commitments: Mapping[int, bytes]
    ) -> EpochKey:
        """Check every element, and once that Σ λᵢ·Kᵢ = K. Raises `PrivacyError`."""
        found = dict(zip(commitments, group.elements(list(commitments.values())), strict=True))
        [whole] = group.elements([public_key])
        threshold.check_commitments(threshold_, found, whole)
        return cls(epoch, threshold_, share_version, whole, found)


@dataclass(frozen=True, slots=True)
class Blinded:
    """A batch on its way: `elements` go to the evaluators, everything else stays here."""

    elements: tuple[Element, ...]
    inputs: tuple[bytes, ...]
    blinds: tuple[Scalar, ...]
    positions: tuple[int, ...]
    """`inputs[n]`, `blinds[n]` and `elements[n]` belong to the caller's input number `positions[n]`."""

    def __repr__(self) -> str:
        return f"Blinded({len(self.elements)} elements)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one evaluator answered, unchecked. `composite` is the optional M the evaluator came by while proving."""

    evaluator: int
    epoch: int
    share_version: int
    evaluated: Sequence[bytes]
    proof: bytes
    composite: bytes | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """Exactly t answers whose proofs hold, with the batch they answer."""

    blinded: Blinded
    combination: threshold.Combination
    evaluated: tuple[Sequence[Element], ...]

    def __repr__(self) -> str:
        return f"Verified(evaluators={self.combination.indices})"


def blind(inputs: Sequence[bytes], random_bytes: RandomBytes) -> Blinded:
    """Shuffle and blind 1 to 1 000 inputs."""
    keys = random_bytes(_SHUFFLE_BYTES * len(inputs))
    positions = sorted(range(len(inputs)), key=lambda at: keys[at * _SHUFFLE_BYTES : (at + 1) * _SHUFFLE_BYTES])
    shuffled = [inputs[at] for at in positions]
    blinds, elements = oprf.blind(Mode.VOPRF, shuffled, random_bytes)
    return Blinded(tuple(elements), tuple(shuffled), tuple(blinds), tuple(positions))


def verify(epoch_key: EpochKey, blinded: Blinded, answers: Sequence[Answer], random_bytes: RandomBytes) -> Verified:
    """Check exactly t answers to `blinded`, each against its own evaluator's commitment.

    Raises `AnswerError` with the share indices of those whose answers do not hold, and plain `PrivacyError` where the
    set of answers as such is wrong: too few, too many, one evaluator twice.
    """
    chosen = threshold.combination(epoch_key.threshold, [answer.evaluator for answer in answers])
    _refuse(Reason.EVALUATOR_UNKNOWN, (a for a in answers if a.evaluator not in epoch_key.commitments))
    _refuse(Reason.EPOCHS_MIXED, (a for a in answers if a.epoch != epoch_key.epoch))
    _refuse(Reason.SHARE_VERSIONS_MIXED, (a for a in answers if a.share_version != epoch_key.share_version))
    pinned = [epoch_key.commitments[answer.evaluator] for answer in answers]
    weights = [
        _naming(answer, oprf.composite_weights, key, blinded.elements, answer.evaluated)
        for key, answer in zip(pinned, answers, strict=True)
    ]
    composites = _composites(blinded.elements, answers, weights, random_bytes)
    for key, answer, own_weights, composite in zip(pinned, answers, weights, composites, strict=True):
        _naming(answer, oprf.check_proof, key, own_weights, composite, answer.evaluated, answer.proof)
    # check_proof has multiplied, and thereby checked, every element of every answer.
    return Verified(blinded, chosen, tuple([Element(e) for e in answer.evaluated] for answer in answers))


def finalize(verified: Verified) -> list[bytes]:
    """Combine, unblind and hash: the outputs of 64 bytes, in the order in which the inputs were given."""
    blinded, chosen = verified.blinded, verified.combination
    combined = threshold.combine(chosen, verified.evaluated)
    blinds: Sequence[Scalar] = blinded.blinds
    if chosen.denominator != 1:
        blinds = group.multiply_scalars(blinds, [group.scalar_of(chosen.denominator)] * len(blinds))
    shuffled = oprf.finalize(blinded.inputs, group.invert_scalars(blinds), combined)
    outputs = [b""] * len(shuffled)
    for position, output in zip(blinded.positions, shuffled, strict=True):
        outputs[position] = output
    return outputs


def _composites(
    blinded: Sequence[Element],
    answers: Sequence[Answer],
    weights: Sequence[Sequence[Scalar]],
    random_bytes: RandomBytes,
) -> list[Element]:
    """M = Σ dᵢ·Bᵢ for every evaluator j, each with its own weights dⱼᵢ over the same blinded elements.

    Summing them one by one costs t multiplications per number. An evaluator has had to sum its own Mⱼ to make its proof
    and may send it along. A sent Mⱼ is never believed: with random ρⱼ, drawn after all of them are known,
    Σⱼ ρⱼ·Mⱼ = Σᵢ (Σⱼ ρⱼ·dⱼᵢ)·Bᵢ holds for a wrong set with a probability of about 1/order, and costs one multiplication
    per number. Where any is missing or the equation fails, all are summed here, and whoever sent a wrong one is named.
    So no proof is accepted that RFC 9497 refuses.
    """
    sent = [answer.composite for answer in answers if answer.composite is not None]
    if len(sent) == len(answers):
        claimed = [_naming(answer, group.elements, [m])[0] for answer, m in zip(answers, sent, strict=True)]
        factors = group.random_scalars(len(answers), random_bytes)
        joint: list[Scalar] | None = None
        for factor, own_weights in zip(factors, weights, strict=True):
            scaled = group.multiply_scalars([factor] * len(own_weights), own_weights)
            joint = scaled if joint is None else group.add_scalars(joint, scaled)
        assert joint is not None
        if group.weighted_sum(joint, blinded) == group.weighted_sum(factors, claimed):
            return claimed
    summed = [group.weighted_sum(own_weights, blinded) for own_weights in weights]
    wrong = (a for a, own in zip(answers, summed, strict=True) if a.composite is not None and a.composite != own)
    _refuse(Reason.COMPOSITE_WRONG, wrong)
    return summed


def _naming(answer: Answer, step: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run one step over one evaluator's answer; what it refuses is refused in that evaluator's name."""
    try:
        return step(*args, **kwargs)
    except PrivacyError as error:
        raise AnswerError(error.reason, [answer.evaluator]) from error


def _refuse(reason: Reason, answers: Iterable[Answer]) -> None:
    if indices := [answer.evaluator for answer in answers]:
        raise AnswerError(reason, indices)
