"""What a pseudonym costs, in bare libsodium scalar multiplications measured in the same run.

Run `python tests/benchmarks/bench_oprf.py`. Every round times the bare multiplication before and after each step, and
the ratio of a step is the median over the rounds: so a machine that slows down in between changes nothing.
"""

from __future__ import annotations

import functools
import itertools
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import rbcl

# Started as a script, the project's root is not on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from privacy import group, keys, oprf, protocol, pseudonym
from privacy.identifiers import CanonicalNumber

BATCH = oprf.MAX_BATCH
ROUNDS = 5
NODE_AIM = 7.5
EVALUATOR_AIM = 2.6
THRESHOLD, SHARES = 2, 3


@dataclass(frozen=True, slots=True)
class OprfFigures:
    """Costs per number as multiples of one scalar multiplication, which took `multiplication_us` microseconds.

    The node's figures are the median over all pairs of evaluators; `node` is the sum of its three steps.
    """

    multiplication_us: float
    blind: float
    verify: float
    finalize: float
    evaluator: float

    @property
    def node(self) -> float:
        return self.blind + self.verify + self.finalize


def measure(batch: int = BATCH, rounds: int = ROUNDS) -> OprfFigures:
    """Measure batches of `batch` numbers, `rounds` times over."""
    dealt = keys.deal_epoch(1, THRESHOLD, SHARES, secrets.token_bytes)
    epoch_key = protocol.EpochKey.checked(1, THRESHOLD, 1, dealt.public_key, dealt.commitments)
    shares = {index: keys.parse_share(content) for index, content in dealt.shares.items()}
    inputs = [pseudonym.pupil_input(CanonicalNumber(f"{number:012}")) for number in range(batch)]
    factors = group.random_scalars(batch, secrets.token_bytes)
    points = group.multiply_base(factors)

    def bare() -> None:
        for factor, point in zip(factors, points, strict=True):
            rbcl.crypto_scalarmult_ristretto255(factor, point)

    def answer(index: int) -> protocol.Answer:
        share = shares[index]
        evaluated = oprf.blind_evaluate(share.secret, blinded.elements)
        proof = oprf.generate_proof(share.secret, share.commitment, blinded.elements, evaluated, secrets.token_bytes)
        return protocol.Answer(index, share.epoch, share.version, evaluated, proof.encoded, proof.composite)

    units: list[float] = []
    ratios: dict[str, list[float]] = {"blind": [], "verify": [], "finalize": [], "evaluator": []}

    def ratio(name: str, step: Callable[[], object]) -> None:
        before, spent, after = _seconds(bare), _seconds(step), _seconds(bare)
        units.append(before)
        ratios[name].append(2 * spent / (before + after))

    blinded = protocol.blind(inputs, secrets.token_bytes)
    answers = {index: answer(index) for index in shares}
    for _ in range(rounds):
        ratio("blind", lambda: protocol.blind(inputs, secrets.token_bytes))
        for index in shares:
            ratio("evaluator", functools.partial(answer, index))
        for pair in itertools.combinations(shares, THRESHOLD):
            chosen = [answers[index] for index in pair]
            verified = protocol.verify(epoch_key, blinded, chosen, secrets.token_bytes)
            ratio("verify", functools.partial(protocol.verify, epoch_key, blinded, chosen, secrets.token_bytes))
            ratio("finalize", functools.partial(protocol.finalize, verified))
    unit = statistics.median(units) / batch * 1e6
    return OprfFigures(unit, **{name: statistics.median(found) for name, found in ratios.items()})


def report(figures: OprfFigures) -> str:
    """The figures as a few lines of text."""
    rows = (
        ("blind", figures.blind, None),
        ("verify two evaluators", figures.verify, None),
        ("combine and finalize", figures.finalize, None),
        ("node, per number", figures.node, NODE_AIM),
        ("evaluator, per number", figures.evaluator, EVALUATOR_AIM),
    )
    lines = [f"Pseudonyms, in scalar multiplications of {figures.multiplication_us:.1f} µs each:"]
    for name, value, aim in rows:
        lines.append(f"  {name:<24}{value:6.2f}" + ("" if aim is None else f"   (aim {aim})"))
    return "\n".join(lines)


def _seconds(step: Callable[[], object]) -> float:
    # Of this thread on the processor: what else runs on the machine is not counted.
    started = time.thread_time()
    step()
    return time.thread_time() - started


if __name__ == "__main__":
    print(report(measure()))  # noqa: T201
