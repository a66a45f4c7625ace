"""Every flaw of `tests/vectors/refused`, one file each, is refused by the step it names, for the reason it names."""

from __future__ import annotations

import json
import runpy
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from privacy import group, keys, oprf, protocol, refresh, registry_key, remaking, share_backup, threshold
from privacy.ceremony import Act, Ceremony
from privacy.errors import AnswerError, PrivacyError, Reason
from privacy.group import Element, Scalar
from privacy.oprf import Mode

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = sorted((VECTORS / "refused").glob("*.json"))
Given = dict[str, Any]


def unhex(value: Any) -> Any:
    return [unhex(each) for each in value] if isinstance(value, list) else bytes.fromhex(value)


def blind_evaluate(given: Given) -> None:
    oprf.blind_evaluate(Scalar(b"\x02" + bytes(31)), unhex(given["blinded"]))


def blind_count(given: Given) -> None:
    oprf.blind(Mode.VOPRF, [b""] * given["count"], secrets.token_bytes)


def blind_length(given: Given) -> None:
    oprf.blind(Mode.VOPRF, [bytes(given["length"])], secrets.token_bytes)


def multiply(given: Given) -> None:
    group.multiply(unhex(given["factors"]), unhex(given["points"]))


def invert(given: Given) -> None:
    group.invert_scalars(unhex(given["values"]))


def verify_proof(given: Given) -> None:
    oprf.verify_proof(*(unhex(given[field]) for field in ("public_key", "blinded", "evaluated", "proof")))


def epoch_key(given: Given) -> protocol.EpochKey:
    commitments = {int(index): bytes.fromhex(text) for index, text in given["commitments"].items()}
    public_key = bytes.fromhex(given["public_key"])
    return protocol.EpochKey.checked(
        given["epoch"], given["threshold"], given["share_version"], public_key, commitments
    )


def verify(given: Given) -> None:
    encoded = ("evaluated", "proof", "composite")
    answers = [
        protocol.Answer(
            **{name: unhex(value) if name in encoded and value else value for name, value in answer.items()}
        )
        for answer in given["answers"]
    ]
    blinded = protocol.Blinded(tuple(map(Element, unhex(given["blinded"]))), (), (), ())
    protocol.verify(epoch_key(given["epoch_key"]), blinded, answers, secrets.token_bytes)


def combine(given: Given) -> None:
    threshold.combine(threshold.combination(given["threshold"], given["indices"]), unhex(given["answers"]))


def finalize(given: Given) -> None:
    oprf.finalize(*(unhex(given[field]) for field in ("inputs", "blinds", "evaluated")))


def parse_share(given: Given) -> None:
    keys.parse_share(given["content"].encode())


def parse_registry_key(given: Given) -> None:
    registry_key.parse_registry_key(given["content"].encode())


def derive_key_pair(given: Given) -> None:
    oprf.derive_key_pair(Mode.VOPRF, unhex(given["seed"]), b"")


def deal(given: Given) -> None:
    key = group.random_scalars(1, secrets.token_bytes)[0]
    threshold.deal(key, given["threshold"], given["shares"], secrets.token_bytes)


def ceremony_of(given: Given) -> None:
    signing_keys = {int(index): unhex(key) for index, key in given["signing_keys"].items()}
    Ceremony.of([text.encode() for text in given["invitations"]], signing_keys)


def open_value(given: Given) -> None:
    secret = X25519PrivateKey.from_private_bytes(unhex(given["secret"]))
    Ceremony(Act(1, 1), bytes(32), {}).open("kind", given["giver"], given["taker"], given["box"], secret)


def check_value(given: Given) -> None:
    value = Scalar(unhex(given["value"]))
    refresh.check_value(unhex(given["commitments"]), given["index"], value, given["threshold"])


def refreshed_share(given: Given) -> None:
    values = {int(index): Scalar(unhex(value)) for index, value in given["values"].items()}
    refresh.refreshed_share(keys.parse_share(given["share"].encode()), values)


def check_parts(given: Given) -> None:
    commitments = {int(index): unhex(each) for index, each in given["commitments"].items()}
    remaking.check_parts(commitments, given["helpers"], given["lost"], 1, Element(unhex(given["own"])))


def open_backup(given: Given) -> None:
    share_backup.opened(given["content"].encode(), given["passphrase"].encode())


STEPS: dict[str, Callable[[Given], object]] = {
    step.__name__: step
    for step in (
        blind_evaluate, blind_count, blind_length, multiply, invert, verify_proof, epoch_key, verify, combine, finalize,
        parse_share, parse_registry_key, derive_key_pair, deal, ceremony_of, open_value, check_value, refreshed_share,
        check_parts, open_backup,
    )
}  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_flaw_is_refused_for_its_reason(file: Path) -> None:
    vector = json.loads(file.read_text())
    with pytest.raises(PrivacyError) as caught:
        STEPS[vector["step"]](vector["given"])
    assert caught.value.reason is Reason(vector["reason"])
    assert getattr(caught.value, "indices", ()) == tuple(vector.get("named", ()))


def test_the_unspoilt_request_is_accepted() -> None:
    # What makes the refusals mean something: the same world without any flaw goes through every step.
    world = runpy.run_path(str(VECTORS / "refused.py"))["World"]()
    answers = json.loads(json.dumps([world.shown(world.answers[index]) for index in (1, 3)], default=bytes.hex))
    verify({"epoch_key": world.epoch, "blinded": [element.hex() for element in world.blinded], "answers": answers})
    sound = world.answers[1]
    oprf.verify_proof(world.shares[1].commitment, world.blinded, sound.evaluated, sound.proof)
    assert keys.parse_share(world.share_file.encode()) == world.shares[1]
    assert registry_key.parse_registry_key(world.registry_file.encode()).epoch == 1


def test_every_reason_has_a_vector() -> None:
    assert {json.loads(file.read_text())["reason"] for file in FILES} == set(Reason)


def test_the_files_are_what_the_program_writes() -> None:
    written = runpy.run_path(str(VECTORS / "refused.py"))["all_vectors"]()
    assert written == {file.name: file.read_text() for file in FILES}


def test_who_is_named_is_always_told() -> None:
    error = AnswerError(Reason.PROOF_WRONG, [3, 1])
    assert error.indices == (1, 3)
    assert "evaluator 1 and 3" in str(error)
