"""What goes into the protocol and what is kept of what comes out."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from privacy import pseudonym
from privacy.errors import PrivacyError, Reason
from privacy.identifiers import CanonicalNumber
from privacy.registry_key import RegistryKey

SYNTHETIC = CanonicalNumber("201301019802")


def test_every_field_of_the_input_has_its_length_before_it() -> None:
    assert pseudonym.pupil_input(SYNTHETIC) == (
        b"\x00\x09upprop/v1" + b"\x00\x05pupil" + b"\x00\x02SE" + b"\x00\x0c" + SYNTHETIC.encode()
    )


def test_the_pseudonym_is_the_first_half_of_the_output() -> None:
    assert pseudonym.from_output(bytes(range(64))) == bytes(range(32))


def test_the_registry_keeps_a_keyed_digest_of_epoch_and_pseudonym() -> None:
    key = RegistryKey(258, bytes(range(32)))
    expected = hmac.new(key.secret, b"\x00\x00\x01\x02" + bytes([7]) * 32, hashlib.sha256).digest()
    assert pseudonym.stored(key, [bytes([7]) * 32]) == [expected]


def test_one_pseudonym_is_kept_differently_in_every_epoch_and_under_every_key() -> None:
    keys = [RegistryKey(epoch, secret) for epoch in (1, 2) for secret in (b"a" * 32, b"b" * 32)]
    assert len({pseudonym.stored(key, [bytes(32)])[0] for key in keys}) == len(keys)


def test_a_drills_pseudonym_is_kept_apart_from_pupils_and_from_other_members_drills() -> None:
    key, sent = RegistryKey(258, bytes(range(32))), bytes([7]) * 32
    label = b"upprop/v1 drill" + b"\x00\x04" + b"0180"
    expected = hmac.new(key.secret, label + b"\x00\x00\x01\x02" + sent, hashlib.sha256).digest()
    assert pseudonym.stored_for_drills(key, "0180", [sent]) == [expected]
    members = ("0180", "1480", "0180-5561234567")
    kept = {pseudonym.stored_for_drills(key, member, [sent])[0] for member in members}
    assert len(kept | set(pseudonym.stored(key, [sent]))) == len(members) + 1


@pytest.mark.parametrize("keep", [pseudonym.stored, lambda key, sent: pseudonym.stored_for_drills(key, "0180", sent)])
def test_a_pseudonym_of_another_width_is_refused(keep: Callable[[RegistryKey, Sequence[bytes]], list[bytes]]) -> None:
    with pytest.raises(PrivacyError) as caught:
        keep(RegistryKey(1, b"a" * 32), [bytes(32), bytes(31)])
    assert caught.value.reason is Reason.LENGTHS_UNEQUAL


def test_the_registrys_part_needs_neither_libsodium_nor_identity_numbers() -> None:
    script = (
        "import sys; import privacy.pseudonym, privacy.registry_key; "
        "print(sorted({'rbcl', 'personnummer', 'privacy.identifiers', 'privacy.group'} & sys.modules.keys()))"
    )
    root = Path(__file__).parents[3]
    ran = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert ran.stdout == "[]\n", ran.stderr
