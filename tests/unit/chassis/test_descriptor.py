"""The descriptor is refused in each way it can be wrong, and for that reason alone."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation import descriptor, descriptor_view
from federation.descriptor import File, load, parse_file, serialise_file, sign, sign_epoch
from federation.descriptor_file import Epoch, Evaluator, Member, Pause, Registry
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError

NOW = datetime(2026, 10, 19, 12, tzinfo=UTC)
AUTHORITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNERS = {index: Ed25519PrivateKey.from_private_bytes(bytes([index]) * 32) for index in (1, 2, 3)}


def epoch(number: int = 1, signers: tuple[int, ...] = (1, 2, 3), **changes: Any) -> Epoch:
    made = Epoch(
        epoch=number,
        threshold=2,
        shares=3,
        public_key=bytes([9]) * 32,
        commitments={index: bytes([index]) * 32 for index in SIGNERS},
    )
    made = msgspec.structs.replace(made, **changes)
    for index in signers:
        made = sign_epoch(made, index, SIGNERS[index])
    return made


def member(number: int, **changes: Any) -> Member:
    return msgspec.structs.replace(
        Member(id=f"{number:04d}", population=50_000, key_sha256=f"{number:064x}"), **changes
    )


def file(**changes: Any) -> File:
    made = File(
        serial=3,
        expires=NOW + timedelta(days=30),
        calendars={"default": [Pause(date(2026, 6, 15), date(2026, 8, 17))], "north": []},
        registries=[Registry(name="a", address="127.0.0.1:7450")],
        evaluators=[
            Evaluator(index=index, address=f"127.0.0.1:{7440 + index}", signing_key=key.public_key().public_bytes_raw())
            for index, key in SIGNERS.items()
        ],
        epochs=[epoch()],
        members=[member(180, name="Stockholm"), member(1480, calendar="north")],
    )
    return msgspec.structs.replace(made, **changes)


def unchecked(made: File, key: Ed25519PrivateKey = AUTHORITY) -> bytes:
    """Signed without the checks that an honest authority makes."""
    body = serialise_file(made)
    return body + descriptor.SIGNATURE_PREFIX + base64.b64encode(key.sign(body)) + b"\n"


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., UppropError]:
    def attempt(content: bytes, *, now: datetime = NOW, last_seen: int = 0) -> UppropError:
        path = tmp_path / "federation.toml"
        path.write_bytes(content)
        with pytest.raises(UppropError) as refused:
            load(path, AUTHORITY.public_key(), now, last_seen)
        return refused.value

    return attempt


def test_a_signed_descriptor_says_what_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "federation.toml"
    path.write_bytes(sign(file(), AUTHORITY))
    loaded = load(path, AUTHORITY.public_key(), NOW, 3)
    assert (loaded.serial, loaded.zone, loaded.policy.watch_school_days) == (3, "Europe/Stockholm", 10)
    assert loaded.member("0180").name == "Stockholm"
    assert loaded.expires == NOW + timedelta(days=30)
    assert not loaded.calendar("0180").is_school_day(date(2026, 7, 1))
    assert loaded.calendar("1480").is_school_day(date(2026, 7, 1))
    assert [each.index for each in loaded.evaluators] == [1, 2, 3]
    assert loaded.epoch(1).commitments[2] == bytes([2]) * 32


def test_writing_and_reading_lose_nothing() -> None:
    content = serialise_file(file())
    assert parse_file(content) == file()
    assert serialise_file(parse_file(content)) == content


@pytest.mark.parametrize(
    ("population", "year", "day"), [(0, 1_000, 333), (666, 1_000, 333), (667, 1_001, 333), (50_000, 75_000, 25_000)]
)
def test_the_quota_follows_the_population(population: int, year: int, day: int) -> None:
    made = descriptor.Descriptor.of(file(members=[member(180, population=population)]))
    assert made.quota("0180") == (year, day)


def test_an_unsigned_descriptor_is_refused(refusal: Callable[..., UppropError]) -> None:
    assert refusal(serialise_file(file())).code is Code.DESCRIPTOR_UNSIGNED


def test_a_descriptor_of_another_authority_is_refused(refusal: Callable[..., UppropError]) -> None:
    assert refusal(sign(file(), Ed25519PrivateKey.generate())).code is Code.DESCRIPTOR_UNSIGNED


@pytest.mark.parametrize("position", [0, 20, -200, -120, -20])
def test_a_changed_byte_is_refused(refusal: Callable[..., UppropError], position: int) -> None:
    content = bytearray(sign(file(), AUTHORITY))
    content[position] ^= 1
    assert refusal(bytes(content)).code is Code.DESCRIPTOR_UNSIGNED


def test_anything_after_the_signature_is_refused(refusal: Callable[..., UppropError]) -> None:
    addition = b'[[members]]\nid = "2480"\npopulation = 1\nkey_sha256 = "' + b"0" * 64 + b'"\n'
    assert refusal(sign(file(), AUTHORITY) + addition).code is Code.DESCRIPTOR_UNSIGNED


def test_a_half_written_descriptor_is_refused(refusal: Callable[..., UppropError]) -> None:
    content = sign(file(), AUTHORITY)
    assert {refusal(content[:length]).code for length in range(0, len(content), 97)} == {Code.DESCRIPTOR_UNSIGNED}


def test_an_expired_descriptor_is_refused(refusal: Callable[..., UppropError]) -> None:
    refused = refusal(sign(file(), AUTHORITY), now=NOW + timedelta(days=30))
    assert refused.code is Code.DESCRIPTOR_EXPIRED


def test_a_descriptor_older_than_the_last_seen_is_refused(refusal: Callable[..., UppropError]) -> None:
    assert refusal(sign(file(), AUTHORITY), last_seen=4).code is Code.DESCRIPTOR_OLDER


@pytest.mark.parametrize(
    ("flaw", "changes"),
    [
        ("no expiry", {"expires": None}),
        ("a zone that is not", {"zone": "Europe/Atlantis"}),
        ("a break that ends before it starts", {"calendars": {"default": [Pause(date(2026, 8, 1), date(2026, 7, 1))]}}),
        ("a calendar that is not there", {"members": [member(180, calendar="south")]}),
        ("a member twice", {"members": [member(180), member(180, key_sha256="f" * 64)]}),
        ("a key twice", {"members": [member(180), member(1480, key_sha256=member(180).key_sha256)]}),
        ("a municipality with an operator's id", {"members": [member(180, id="0180-5561234567")]}),
        ("an operator with a municipality's id", {"members": [member(180, kind="operator")]}),
        ("a municipality with a home", {"members": [member(180, home="1480")]}),
        ("an operator without a home", {"members": [member(180, id="0180-5561234567", kind="operator")]}),
        (
            "a home that is no municipality",
            {"members": [member(180, id="0180-5561234567", kind="operator", home="0180-5561234567")]},
        ),
        ("an evaluator twice", {"evaluators": [file().evaluators[0]] * 2 + file().evaluators[1:]}),
        ("a registry twice", {"registries": file().registries * 2}),
        ("a registry without a proper name", {"registries": [Registry(name="A/b", address="127.0.0.1:1")]}),
        ("a name that clears the screen", {"members": [member(180, name="Stock\x1b[2Jholm")]}),
        ("a name that turns the writing", {"members": [member(180, name="Stock\u202eholm")]}),
        ("an address with a line in it", {"registries": [Registry(name="a", address="a\x9b2K:1")]}),
        ("a calendar of two lines", {"calendars": {"default": [], "a\nmember 2480: removed": []}}),
        ("an epoch twice", {"epochs": [epoch(), epoch()]}),
        ("more needed than there are", {"epochs": [epoch(threshold=4)]}),
        ("a commitment too few", {"epochs": [epoch(commitments={1: bytes(32), 2: bytes(32)})]}),
        ("commitments of others", {"epochs": [epoch(commitments={n: bytes(32) for n in (2, 3, 4)})]}),
        ("a threshold of one", {"epochs": [epoch(threshold=1)]}),
        ("a key of 31 bytes", {"epochs": [epoch(public_key=bytes(31))]}),
        ("a fingerprint in capitals", {"members": [member(180, key_sha256="A" * 64)]}),
        ("a policy of no days", {"policy": descriptor.parse_file(b"").policy.__class__(watch_school_days=0)}),
    ],
)
def test_a_descriptor_that_contradicts_itself_is_refused(
    refusal: Callable[..., UppropError], flaw: str, changes: dict[str, Any]
) -> None:
    assert refusal(unchecked(file(**changes))).code is Code.DESCRIPTOR_INVALID


def test_what_a_file_says_cannot_hide_or_forge_what_is_shown_of_it() -> None:
    """Also of a draft, which nobody has checked."""
    esc = "\x1b[1A\x1b[2K\u202e\nmember 2480: removed"
    after = file(members=[member(180, name=esc)], calendars={"default": [], esc: []})
    for line in [*descriptor_view.changes(file(members=[]), after), *descriptor_view.described(after, verified=False)]:
        assert line.isprintable()
    with pytest.raises(UppropError) as error:
        parse_file(f'"a{esc!r}" = 1'.encode() + b'\n"\\u001b[2K" = 2\n')
    assert error.value.sentence.isprintable()


@pytest.mark.parametrize("extra", [b"frobnicate = 1\n", b'serial = "3"\n'])
def test_an_unknown_or_ill_typed_key_is_refused(refusal: Callable[..., UppropError], extra: bytes) -> None:
    body = extra + b"\n".join(line for line in serialise_file(file()).split(b"\n") if extra[:6] != line[:6])
    content = body + descriptor.SIGNATURE_PREFIX + base64.b64encode(AUTHORITY.sign(body)) + b"\n"
    assert refusal(content).code is Code.DESCRIPTOR_INVALID


@pytest.mark.parametrize(
    ("flaw", "changed"),
    [
        ("a signature is missing", epoch(signers=(1, 3))),
        ("nobody signed", epoch(signers=())),
        (
            "another evaluator signed",
            msgspec.structs.replace(epoch(), signatures={**epoch().signatures, 2: epoch().signatures[1]}),
        ),
        ("K was changed after signing", msgspec.structs.replace(epoch(), public_key=bytes(32))),
        (
            "a commitment was changed after signing",
            msgspec.structs.replace(epoch(), commitments={**epoch().commitments, 3: bytes(32)}),
        ),
        ("the threshold was changed after signing", msgspec.structs.replace(epoch(), threshold=3)),
        ("the version was changed after signing", msgspec.structs.replace(epoch(), share_version=2)),
        ("the number was changed after signing", msgspec.structs.replace(epoch(), epoch=2)),
    ],
)
def test_an_epoch_not_signed_by_every_evaluator_is_refused(
    refusal: Callable[..., UppropError], flaw: str, changed: Epoch
) -> None:
    made = file(epochs=[changed])
    assert refusal(unchecked(made)).code is Code.EPOCH_UNSIGNED
    with pytest.raises(UppropError):
        sign(made, AUTHORITY)


def test_an_epoch_with_more_shares_than_evaluators_is_refused(refusal: Callable[..., UppropError]) -> None:
    assert refusal(unchecked(file(evaluators=file().evaluators[:2]))).code is Code.EPOCH_UNSIGNED


# --- the store of a running party ----------------------------------------------------------------------------------


class Place:
    """Where a running party keeps its descriptor, and the clock it reads."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "federation.toml"
        self.seen = directory / "data" / "descriptor.seen"
        self.now = NOW

    def put(self, made: File, key: Ed25519PrivateKey = AUTHORITY) -> None:
        # As an administrator's tool does it: in one step, so that size and time may be equal but never the file.
        temporary = self.path.with_suffix(".new")
        temporary.write_bytes(sign(made, key))
        os.replace(temporary, self.path)  # noqa: PTH105

    def store(self, key: Ed25519PublicKey = AUTHORITY.public_key()) -> DescriptorStore:  # noqa: B008
        return DescriptorStore(self.path, key, self.seen, now=lambda: self.now)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.put(file())
    return made


