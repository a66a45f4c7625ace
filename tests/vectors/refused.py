"""Writes the negative vectors: one small file per flaw in `refused/`, each with the step that must refuse it, and why.

Run `python tests/vectors/refused.py` to write them again; a test compares. All randomness comes from one seeded stream,
so the same program gives the same files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy import ceremony, group, keys, oprf, protocol, refresh, registry_key, remaking, share_backup
from privacy.errors import Reason
from privacy.keys import Share
from privacy.registry_key import REGISTRY_KEY_KIND

DIRECTORY = Path(__file__).with_name("refused")
Vector = dict[str, Any]


def seeded(seed: str) -> group.RandomBytes:
    stream = (hashlib.shake_256(f"{seed} {at}".encode()) for at in count())
    return lambda size: next(stream).digest(size)


def flipped(encoded: bytes, at: int = 0) -> bytes:
    return encoded[:at] + bytes([encoded[at] ^ 1]) + encoded[at + 1 :]


class World:
    """Three honest evaluators, two epochs of shares, and one request of three elements with their answers."""

    def __init__(self) -> None:
        random = seeded("upprop negative vectors")
        dealt, other = (keys.deal_epoch(1, 2, 3, random) for _ in range(2))
        self.epoch: Vector = {
            "epoch": 1,
            "threshold": 2,
            "share_version": 1,
            "public_key": dealt.public_key.hex(),
            "commitments": {str(index): commitment.hex() for index, commitment in dealt.commitments.items()},
        }
        self.foreign = other.public_key
        self.share_file = dealt.shares[1].decode()
        self.registry_file = dealt.registry_key.decode()
        self.shares = {index: keys.parse_share(content) for index, content in dealt.shares.items()}
        self.blinded = list(protocol.blind([b"one", b"two", b"three"], random).elements)
        self.answers = {index: self.answer(share, random) for index, share in self.shares.items()}
        self.spare = group.multiply_base(group.random_scalars(2, random))

    def answer(self, share: Share, random: group.RandomBytes) -> protocol.Answer:
        evaluated = oprf.blind_evaluate(share.secret, self.blinded)
        proof = oprf.generate_proof(share.secret, share.commitment, self.blinded, evaluated, random)
        return protocol.Answer(share.index, share.epoch, share.version, evaluated, proof.encoded, proof.composite)

    def verify_proof(self, flaw: str, reason: Reason, **changes: Any) -> Vector:
        answer = self.answers[1]
        given: Vector = {
            "public_key": self.shares[1].commitment,
            "blinded": self.blinded,
            "evaluated": list(answer.evaluated),
            "proof": answer.proof,
        }
        return vector(flaw, "verify_proof", reason, given | changes)

    def verify(self, flaw: str, reason: Reason, named: list[int], *chosen: int, **changes: Any) -> Vector:
        answers = [self.shown(self.answers[index]) for index in chosen]
        answers[-1] |= changes
        given = {"epoch_key": self.epoch, "blinded": self.blinded, "answers": answers}
        return vector(flaw, "verify", reason, given) | ({"named": named} if named else {})

    @staticmethod
    def shown(answer: protocol.Answer) -> Vector:
        return {
            "evaluator": answer.evaluator,
            "epoch": answer.epoch,
            "share_version": answer.share_version,
            "evaluated": list(answer.evaluated),
            "proof": answer.proof,
            "composite": answer.composite,
        }


def vector(flaw: str, step: str, reason: Reason, given: Vector) -> Vector:
    return {"flaw": flaw, "step": step, "reason": reason.value, "given": given}


NON_CANONICAL = (2**255 - 19 + 4).to_bytes(32, "little")
NEGATIVE = b"\x01" + bytes(31)
NO_POINT = b"\x02" + bytes(31)
ORDER = group.ORDER.to_bytes(32, "little")


def elements(world: World) -> Iterator[tuple[str, Vector]]:
    def bad(flaw: str, reason: Reason, encoding: bytes) -> Vector:
        return vector(flaw, "blind_evaluate", reason, {"blinded": [world.blinded[0], encoding]})

    yield "request-identity", bad("the identity in a request", Reason.ELEMENT_IDENTITY, bytes(32))
    yield "request-not-reduced", bad("a field element above the prime", Reason.ELEMENT_NON_CANONICAL, NON_CANONICAL)
    yield "request-negative", bad("a negative field element", Reason.ELEMENT_NON_CANONICAL, NEGATIVE)
    yield "request-no-point", bad("a field element of no group element", Reason.ELEMENT_NON_CANONICAL, NO_POINT)
    yield "request-short", bad("an element of 31 bytes", Reason.ELEMENT_LENGTH, world.blinded[1][:31])
    yield "request-long", bad("an element of 33 bytes", Reason.ELEMENT_LENGTH, world.blinded[1] + b"\x00")
    empty = {"blinded": list[bytes]()}
    yield "request-empty", vector("a request without elements", "blind_evaluate", Reason.LIST_EMPTY, empty)
    yield (
        "request-over-long",
        vector("1 001 elements", "blind_count", Reason.LIST_TOO_LONG, {"count": 1001}),
    )
    yield (
        "input-over-long",
        vector("65 536 bytes", "blind_length", Reason.INPUT_TOO_LONG, {"length": 65536}),
    )


def scalars(world: World) -> Iterator[tuple[str, Vector]]:
    def bad(flaw: str, reason: Reason, encoding: bytes) -> Vector:
        return vector(flaw, "multiply", reason, {"factors": [encoding], "points": world.blinded[:1]})

    yield "scalar-zero", bad("a zero scalar", Reason.SCALAR_ZERO, bytes(32))
    yield "scalar-order", bad("the order of the group as a scalar", Reason.SCALAR_NON_CANONICAL, ORDER)
    yield "scalar-short", bad("a scalar of 31 bytes", Reason.SCALAR_LENGTH, b"\x01" * 31)
    pair = {"factors": [b"\x01" + bytes(31)], "points": world.blinded[:2]}
    yield "scalars-unequal-lengths", vector("one scalar for two elements", "multiply", Reason.LENGTHS_UNEQUAL, pair)
    yield "inverse-of-zero", vector("the inverse of zero", "invert", Reason.SCALAR_ZERO, {"values": [bytes(32)]})


def proofs(world: World) -> Iterator[tuple[str, Vector]]:
    answer, wrong = world.answers[1], Reason.PROOF_WRONG
    proof, evaluated, blinded = answer.proof, list(answer.evaluated), world.blinded
    yield "proof-short", world.verify_proof("a proof of 63 bytes", Reason.PROOF_LENGTH, proof=proof[:63])
    yield "proof-long", world.verify_proof("a proof of 65 bytes", Reason.PROOF_LENGTH, proof=proof + b"\x00")
    yield "proof-altered-challenge", world.verify_proof("c altered", wrong, proof=flipped(proof))
    yield "proof-altered-response", world.verify_proof("s altered", wrong, proof=flipped(proof, 32))
    yield "proof-zero-challenge", world.verify_proof("c zero", Reason.SCALAR_ZERO, proof=bytes(32) + proof[32:])
    yield (
        "proof-response-not-reduced",
        world.verify_proof("s plus the order", Reason.SCALAR_NON_CANONICAL, proof=proof[:32] + added_order(proof[32:])),
    )
    yield (
        "proof-swapped-answers",
        world.verify_proof("two answers change places", wrong, evaluated=[evaluated[1], evaluated[0], evaluated[2]]),
    )
    yield (
        "proof-swapped-order",
        world.verify_proof(
            "another order than was proved",
            wrong,
            blinded=blinded[::-1],
            evaluated=evaluated[::-1],
        ),
    )
    yield "proof-swapped-roles", world.verify_proof("roles swapped", wrong, blinded=evaluated, evaluated=blinded)
    yield "proof-other-key", world.verify_proof("another's key", wrong, public_key=world.shares[2].commitment)
    yield (
        "proof-other-request",
        world.verify_proof("another asked", wrong, blinded=[*blinded[:2], world.spare[0]]),
    )
    yield (
        "proof-altered-answer",
        world.verify_proof("one answered otherwise", wrong, evaluated=[*evaluated[:2], world.spare[0]]),
    )
    yield (
        "proof-of-a-longer-batch",
        world.verify_proof("the last pair left out", wrong, blinded=blinded[:2], evaluated=evaluated[:2]),
    )
    yield "answers-too-short", world.verify_proof("an answer missing", Reason.LENGTHS_UNEQUAL, evaluated=evaluated[:2])
    yield (
        "answer-identity",
        world.verify_proof("the identity as answer", Reason.ELEMENT_IDENTITY, evaluated=[*evaluated[:2], bytes(32)]),
    )
    yield (
        "answer-not-reduced",
        world.verify_proof(
            "an answer encoded above the prime", Reason.ELEMENT_NON_CANONICAL, evaluated=[*evaluated[:2], NON_CANONICAL]
        ),
    )


def added_order(scalar: bytes) -> bytes:
    return (int.from_bytes(scalar, "little") + group.ORDER).to_bytes(32, "little")


def answers(world: World) -> Iterator[tuple[str, Vector]]:
    yield "evaluators-too-few", world.verify("one answer", Reason.ANSWERS_TOO_FEW, [], 1)
    yield "evaluators-too-many", world.verify("three answers", Reason.ANSWERS_TOO_MANY, [], 1, 2, 3)
    yield "evaluator-repeated", world.verify("one evaluator twice", Reason.EVALUATOR_REPEATED, [], 2, 2)
    yield (
        "evaluator-zero",
        world.verify("share index 0", Reason.EVALUATOR_UNKNOWN, [], 1, 2, evaluator=0),
    )
    yield "evaluator-unlisted", world.verify("an evaluator unlisted", Reason.EVALUATOR_UNKNOWN, [4], 1, 2, evaluator=4)
    yield (
        "share-versions-mixed",
        world.verify("a share from before a refresh", Reason.SHARE_VERSIONS_MIXED, [2], 1, 2, share_version=2),
    )
    yield "epochs-mixed", world.verify("an answer of another epoch", Reason.EPOCHS_MIXED, [3], 1, 3, epoch=2)
    yield (
        "evaluator-answers-for-another",
        world.verify("evaluator 2 as 3", Reason.PROOF_WRONG, [3], 1, 2, evaluator=3, composite=None),
    )
    yield (
        "evaluator-answers-as-another",
        world.verify(
            "the share of another evaluator used", Reason.PROOF_WRONG, [2], 1, 2,
            evaluated=list(world.answers[3].evaluated), proof=world.answers[3].proof, composite=None,
        ),
    )  # fmt: skip
    yield "composite-altered", world.verify("M is another", Reason.COMPOSITE_WRONG, [2], 1, 2, composite=world.spare[0])
    yield (
        "composite-of-another",
        world.verify("M of another evaluator", Reason.COMPOSITE_WRONG, [2], 1, 2, composite=world.answers[3].composite),
    )
    yield (
        "composite-identity",
        world.verify("M the identity", Reason.ELEMENT_IDENTITY, [2], 1, 2, composite=bytes(32)),
    )
    yield "composite-short", world.verify("M of 31 bytes", Reason.ELEMENT_LENGTH, [2], 1, 2, composite=bytes(31))


def epoch_keys(world: World) -> Iterator[tuple[str, Vector]]:
    def bad(flaw: str, reason: Reason, **changes: Any) -> Vector:
        return vector(flaw, "epoch_key", reason, world.epoch | changes)

    commitments: dict[str, str] = world.epoch["commitments"]
    yield "epoch-key-foreign", bad("a public key of others", Reason.PUBLIC_KEY_WRONG, public_key=world.foreign.hex())
    yield "epoch-key-identity", bad("the identity as public key", Reason.ELEMENT_IDENTITY, public_key=bytes(32).hex())
    yield (
        "commitment-foreign",
        bad("one commitment of others", Reason.PUBLIC_KEY_WRONG, commitments=commitments | {"3": world.foreign.hex()}),
    )
    swapped = commitments | {"1": commitments["2"], "2": commitments["1"]}
    yield "commitments-swapped", bad("two commitments swapped", Reason.PUBLIC_KEY_WRONG, commitments=swapped)
    yield "threshold-one", bad("one evaluator suffices", Reason.THRESHOLD_IMPOSSIBLE, threshold=1)
    yield "threshold-above-shares", bad("four of three", Reason.THRESHOLD_IMPOSSIBLE, threshold=4)
    dealt = keys.deal_epoch(1, 3, 4, seeded("three of four"))
    listed_as_two = world.epoch | {
        "public_key": dealt.public_key.hex(),
        "commitments": {str(index): commitment.hex() for index, commitment in dealt.commitments.items()},
    }
    yield "threshold-too-low", vector("3 of 4 listed as 2 of 4", "epoch_key", Reason.PUBLIC_KEY_WRONG, listed_as_two)


def files(world: World) -> Iterator[tuple[str, Vector]]:
    def share(flaw: str, reason: Reason, old: str, new: str) -> Vector:
        return vector(flaw, "parse_share", reason, {"content": world.share_file.replace(old, new)})

    def registry(flaw: str, reason: Reason, old: str, new: str) -> Vector:
        return vector(flaw, "parse_registry_key", reason, {"content": world.registry_file.replace(old, new)})

    secret, foreign = world.shares[1].secret.hex(), world.shares[2].secret.hex()
    malformed = Reason.FILE_MALFORMED
    yield "share-zero", share("a zero share", Reason.KEY_ZERO, secret, bytes(32).hex())
    yield "share-short", share("a share of 31 bytes", Reason.KEY_LENGTH, secret, secret[:62])
    yield "share-empty", share("an empty share", Reason.KEY_LENGTH, secret, "")
    yield "share-not-reduced", share("the order as share", Reason.SCALAR_NON_CANONICAL, secret, ORDER.hex())
    yield "share-of-another", share("a share beside another's commitment", Reason.PUBLIC_KEY_WRONG, secret, foreign)
    yield "share-not-hexadecimal", share("a share that is not hexadecimal", malformed, secret, "zz")
    yield "share-index-zero", share("share index 0: the key itself", malformed, "index = 1", "index = 0")
    yield "share-threshold-one", share("a share that suffices alone", malformed, "threshold = 2", "threshold = 1")
    yield "share-version-zero", share("share version 0", malformed, "version = 1", "version = 0")
    yield "share-epoch-text", share("an epoch that is no number", malformed, "epoch = 1", 'epoch = "1"')
    yield "share-unknown-field", share("a field nobody knows", malformed, "epoch = 1", "epoch = 1\nextra = 1")
    yield "share-missing-field", share("a field missing", malformed, "threshold = 2\n", "")
    yield "share-other-kind", share("another kind of file", malformed, keys.SHARE_KIND, REGISTRY_KEY_KIND)
    yield "share-not-toml", share("no TOML", malformed, "epoch = 1", "epoch 1")
    registry_secret = registry_key.parse_registry_key(world.registry_file.encode()).secret.hex()
    yield "registry-key-zero", registry("a zero key", Reason.KEY_ZERO, registry_secret, bytes(32).hex())
    yield "registry-key-short", registry("a key of 31 bytes", Reason.KEY_LENGTH, registry_secret, registry_secret[:62])
    yield "registry-key-long", registry("a key of 33 bytes", Reason.KEY_LENGTH, registry_secret, registry_secret + "00")
    yield "registry-key-empty", registry("an empty key", Reason.KEY_LENGTH, registry_secret, "")
    yield "seed-short", vector("a seed of 31 bytes", "derive_key_pair", Reason.KEY_LENGTH, {"seed": bytes(31)})
    yield (
        "deal-threshold-one",
        vector("1 of 3", "deal", Reason.THRESHOLD_IMPOSSIBLE, {"threshold": 1, "shares": 3}),
    )
    yield "deal-too-few", vector("three of two", "deal", Reason.THRESHOLD_IMPOSSIBLE, {"threshold": 3, "shares": 2})
    yield "deal-too-many", vector("two of 256", "deal", Reason.THRESHOLD_IMPOSSIBLE, {"threshold": 2, "shares": 256})


def combinations(world: World) -> Iterator[tuple[str, Vector]]:
    first = list(world.answers[1].evaluated)
    ragged = {"threshold": 2, "indices": [1, 2], "answers": [first, first[:2]]}
    yield "combine-unequal-lengths", vector("answers of two lengths", "combine", Reason.LENGTHS_UNEQUAL, ragged)
    single = {"threshold": 2, "indices": [1, 2], "answers": [first]}
    yield "combine-one-list", vector("one list for two", "combine", Reason.LENGTHS_UNEQUAL, single)
    short = {"inputs": [b"one"], "blinds": [b"\x01" + bytes(31)], "evaluated": first[:2]}
    yield "finalize-unequal-lengths", vector("two for one input", "finalize", Reason.LENGTHS_UNEQUAL, short)
    identity = {"inputs": [b"one"], "blinds": [b"\x01" + bytes(31)], "evaluated": [bytes(32)]}
    yield "finalize-identity", vector("the identity at the end", "finalize", Reason.ELEMENT_IDENTITY, identity)


def ceremonies(world: World) -> Iterator[tuple[str, Vector]]:
    signing = {index: Ed25519PrivateKey.from_private_bytes(bytes([index]) * 32) for index in (1, 2)}
    public = {str(index): key.public_key().public_bytes_raw() for index, key in signing.items()}

    def invitation(index: int, **changes: Any) -> str:
        fields = {"epoch": 1, "version": 1, "lost": 0, "nonce": "00" * 16, "public_key": "09" + "00" * 31, **changes}
        # With a fixed one-time key, which `invite` would not use.
        return ceremony._written(ceremony.INVITATION_KIND, index, fields, signing[index]).decode()

    def bad(flaw: str, reason: Reason, *invitations: str, named: int | None = None) -> Vector:
        given = {"invitations": list(invitations), "signing_keys": public}
        return vector(flaw, "ceremony_of", reason, given) | ({} if named is None else {"named": [named]})

    sound, malformed = invitation(1), Reason.FILE_MALFORMED
    yield "invitation-unsigned", bad("an altered invitation", Reason.SIGNATURE_WRONG, sound.replace("09", "0a"))
    other_name = sound.replace('"evaluator": 1', '"evaluator": 2')
    yield "invitation-of-another", bad("an invitation under another's name", Reason.SIGNATURE_WRONG, other_name)
    yield "invitation-unlisted", bad("of no evaluator", Reason.EVALUATOR_UNKNOWN, sound.replace(": 1,", ": 7,"))
    yield "invitation-no-json", bad("no JSON", malformed, sound[:-3])
    yield "invitation-short-key", bad("a key of 31 bytes", malformed, invitation(1, public_key="09" * 31), named=1)
    yield "invitation-no-number", bad("an epoch that is no number", malformed, invitation(1, epoch="1"), named=1)
    mixed = bad("invitations to two refreshes", Reason.CEREMONIES_MIXED, sound, invitation(2, version=2))
    yield "invitations-mixed", mixed
    twice = bad("two of one evaluator", Reason.EVALUATOR_REPEATED, sound, invitation(1, nonce="01" * 16), named=1)
    yield "invitation-repeated", twice
    rubbish = {"giver": 2, "taker": 1, "box": "00" * 80, "secret": "01" * 32}
    yield "value-unsealed", vector("no sealed value", "open_value", Reason.VALUE_UNSEALED, rubbish) | {"named": [2]}

    random = seeded("ceremonies")
    dealt = refresh.deal_zero(2, 3, random)
    fit: Vector = {"commitments": list(dealt.commitments), "index": 1, "value": dealt.values[1], "threshold": 2}
    foreign = fit | {"value": dealt.values[2]}
    yield "dealt-value-foreign", vector("another's value", "check_value", Reason.VALUE_WRONG, foreign)
    longer = fit | {"commitments": [*dealt.commitments, world.spare[0]]}
    yield "dealt-degree-higher", vector("a degree too high", "check_value", Reason.LENGTHS_UNEQUAL, longer)
    shorter = fit | {"commitments": list[bytes]()}
    yield "dealt-without-commitments", vector("no commitments", "check_value", Reason.LENGTHS_UNEQUAL, shorter)
    alone = {"share": world.share_file, "values": {"1": dealt.values[1]}}
    yield "refresh-of-one-dealer", vector("one dealer of two", "refreshed_share", Reason.ANSWERS_TOO_FEW, alone)

    parts = remaking.split(world.shares[1], [1, 2], 3, random)
    stated = {str(index): each for index, each in parts.commitments.items()}
    whole: Vector = {"commitments": stated, "helpers": [1, 2], "lost": 3, "own": world.shares[1].commitment}
    swapped = whole | {"own": world.shares[2].commitment}
    yield "parts-of-another-share", vector("parts of another share", "check_parts", Reason.VALUE_WRONG, swapped)
    missing = whole | {"commitments": {"1": stated["1"]}}
    yield "parts-too-few", vector("a part missing", "check_parts", Reason.LENGTHS_UNEQUAL, missing)
    own_help = whole | {"helpers": [1, 2], "lost": 2}
    yield "parts-from-the-loser", vector("the loser helps", "check_parts", Reason.EVALUATOR_UNKNOWN, own_help)

    kept = share_backup.sealed(world.shares[1], b"five plain random words", random).decode()
    wrong = {"content": kept, "passphrase": "five other random words"}
    yield "backup-other-passphrase", vector("another passphrase", "open_backup", Reason.PASSPHRASE_WRONG, wrong)


SUBJECTS: tuple[Callable[[World], Iterator[tuple[str, Vector]]], ...] = (
    elements, scalars, proofs, answers, epoch_keys, files, combinations, ceremonies,
)  # fmt: skip


def all_vectors() -> dict[str, str]:
    """File name to content."""
    world = World()
    found: dict[str, str] = {}
    for subject in SUBJECTS:
        for name, content in subject(world):
            assert f"{name}.json" not in found
            found[f"{name}.json"] = json.dumps(content, indent=1, default=bytes.hex, ensure_ascii=False) + "\n"
    return found


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for stale in DIRECTORY.glob("*.json"):
        stale.unlink()
    for name, content in all_vectors().items():
        (DIRECTORY / name).write_text(content)
