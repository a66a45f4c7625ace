"""The prime-order group ristretto255 (RFC 9496) on libsodium, list by list.

Invariants:
- An `Element` is 32 bytes, canonical, and not the identity; a `Scalar` is 32 bytes, little-endian, in [1, order).
  What comes from outside passes `elements` or `scalars` once, or goes straight into `multiply`, which checks it.
- Every function takes and gives lists, so that a faster backend can take the place of this module alone.
- Secret scalars are only ever handled by libsodium's constant-time functions, never as Python integers.

Costs, in scalar multiplications on the same machine, roughly: hash .3, addition .3 (two decodings and an encoding),
base multiplication .35, inversion .6. The callers are written around these figures.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import NewType, NoReturn

import rbcl

from privacy.errors import PrivacyError, Reason

# Importing rbcl unpacks libsodium (3 MB) into a temporary file, which it forgets. Once loaded it need not stay there.
if _unpacked := getattr(importlib.import_module("rbcl._sodium"), "lib_path", None):
    Path(_unpacked).unlink(missing_ok=True)

Element = NewType("Element", bytes)
Scalar = NewType("Scalar", bytes)
RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes; `secrets.token_bytes` outside tests."""

ELEMENT_BYTES = 32
SCALAR_BYTES = 32
UNIFORM_BYTES = 64
ORDER = 2**252 + 27742317777372353535851937790883648493
"""RFC 9496 section 4."""

_IDENTITY = bytes(ELEMENT_BYTES)
_ZERO = bytes(SCALAR_BYTES)


def elements(encodings: Sequence[bytes]) -> list[Element]:
    """Check encodings from outside: length, canonical form, not the identity. Raises `PrivacyError`."""
    for encoding in encodings:
        if len(encoding) != ELEMENT_BYTES:
            raise PrivacyError(Reason.ELEMENT_LENGTH, "a group element is not 32 bytes long")
        if encoding == _IDENTITY:
            raise PrivacyError(Reason.ELEMENT_IDENTITY, "a group element is the identity")
        if not rbcl.crypto_core_ristretto255_is_valid_point(encoding):
            raise PrivacyError(Reason.ELEMENT_NON_CANONICAL, "a group element is not canonically encoded")
    return [Element(encoding) for encoding in encodings]


def scalars(encodings: Sequence[bytes]) -> list[Scalar]:
    """Check scalars from outside: length, below the order, not zero. Raises `PrivacyError`."""
    for encoding in encodings:
        if len(encoding) != SCALAR_BYTES:
            raise PrivacyError(Reason.SCALAR_LENGTH, "a scalar is not 32 bytes long")
        if encoding == _ZERO:
            raise PrivacyError(Reason.SCALAR_ZERO, "a scalar is zero")
        if rbcl.crypto_core_ristretto255_scalar_reduce(encoding + bytes(SCALAR_BYTES)) != encoding:
            raise PrivacyError(Reason.SCALAR_NON_CANONICAL, "a scalar is not below the order of the group")
    return [Scalar(encoding) for encoding in encodings]


def scalar_of(number: int) -> Scalar:
    """The scalar of a public integer, also a negative one. Raises `PrivacyError` where it is zero modulo the order."""
    residue = number % ORDER
    if residue == 0:
        raise PrivacyError(Reason.SCALAR_ZERO, "a scalar is zero")
    return Scalar(residue.to_bytes(SCALAR_BYTES, "little"))


def reduce_uniform(uniform: Sequence[bytes]) -> list[Scalar]:
    """64 uniform bytes each, read little-endian modulo the order."""
    found = list(map(rbcl.crypto_core_ristretto255_scalar_reduce, uniform))
    if _ZERO in found:
        raise PrivacyError(Reason.SCALAR_ZERO, "a scalar is zero")
    return found


def random_scalars(count: int, random_bytes: RandomBytes) -> list[Scalar]:
    """Uniform scalars, none of them zero (erratum to RFC 9497 section 2.1: RandomScalar must not give zero)."""
    pool = random_bytes(UNIFORM_BYTES * count)
    return reduce_uniform([pool[at : at + UNIFORM_BYTES] for at in range(0, len(pool), UNIFORM_BYTES)])


