"""What the record key protects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.store.sealing import Sealer, SealError

KEY = bytes(range(32))
PLACE = ("pupils", b"row", "sealed_identity")


@given(st.binary(max_size=200))
def test_what_was_sealed_opens_in_its_place(plain: bytes) -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(*PLACE, plain)
    assert Sealer(KEY).open(*PLACE, sealed) == plain
    assert len(plain) < 4 or plain not in sealed


def test_equal_values_seal_to_unequal_bytes() -> None:
    sealer = Sealer(KEY)
    assert sealer.seal(*PLACE, b"value") != sealer.seal(*PLACE, b"value")


@pytest.mark.parametrize(
    "place",
    [
        ("sayings", b"row", "sealed_identity"),
        ("pupils", b"other", "sealed_identity"),
        ("pupils", b"row", "sealed_history"),
        # The same bytes in a row, cut at other places.
        ("pupilsr", b"ow", "sealed_identity"),
        ("pupils", b"rows", "ealed_identity"),
    ],
)
def test_a_sealed_value_moved_elsewhere_does_not_open(place: tuple[str, bytes, str]) -> None:
    sealer = Sealer(KEY)
    with pytest.raises(SealError):
        sealer.open(*place, sealer.seal(*PLACE, b"value"))


def test_a_changed_value_does_not_open() -> None:
    sealer = Sealer(KEY)
    sealed = sealer.seal(*PLACE, b"value")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealError):
            sealer.open(*PLACE, bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            sealer.open(*PLACE, sealed[:length])


def test_another_record_key_opens_and_finds_nothing() -> None:
    one, other = Sealer(KEY), Sealer(bytes(32))
    with pytest.raises(SealError):
        other.open(*PLACE, one.seal(*PLACE, b"value"))
    assert one.index("number", b"value") != other.index("number", b"value")


def test_indexes_of_different_purposes_do_not_meet() -> None:
    sealer = Sealer(KEY)
    assert sealer.index("number", b"xvalue") != sealer.index("numberx", b"value")
    assert sealer.index("number", b"value") == sealer.index("number", b"value")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(bytes(length))


def test_the_sealer_shows_no_key() -> None:
    assert KEY.hex() not in repr(Sealer(KEY))
