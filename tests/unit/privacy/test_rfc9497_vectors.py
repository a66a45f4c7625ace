"""RFC 9497's own figures for ristretto255-SHA512, and the same figures from a key that is split."""

from __future__ import annotations

import itertools
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from privacy import group, oprf, protocol, threshold
from privacy.group import Scalar
from privacy.oprf import Mode

FILE = Path(__file__).parents[2] / "vectors" / "rfc9497_ristretto255_sha512.json"
MODES = {entry["mode"]: entry for entry in json.loads(FILE.read_text())["modes"]}
BATCHES = [pytest.param(Mode[m], b, id=f"{m}-{at}") for m, e in MODES.items() for at, b in enumerate(e["batches"])]


def listed(batch: dict[str, Any], field: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in batch[field]]


def key_of(mode: Mode) -> Scalar:
    return group.scalars([bytes.fromhex(MODES[mode.name]["secret_key"])])[0]


def wide(*encoded: bytes) -> group.RandomBytes:
    """A source of randomness that gives these scalars: padded to 64 bytes they are their own residue."""
    pool = b"".join(scalar + bytes(32) for scalar in encoded)

    def source(size: int) -> bytes:
        nonlocal pool
        given, pool = pool[:size], pool[size:]
        assert len(given) == size
        return given

    return source


@pytest.mark.parametrize("mode", Mode)
def test_key_pair_derives_from_seed(mode: Mode) -> None:
    entry = MODES[mode.name]
    key, public = oprf.derive_key_pair(mode, bytes.fromhex(entry["seed"]), bytes.fromhex(entry["key_info"]))
    assert key.hex() == entry["secret_key"]
    assert public.hex() == entry.get("public_key", public.hex())
    assert (b"HashToGroup-" + mode.context).hex() == entry["group_tag"]


@pytest.mark.parametrize(("mode", "batch"), BATCHES)
def test_every_step_gives_the_figures(mode: Mode, batch: dict[str, Any]) -> None:
    inputs = listed(batch, "inputs")
    blinds, blinded = oprf.blind(mode, inputs, wide(*listed(batch, "blinds")))
    assert blinds == listed(batch, "blinds")
    assert blinded == listed(batch, "blinded_elements")
    evaluated = oprf.blind_evaluate(key_of(mode), blinded)
    assert evaluated == listed(batch, "evaluation_elements")
    assert oprf.finalize(inputs, group.invert_scalars(blinds), evaluated) == listed(batch, "outputs")
    assert oprf.evaluate(mode, key_of(mode), inputs) == listed(batch, "outputs")


@pytest.mark.parametrize("batch", MODES["VOPRF"]["batches"])
def test_proofs_give_the_figures_and_verify(batch: dict[str, Any]) -> None:
    key = key_of(Mode.VOPRF)
    public = oprf.public_key(key)
    blinded = group.elements(listed(batch, "blinded_elements"))
    evaluated = group.elements(listed(batch, "evaluation_elements"))
    proof = oprf.generate_proof(key, public, blinded, evaluated, wide(bytes.fromhex(batch["proof_random_scalar"])))
    assert proof.encoded.hex() == batch["proof"]
    oprf.verify_proof(public, blinded, evaluated, proof.encoded)


@pytest.mark.parametrize("batch", MODES["VOPRF"]["batches"])
@pytest.mark.parametrize(("needed", "shares"), [(2, 3), (3, 5)])
def test_every_subset_of_a_split_key_gives_the_figures(batch: dict[str, Any], needed: int, shares: int) -> None:
    key, inputs = key_of(Mode.VOPRF), listed(batch, "inputs")
    dealt = threshold.deal(key, needed, shares, secrets.token_bytes)
    commitments = {index: oprf.public_key(share) for index, share in dealt.items()}
    epoch_key = protocol.EpochKey.checked(1, needed, 1, oprf.public_key(key), commitments)
    blinds = group.scalars(listed(batch, "blinds"))
    elements = tuple(oprf.blind(Mode.VOPRF, inputs, wide(*blinds))[1])
    blinded = protocol.Blinded(elements, tuple(inputs), tuple(blinds), tuple(range(len(inputs))))
    answers = {}
    for index, share in dealt.items():
        evaluated = oprf.blind_evaluate(share, elements)
        proof = oprf.generate_proof(share, commitments[index], elements, evaluated, secrets.token_bytes)
        answers[index] = protocol.Answer(index, 1, 1, evaluated, proof.encoded, proof.composite)
    for subset in itertools.permutations(dealt, needed):
        verified = protocol.verify(epoch_key, blinded, [answers[index] for index in subset], secrets.token_bytes)
        assert protocol.finalize(verified) == listed(batch, "outputs")
