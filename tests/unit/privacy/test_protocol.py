"""The node's side of the threshold protocol: what it hides, what it accepts, whom it names."""

from __future__ import annotations

import dataclasses
import itertools
import os
import secrets
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from privacy import group, keys, oprf, protocol
from privacy.errors import AnswerError, PrivacyError, Reason
from privacy.keys import Share
from privacy.oprf import Mode
from privacy.protocol import Answer, Blinded, EpochKey

INPUTS = [f"input {number}".encode() for number in range(12)]


@cache
def federation() -> tuple[EpochKey, dict[int, Share]]:
    dealt = keys.deal_epoch(7, 2, 3, secrets.token_bytes)
    epoch_key = EpochKey.checked(7, 2, 1, dealt.public_key, dealt.commitments)
    return epoch_key, {index: keys.parse_share(content) for index, content in dealt.shares.items()}


def answer(index: int, blinded: Blinded) -> Answer:
    share = federation()[1][index]
    evaluated = oprf.blind_evaluate(share.secret, blinded.elements)
    proof = oprf.generate_proof(share.secret, share.commitment, blinded.elements, evaluated, secrets.token_bytes)
    return Answer(index, share.epoch, share.version, evaluated, proof.encoded, proof.composite)


def outputs(blinded: Blinded, *answers: Answer) -> list[bytes]:
    return protocol.finalize(protocol.verify(federation()[0], blinded, answers, secrets.token_bytes))


def test_outputs_come_in_the_order_of_the_inputs_whoever_answers() -> None:
    alone = [outputs(one, answer(1, one), answer(2, one))[0] for one in blinded_alone()]
    for pair in itertools.permutations((1, 2, 3), 2):
        blinded = protocol.blind(INPUTS, secrets.token_bytes)
        assert outputs(blinded, *(answer(index, blinded) for index in pair)) == alone


def blinded_alone() -> list[Blinded]:
    return [protocol.blind([given], secrets.token_bytes) for given in INPUTS]


def test_inputs_leave_in_an_order_that_says_nothing() -> None:
    orders = {protocol.blind(INPUTS, secrets.token_bytes).positions for _ in range(20)}
    assert len(orders) > 15
    assert all(sorted(order) == list(range(len(INPUTS))) for order in orders)


def test_equal_inputs_leave_as_different_elements() -> None:
    elements = protocol.blind([b"same"] * 20, secrets.token_bytes).elements
    assert len(set(elements)) == 20


def test_composites_are_optional() -> None:
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    full = [answer(1, blinded), answer(3, blinded)]
    bare = [dataclasses.replace(each, composite=None) for each in full]
    assert outputs(blinded, *bare) == outputs(blinded, *full) == outputs(blinded, full[0], bare[1])


def test_liars_are_named_and_honest_ones_are_not() -> None:
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    lied = dataclasses.replace(answer(3, blinded), evaluated=answer(2, blinded).evaluated)
    # With the composite of what it should have answered, and with none.
    for lie, reason in (
        (lied, Reason.COMPOSITE_WRONG),
        (dataclasses.replace(lied, composite=None), Reason.PROOF_WRONG),
    ):
        with pytest.raises(AnswerError) as caught:
            outputs(blinded, answer(1, blinded), lie)
        assert (caught.value.indices, caught.value.reason) == ((3,), reason)
        assert "evaluator 3" in str(caught.value)


def test_composites_that_make_up_for_each_other_are_refused() -> None:
    # Two evaluators that know each other's errors: a check without random factors would pass.
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    first, second = answer(1, blinded), answer(2, blinded)
    assert first.composite is not None
    assert second.composite is not None
    shift = group.multiply_base(group.random_scalars(1, secrets.token_bytes))
    first_wrong = group.add(group.elements([first.composite]), shift)[0]
    second_wrong = group.subtract(group.elements([second.composite]), shift)[0]
    with pytest.raises(AnswerError) as caught:
        outputs(
            blinded,
            dataclasses.replace(first, composite=first_wrong),
            dataclasses.replace(second, composite=second_wrong),
        )
    assert (caught.value.indices, caught.value.reason) == ((1, 2), Reason.COMPOSITE_WRONG)


def test_a_proof_forged_upon_a_chosen_composite_is_refused() -> None:
    # Whoever may choose M can answer anything: with M = k⁻¹·Σ dᵢ·Zᵢ the proof holds for every lie Zᵢ.
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    share = federation()[1][2]
    lies = group.multiply_base(group.random_scalars(len(INPUTS), secrets.token_bytes))
    weights = oprf.composite_weights(share.commitment, blinded.elements, lies)
    second = group.weighted_sum(weights, lies)
    chosen = group.multiply(group.invert_scalars([share.secret]), [second])[0]
    nonce = group.random_scalars(1, secrets.token_bytes)[0]
    third = group.multiply([nonce], [chosen])[0]
    challenge = oprf._challenge(share.commitment, chosen, second, oprf.public_key(nonce), third)
    response = group.subtract_scalars([nonce], group.multiply_scalars([challenge], [share.secret]))[0]
    oprf.check_proof(share.commitment, weights, chosen, lies, challenge + response)  # holds, given the composite
    forged = Answer(2, share.epoch, share.version, lies, challenge + response, chosen)
    with pytest.raises(AnswerError) as caught:
        outputs(blinded, answer(1, blinded), forged)
    assert (caught.value.indices, caught.value.reason) == ((2,), Reason.COMPOSITE_WRONG)


def test_proofs_take_fresh_randomness() -> None:
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    assert answer(1, blinded).evaluated == answer(1, blinded).evaluated
    assert answer(1, blinded).proof != answer(1, blinded).proof


def test_a_failed_source_of_randomness_is_refused() -> None:
    with pytest.raises(PrivacyError) as caught:
        protocol.blind(INPUTS, bytes)
    assert caught.value.reason is Reason.SCALAR_ZERO


def test_no_repr_tells_anything() -> None:
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    answers = [answer(1, blinded), answer(2, blinded)]
    verified = protocol.verify(federation()[0], blinded, answers, secrets.token_bytes)
    shown = f"{blinded!r} {verified!r} {federation()[1]!r}"
    for secret in (*blinded.blinds, *blinded.inputs, federation()[1][1].secret):
        assert secret.hex() not in shown
        assert repr(bytes(secret))[2:-1] not in shown


def test_inverses_and_sums_agree_with_integers() -> None:
    values = group.random_scalars(9, secrets.token_bytes)
    whole = [int.from_bytes(value, "little") for value in values]
    inverses = [pow(value, -1, group.ORDER).to_bytes(32, "little") for value in whole]
    assert group.invert_scalars(values) == inverses
    assert group.invert_scalars(values[:1]) == inverses[:1]
    assert group.invert_scalars([]) == []
    total = group.weighted_sum(values, group.multiply_base(inverses_of_one(values)))
    assert total == group.multiply_base([group.scalar_of(len(values))])[0]


def inverses_of_one(values: list[group.Scalar]) -> list[group.Scalar]:
    return group.invert_scalars(values)


def test_both_modes_give_different_outputs_for_one_key() -> None:
    key = group.random_scalars(1, secrets.token_bytes)[0]
    assert oprf.evaluate(Mode.OPRF, key, INPUTS) != oprf.evaluate(Mode.VOPRF, key, INPUTS)


def test_importing_leaves_no_file_behind(tmp_path: Path) -> None:
    script = "from privacy import group; print(len(group.multiply_base([group.scalar_of(2)])))"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.stdout == "1\n", ran.stderr
    assert list(tmp_path.iterdir()) == []
