"""RFC 9497, suite ristretto255-SHA512, modes OPRF (0) and VOPRF (1), over lists.

Invariants:
- Wire format and outputs are the RFC's, bit for bit; `tests/vectors` holds its figures.
- A batch has 1 to `MAX_BATCH` elements, and its order is part of what is proved.
- Every proof takes a fresh random scalar: two proofs with one scalar give the key away.
- `verify_proof` raises; there is no verdict to forget. The caller pins the public key: taken from the answer itself, a
  proof proves nothing.
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from privacy import group
from privacy.errors import PrivacyError, Reason
from privacy.group import Element, RandomBytes, Scalar

MAX_BATCH = 1_000
"""The RFC allows 2¹⁶−1; the federation's contract this many."""
MAX_INPUT_BYTES = 2**16 - 1
PROOF_BYTES = 2 * group.SCALAR_BYTES
_ELEMENT_PREFIX = group.ELEMENT_BYTES.to_bytes(2, "big")
_MAX_DERIVE_COUNTER = 255


class Mode(enum.IntEnum):
    OPRF = 0
    VOPRF = 1

    @cached_property
    def context(self) -> bytes:
        """contextString of section 3.1."""
        return b"OPRFV1-" + bytes([self.value]) + b"-ristretto255-SHA512"


@dataclass(frozen=True, slots=True)
class _Expander:
    """expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512 to 64 bytes: one block, so two hashes.

    `first` has already taken the padding block (and, for composites, the part all elements of a batch share).
    """

    first: hashlib._Hash
    suffix: bytes
    second_tail: bytes

    @classmethod
    def for_tag(cls, tag: bytes, shared: bytes = b"") -> _Expander:
        tag_prime = tag + bytes([len(tag)])
        first = hashlib.sha512(bytes(128) + shared)
        return cls(first, group.UNIFORM_BYTES.to_bytes(2, "big") + b"\x00" + tag_prime, b"\x01" + tag_prime)

    def expand(self, messages: Sequence[bytes]) -> list[bytes]:
        found = []
        for message in messages:
            first = self.first.copy()
            first.update(message + self.suffix)
            found.append(hashlib.sha512(first.digest() + self.second_tail).digest())
        return found


def hash_to_group(mode: Mode, inputs: Sequence[bytes]) -> list[Element]:
    """HashToGroup of section 4.1 for each private input (at most 2¹⁶−1 bytes)."""
    if any(len(given) > MAX_INPUT_BYTES for given in inputs):
        raise PrivacyError(Reason.INPUT_TOO_LONG, "an input is longer than 65535 bytes")
    return group.map_to_group(_Expander.for_tag(b"HashToGroup-" + mode.context).expand(inputs))


def blind(mode: Mode, inputs: Sequence[bytes], random_bytes: RandomBytes) -> tuple[list[Scalar], list[Element]]:
    """Section 3.3.1: the blinds, which never leave the caller, and the blinded elements, which do."""
    _check_batch(inputs)
    blinds = group.random_scalars(len(inputs), random_bytes)
    return blinds, group.multiply(blinds, hash_to_group(mode, inputs))


def blind_evaluate(key: Scalar, blinded: Sequence[bytes]) -> list[Element]:
    """key · element each; the answer of mode OPRF, and the first half of the answer of mode VOPRF."""
    _check_batch(blinded)
    return group.multiply_each(key, blinded)


def finalize(inputs: Sequence[bytes], unblinders: Sequence[Scalar], evaluated: Sequence[Element]) -> list[bytes]:
    """Sections 3.3.1 and 3.3.2: outputs of 64 bytes. `unblinders` are the inverses of the blinds."""
    if len(inputs) != len(evaluated):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "there are not as many evaluated elements as inputs")
    return _outputs(inputs, group.multiply(unblinders, evaluated))


def evaluate(mode: Mode, key: Scalar, inputs: Sequence[bytes]) -> list[bytes]:
    """Section 3.3.1: the same outputs for someone who holds the whole key. Used by tests and dealers only."""
    _check_batch(inputs)
    return _outputs(inputs, group.multiply_each(key, hash_to_group(mode, inputs)))


def derive_key_pair(mode: Mode, seed: bytes, info: bytes) -> tuple[Scalar, Element]:
    """Section 3.2.1: the key pair that follows from a seed of 32 bytes and public key information."""
    if len(seed) != group.SCALAR_BYTES:
        raise PrivacyError(Reason.KEY_LENGTH, "a seed is not 32 bytes long")
    if len(info) > MAX_INPUT_BYTES:
        raise PrivacyError(Reason.INPUT_TOO_LONG, "key information is longer than 65535 bytes")
    expander = _Expander.for_tag(b"DeriveKeyPair" + mode.context)
    for counter in range(_MAX_DERIVE_COUNTER + 1):
        uniform = expander.expand([seed + len(info).to_bytes(2, "big") + info + bytes([counter])])
        with contextlib.suppress(PrivacyError):
            key = group.reduce_uniform(uniform)[0]
            return key, public_key(key)
    raise PrivacyError(Reason.KEY_ZERO, "the seed gives no key")