def test_a_new_descriptor_is_taken_up_while_running(place: Place) -> None:
    store = place.store()
    assert store.current().serial == 3
    assert store.current() is store.current()
    place.put(file(serial=4, members=[member(180)]))
    assert not store.current().has_member("1480")


def test_the_last_seen_serial_survives_a_restart(place: Place) -> None:
    place.put(file(serial=7))
    place.store().current()
    place.put(file(serial=6))
    with pytest.raises(UppropError) as refused:
        place.store().current()
    assert refused.value.code is Code.DESCRIPTOR_OLDER


def test_two_descriptors_with_one_serial_are_refused(place: Place) -> None:
    place.store().current()
    place.put(file(zone="Europe/Helsinki"))
    with pytest.raises(UppropError) as refused:
        place.store().current()
    assert refused.value.code is Code.DESCRIPTOR_CHANGED


@pytest.mark.parametrize("content", [b"", b"nonsense", b"# upprop-signature: AAAA\n"])
def test_a_refused_file_changes_nothing_for_a_running_party(place: Place, content: bytes) -> None:
    store = place.store()
    before = store.current()
    place.path.write_bytes(content)
    assert store.current() is before
    assert store.refusal() is not None
    place.path.unlink()
    assert store.current() is before
    place.put(file(serial=4))
    assert store.current().serial == 4
    assert store.refusal() is None


def test_a_descriptor_that_expires_while_running_is_refused_from_then_on(place: Place) -> None:
    store = place.store()
    store.current()
    place.now += timedelta(days=30)
    with pytest.raises(UppropError) as refused:
        store.current()
    assert refused.value.code is Code.DESCRIPTOR_EXPIRED
    assert store.last().serial == 3
    place.put(file(serial=4, expires=NOW + timedelta(days=90)))
    assert store.current().serial == 4


@pytest.mark.parametrize("content", ["", "x y", "12 abc"])
def test_a_damaged_note_of_the_last_serial_stops_the_start(place: Place, content: str) -> None:
    """Starting from zero would accept an old descriptor."""
    place.seen.parent.mkdir()
    place.seen.write_text(content)
    with pytest.raises(UppropError) as refused:
        place.store().current()
    assert refused.value.code is Code.CONFIG_INVALID