def add_scalars(left: Sequence[Scalar], right: Sequence[Scalar]) -> list[Scalar]:
    _same_length(left, right)
    return list(map(rbcl.crypto_core_ristretto255_scalar_add, left, right))


def subtract_scalars(left: Sequence[Scalar], right: Sequence[Scalar]) -> list[Scalar]:
    _same_length(left, right)
    return list(map(rbcl.crypto_core_ristretto255_scalar_sub, left, right))


def multiply_scalars(left: Sequence[Scalar], right: Sequence[Scalar]) -> list[Scalar]:
    _same_length(left, right)
    return list(map(rbcl.crypto_core_ristretto255_scalar_mul, left, right))


def invert_scalars(values: Sequence[Scalar]) -> list[Scalar]:
    """All inverses for the price of one and three scalar products each (Montgomery's trick)."""
    if not values:
        return []
    multiply_two = rbcl.crypto_core_ristretto255_scalar_mul
    prefixes = list(itertools.accumulate(values, multiply_two))
    if prefixes[-1] == _ZERO:
        raise PrivacyError(Reason.SCALAR_ZERO, "zero has no inverse")
    tail = rbcl.crypto_core_ristretto255_scalar_invert(prefixes[-1])
    inverses: list[Scalar] = []
    for value, prefix in zip(reversed(values), [*prefixes[-2::-1], None], strict=True):
        inverses.append(tail if prefix is None else multiply_two(tail, prefix))
        tail = multiply_two(tail, value)
    return inverses[::-1]


def map_to_group(uniform: Sequence[bytes]) -> list[Element]:
    """The one-way map of RFC 9496 section 4.3.4 from 64 uniform bytes each."""
    found = list(map(rbcl.crypto_core_ristretto255_from_hash, uniform))
    if _IDENTITY in found:
        raise PrivacyError(Reason.ELEMENT_IDENTITY, "an input hashes to the identity")
    return found


def multiply(factors: Sequence[Scalar], points: Sequence[bytes]) -> list[Element]:
    """factor · point, pair by pair. Checks every point on the way, so it may be given encodings from outside."""
    _same_length(factors, points)
    try:
        return list(map(rbcl.crypto_scalarmult_ristretto255, factors, points))
    except (RuntimeError, TypeError, ValueError):
        _explain(factors, points)


def multiply_each(factor: Scalar, points: Sequence[bytes]) -> list[Element]:
    """One factor times each point."""
    return multiply([factor] * len(points), points)


def multiply_base(factors: Sequence[Scalar]) -> list[Element]:
    """factor · G each."""
    try:
        return list(map(rbcl.crypto_scalarmult_ristretto255_base, factors))
    except (RuntimeError, TypeError, ValueError):
        _explain(factors, [])


def add(left: Sequence[Element], right: Sequence[Element]) -> list[Element]:
    """Sums, pair by pair. libsodium takes a bad encoding for the identity here: only checked elements may come in."""
    _same_length(left, right)
    return list(map(rbcl.crypto_core_ristretto255_add, left, right))


def subtract(left: Sequence[Element], right: Sequence[Element]) -> list[Element]:
    """Differences, pair by pair; checked elements only, as with `add`."""
    _same_length(left, right)
    return list(map(rbcl.crypto_core_ristretto255_sub, left, right))


def weighted_sum(factors: Sequence[Scalar], points: Sequence[bytes]) -> Element:
    """Σ factor · point. Checks the points; raises `PrivacyError` where the sum is the identity."""
    if not points:
        raise PrivacyError(Reason.LIST_EMPTY, "a sum of no elements")
    found = reduce(rbcl.crypto_core_ristretto255_add, multiply(factors, points))
    if found == _IDENTITY:
        raise PrivacyError(Reason.ELEMENT_IDENTITY, "a sum of elements is the identity")
    return found


def _same_length(left: Sequence[object], right: Sequence[object]) -> None:
    if len(left) != len(right):
        raise PrivacyError(Reason.LENGTHS_UNEQUAL, "two lists that belong together differ in length")


def _explain(factors: Sequence[bytes], points: Sequence[bytes]) -> NoReturn:
    """libsodium says only that a product failed: find out why."""
    scalars(factors)
    elements(points)
    raise PrivacyError(Reason.ELEMENT_IDENTITY, "a product of a scalar and an element is the identity")