def public_key(key: Scalar) -> Element:
    """key · G."""
    return group.multiply_base([key])[0]


@dataclass(frozen=True, slots=True)
class Proof:
    """c and s of section 2.2.1, and the composite M the prover came by on the way (a hint; see `protocol`)."""

    encoded: bytes
    composite: Element


def generate_proof(
    key: Scalar, own_public_key: Element, blinded: Sequence[bytes], evaluated: Sequence[Element], random: RandomBytes
) -> Proof:
    """Section 2.2.1 in mode VOPRF: proves evaluated = key · blinded for the whole batch under `own_public_key`."""
    weights = composite_weights(own_public_key, blinded, evaluated)
    composite = group.weighted_sum(weights, blinded)
    # ComputeCompositesFast: whoever knows the key need not sum the second composite.
    second, third = group.multiply([key, nonce := group.random_scalars(1, random)[0]], [composite, composite])
    challenge = _challenge(own_public_key, composite, second, public_key(nonce), third)
    response = group.subtract_scalars([nonce], group.multiply_scalars([challenge], [key]))[0]
    return Proof(challenge + response, composite)


def verify_proof(pinned: Element, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
    """Section 2.2.2 in mode VOPRF. Raises unless evaluated = key · blinded for the key behind `pinned`."""
    weights = composite_weights(pinned, blinded, evaluated)
    check_proof(pinned, weights, group.weighted_sum(weights, blinded), evaluated, proof)


def check_proof(
    pinned: Element, weights: Sequence[Scalar], composite: Element, evaluated: Sequence[bytes], proof: bytes
) -> None:
    """The part of `verify_proof` that remains when the weights dᵢ and M = Σ dᵢ·blindedᵢ are known to be right."""
    if len(proof) != PROOF_BYTES:
        raise PrivacyError(Reason.PROOF_LENGTH, "a proof is not 64 bytes long")
    challenge, response = group.scalars([proof[: group.SCALAR_BYTES], proof[group.SCALAR_BYTES :]])
    second = group.weighted_sum(weights, evaluated)
    base_part = group.multiply_base([response])
    key_part, composite_part, second_part = group.multiply(
        [challenge, response, challenge], [pinned, composite, second]
    )
    commitment, third = group.add([*base_part, composite_part], [key_part, second_part])
    if not hmac.compare_digest(_challenge(pinned, composite, second, commitment, third), challenge):
        raise PrivacyError(Reason.PROOF_WRONG, "a proof does not verify")


def composite_weights(pinned: Element, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> list[Scalar]:
    """The dᵢ of ComputeComposites (section 2.2.1): they bind public key, position, request and answer."""
    _check_batch(blinded)
    if len(blinded) != len(evaluated):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "there are not as many evaluated as blinded elements")
    if any(len(element) != group.ELEMENT_BYTES for element in (*blinded, *evaluated)):
        raise PrivacyError(Reason.ELEMENT_LENGTH, "a group element is not 32 bytes long")
    seed_tag = b"Seed-" + Mode.VOPRF.context
    seed = hashlib.sha512(_prefixed(pinned) + _prefixed(seed_tag)).digest()
    expander = _Expander.for_tag(b"HashToScalar-" + Mode.VOPRF.context, _prefixed(seed))
    return group.reduce_uniform(
        expander.expand(
            [
                b"".join((at.to_bytes(2, "big"), _ELEMENT_PREFIX, asked, _ELEMENT_PREFIX, answered, b"Composite"))
                for at, (asked, answered) in enumerate(zip(blinded, evaluated, strict=True))
            ]
        )
    )


def _challenge(*parts: Element) -> Scalar:
    transcript = b"".join(map(_prefixed, parts)) + b"Challenge"
    return group.reduce_uniform(_Expander.for_tag(b"HashToScalar-" + Mode.VOPRF.context).expand([transcript]))[0]


def _outputs(inputs: Sequence[bytes], unblinded: Sequence[Element]) -> list[bytes]:
    return [
        hashlib.sha512(_prefixed(given) + _ELEMENT_PREFIX + element + b"Finalize").digest()
        for given, element in zip(inputs, unblinded, strict=True)
    ]


def _prefixed(field: bytes) -> bytes:
    return len(field).to_bytes(2, "big") + field


def _check_batch(batch: Sequence[object]) -> None:
    if not batch:
        raise PrivacyError(Reason.LIST_EMPTY, "a batch is empty")
    if len(batch) > MAX_BATCH:
        raise PrivacyError(Reason.LIST_TOO_LONG, f"a batch has more than {MAX_BATCH} elements")
