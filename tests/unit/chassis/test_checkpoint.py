"""Checkpoints as signed notes: what holds, and every flaw of `tests/vectors/ledger`, one file each, with its reason."""

from __future__ import annotations

import base64
import json
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation import checkpoint
from federation.checkpoint import ORIGIN, Checkpoint, CheckpointError, CheckpointFlaw
from federation.descriptor import Evaluator
from federation.errors import EXIT_LEDGER, Code, exit_code
from federation.rules import merkle
from federation.rules.merkle import ProofError, ProofFlaw

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = sorted((VECTORS / "ledger").glob("*.json"))

OWN, WITNESS = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 3))
STATED = Checkpoint(21, bytes(range(32)))
AT = datetime(2026, 9, 1, 18, 0, tzinfo=UTC)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def evaluator(index: int, key: Ed25519PrivateKey = WITNESS) -> Evaluator:
    return Evaluator(index=index, address="127.0.0.1:1", signing_key=public(key), key_sha256=f"{index:064x}")


def unhex(value: Any) -> Any:
    if isinstance(value, list):
        return [unhex(each) for each in value]
    return bytes.fromhex(value) if isinstance(value, str) else value


def refused(step: str, given: dict[str, Any]) -> str:
    """The name of the flaw for which a step refuses."""
    if step in {"inclusion", "consistency"}:
        verify: Any = getattr(merkle, f"verify_{step}")
        names = {
            "inclusion": ("leaf", "index", "size", "path", "root"),
            "consistency": ("first", "first_root", "second", "second_root", "path"),
        }
        with pytest.raises(ProofError) as proof:
            verify(*(unhex(given[name]) for name in names[step]))
        return proof.value.flaw.name
    note = given["note"].encode()
    if step == "checkpoint":
        with pytest.raises(CheckpointError) as error:
            checkpoint.verify(note, public(OWN))
    else:
        checkpoint.verify(note, public(OWN))
        with pytest.raises(CheckpointError) as error:
            checkpoint.verify_cosignatures(note, [evaluator(1)])
    assert error.value.code is Code.LEDGER_CHECKPOINT_REFUSED
    assert error.value.flaw.value in error.value.sentence
    return error.value.flaw.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_flaw_is_refused_for_its_own_reason(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    assert refused(vector["step"], vector["given"]) == vector["flaw"]


def test_every_reason_there_is_has_a_file() -> None:
    named = {json.loads(path.read_text(encoding="utf-8"))["flaw"] for path in FILES}
    assert named == {flaw.name for flaw in (*ProofFlaw, *CheckpointFlaw)}


def test_the_files_are_what_their_program_writes() -> None:
    program = runpy.run_path(str(VECTORS / "ledger.py"))
    written = {name: program["text_of"](vector) for name, vector in program["vectors"]()}
    assert {path.name: path.read_text(encoding="utf-8") for path in FILES} == written


def test_what_was_not_changed_holds() -> None:
    world = runpy.run_path(str(VECTORS / "ledger.py"))["World"]()
    given = {name: unhex(value) for name, value in world.inclusion().items()}
    merkle.verify_inclusion(given["leaf"], given["index"], given["size"], given["path"], given["root"])
    given = {name: unhex(value) for name, value in world.consistency().items()}
    merkle.verify_consistency(given["first"], given["first_root"], given["second"], given["second_root"], given["path"])
    assert checkpoint.verify(world.note, public(OWN)) == world.checkpoint


def test_a_checkpoint_is_a_signed_note_of_the_c2sp_format() -> None:
    note = checkpoint.sign(STATED, OWN).decode()
    text, line = note.split("\n\n")
    assert text == f"{ORIGIN}\n21\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    dash, name, blob = line.rstrip("\n").split(" ")
    assert (dash, name, len(base64.b64decode(blob))) == ("\N{EM DASH}", ORIGIN, 4 + 64)
    # As any other implementation would check it.
    Ed25519PublicKey.from_public_bytes(public(OWN)).verify(base64.b64decode(blob)[4:], f"{text}\n".encode())
    assert checkpoint.verify(note.encode(), public(OWN)) == STATED


def test_signing_twice_gives_the_same_note() -> None:
    assert checkpoint.sign(STATED, OWN) == checkpoint.sign(STATED, OWN)


def test_cosignatures_say_who_saw_it_and_when() -> None:
    note = checkpoint.sign(STATED, OWN)
    lines = [checkpoint.cosign(note, index, WITNESS, AT) for index in (1, 2)]
    whole = checkpoint.with_cosignatures(note, lines)
    assert checkpoint.verify(whole, public(OWN)) == STATED
    assert checkpoint.verify_cosignatures(whole, [evaluator(index) for index in (1, 2, 3)]) == {1: AT, 2: AT}
    # Somebody else's key under the same name counts for nobody.
    assert checkpoint.verify_cosignatures(whole, [evaluator(1, OWN)]) == {}


def test_a_cosignature_is_over_the_time_and_the_text() -> None:
    note = checkpoint.sign(STATED, OWN)
    blob = base64.b64decode(checkpoint.cosign(note, 1, WITNESS, AT).rsplit(b" ", 1)[1])
    seconds = int(AT.timestamp())
    assert blob[4:12] == seconds.to_bytes(8)
    signed = f"cosignature/v1\ntime {seconds}\n{STATED.text}".encode()
    Ed25519PublicKey.from_public_bytes(public(WITNESS)).verify(blob[12:], signed)


def test_a_signature_of_a_kind_that_is_not_known_here_is_passed_over() -> None:
    note = checkpoint.sign(STATED, OWN)
    unknown = "— example.org/log " + base64.b64encode(bytes(4 + 100)).decode() + "\n"
    assert checkpoint.verify(note + unknown.encode(), public(OWN)) == STATED


def test_a_command_that_meets_a_broken_ledger_has_an_exit_code_of_its_own() -> None:
    codes = (Code.LEDGER_BROKEN, Code.LEDGER_CHECKPOINT_REFUSED, Code.LEDGER_PROOF_REFUSED)
    assert {exit_code(code) for code in codes} == {EXIT_LEDGER}
