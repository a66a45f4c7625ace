"""The descriptor in two places and an offer: what counts, what only denies, and what a damaged file does."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import pki
from federation.clock import utc_now
from federation.descriptor import File, sign
from federation.descriptor_store import OFFERED_NAME, RECEIVED_NAME, DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.identity import node as node_identity
from federation.rpc.authorisation import Authoriser, Rule
from federation.tls import public_key_sha256
from tests.unit.chassis.test_descriptor import AUTHORITY, NOW, file, member

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def signed(serial: int, **changes: Any) -> bytes:
    return sign(file(serial=serial, **changes), AUTHORITY)


class Home:
    """A party's directory, in which daemons and commands open the same files."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "federation.toml"
        self.data = directory / "data"
        self.now = NOW
        self.path.write_bytes(signed(3))

    def open(self, **options: Any) -> DescriptorStore:
        return DescriptorStore(
            self.path,
            AUTHORITY.public_key(),
            self.data / "descriptor.seen",
            directory=self.data,
            now=lambda: self.now,
            **options,
        )

    def files(self) -> dict[str, bytes]:
        return {each.name: each.read_bytes() for each in self.data.iterdir()} if self.data.exists() else {}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def refused(what: Any, *arguments: Any) -> Code:
    with pytest.raises(UppropError) as error:
        what(*arguments)
    return error.value.code


# --- two places ----------------------------------------------------------------------------------------------------


def test_of_two_places_the_higher_serial_counts(home: Home) -> None:
    store = home.open()
    assert store.receive(signed(5))
    assert store.current().serial == home.open().current().serial == 5
    home.path.write_bytes(signed(7))
    assert store.current().serial == 7
    # What was received earlier is still there, and is older.
    assert not store.receive(signed(6))
    assert store.current().serial == home.open().current().serial == 7
    assert store.content() == signed(7)


@pytest.mark.parametrize("serial", [1, 2, 3])
def test_what_is_not_newer_is_not_kept(home: Home, serial: int) -> None:
    store = home.open()
    store.current()
    before = home.files()
    assert not store.receive(signed(serial))
    assert home.files() == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Code.DESCRIPTOR_UNSIGNED),
        (b"\0" * 1_000, Code.DESCRIPTOR_UNSIGNED),
        (sign(file(serial=9), STRANGER), Code.DESCRIPTOR_UNSIGNED),
        (signed(9).replace(b"50000", b"90000"), Code.DESCRIPTOR_UNSIGNED),
        (signed(9) + b"# more\n", Code.DESCRIPTOR_UNSIGNED),
        (signed(9, expires=NOW - timedelta(seconds=1)), Code.DESCRIPTOR_EXPIRED),
    ],
    ids=["empty", "noise", "another authority's", "changed", "something after it", "expired"],
)
@pytest.mark.parametrize("takes_up", [True, False])
def test_what_the_authority_did_not_sign_for_today_is_never_written(
    home: Home, content: bytes, code: Code, takes_up: bool
) -> None:
    store = home.open(takes_up=takes_up)
    store.current()
    before = home.files()
    assert refused(store.receive, content) is code
    assert refused(store.accept, content) is code
    assert home.files() == before
    assert store.current().serial == 3


def test_a_received_file_that_is_damaged_does_not_stop_a_running_party(home: Home) -> None:
    store = home.open()
    store.receive(signed(5))
    before = store.current()
    (home.data / RECEIVED_NAME).write_bytes(b"half")
    assert store.current() is before
    # It does not go back to the older one that people put there, and neither does a start.
    assert refused(home.open().current) is Code.DESCRIPTOR_OLDER
    home.path.write_bytes(signed(5))
    assert home.open().current().serial == 5


def test_a_file_that_people_damaged_leaves_the_received_one_in_force(home: Home) -> None:
    store = home.open()
    store.current()
    home.path.write_bytes(b"half")
    store.receive(signed(5))
    assert store.current().serial == 5
    assert refused(home.open().current) is Code.DESCRIPTOR_UNSIGNED


def test_an_older_one_never_takes_the_place_of_what_has_expired(home: Home) -> None:
    """A registry that is hostile keeps an older one that is valid for longer."""
    home.open().receive(signed(5))
    home.open().current()
    home.now = NOW + timedelta(days=31)
    for takes_up in (True, False):
        assert not home.open(takes_up=takes_up).receive(signed(4, expires=NOW + timedelta(days=300)))
    assert home.open().receive(signed(6, expires=NOW + timedelta(days=300)))
    assert home.open().current().serial == 6


def test_one_that_has_expired_is_what_later_ones_are_held_against(home: Home) -> None:
    home.open().current()
    home.now = NOW + timedelta(days=31)
    store = home.open()
    assert store.content() == signed(3)
    assert refused(store.current) is Code.DESCRIPTOR_EXPIRED
    # One that was never in force does not come to count by having expired.
    home.path.write_bytes(signed(4))
    assert refused(home.open().content) is Code.DESCRIPTOR_EXPIRED
    assert (home.data / "descriptor.seen").read_bytes().startswith(b"3 ")


def test_whoever_looks_only_writes_nothing(home: Home) -> None:
    home.open().receive(signed(5))
    before = home.files()
    looker = home.open(looks_only=True)
    assert looker.current().serial == 5
    assert home.files() == before
    assert before["descriptor.seen"].startswith(b"3 ")


def test_a_party_without_a_directory_keeps_nothing(home: Home) -> None:
    store = DescriptorStore(home.path, AUTHORITY.public_key(), home.data / "descriptor.seen", now=lambda: NOW)
    assert not store.receive(signed(5))
    assert store.current().serial == 3


def test_processes_that_receive_at_once_end_with_one_whole_file(home: Home) -> None:
    """A daemon, and commands beside it; each with a store of its own."""
    contents = [signed(serial) for serial in range(4, 8)]
    together = threading.Barrier(len(contents))
    done: list[int] = []

    def run(content: bytes) -> None:
        store = home.open()
        together.wait()
        for _ in range(3):
            store.receive(content)
            done.append(store.newest().serial)

    threads = [threading.Thread(target=run, args=(content,)) for content in contents]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(done) == 12
    assert (home.data / RECEIVED_NAME).read_bytes() in contents
    # Whoever was overtaken hears of the newest again.
    home.open().receive(signed(12))
    assert home.open().current().serial == 12


# --- what a party demands beyond its being in order ----------------------------------------------------------------


def test_what_a_check_refuses_never_comes_into_force(home: Home) -> None:
    def check(descriptor: Any) -> None:
        if descriptor.serial == 5:
            raise UppropError(Code.POPULATION_IMPLAUSIBLE, "Too many.")

    store = home.open(check=check)
    store.current()
    home.path.write_bytes(signed(5))
    assert store.current().serial == 3
    refusal = store.refusal()
    assert refusal is not None
    assert refusal.code is Code.POPULATION_IMPLAUSIBLE
    assert refused(home.open(check=check).current) is Code.POPULATION_IMPLAUSIBLE
    assert refused(store.accept, signed(5)) is Code.POPULATION_IMPLAUSIBLE
    assert RECEIVED_NAME not in home.files()
    home.path.write_bytes(signed(6))
    assert store.current().serial == 6
    assert store.refusal() is None


# --- offers --------------------------------------------------------------------------------------------------------


def test_an_offer_waits_until_it_is_accepted(home: Home) -> None:
    store, command = home.open(takes_up=False), home.open(takes_up=False)
    assert store.receive(signed(4))
    assert store.current().serial == 3
    offer = store.offer()
    assert offer is not None
    assert offer.serial == 4
    assert not store.receive(signed(4))
    assert command.accept(command.offered_content()).serial == 4
    assert store.current().serial == 4
    assert store.offer() is None
    assert store.offered_content() == b""


def test_what_was_shown_is_accepted_and_not_what_came_meanwhile(home: Home) -> None:
    daemon, command = home.open(takes_up=False), home.open(takes_up=False)
    daemon.receive(signed(4))
    shown = command.offered_content()
    daemon.receive(signed(5))
    assert command.accept(shown).serial == 4
    assert daemon.current().serial == 4
    offer = daemon.offer()
    assert offer is not None
    assert offer.serial == 5
    assert refused(command.accept, signed(3)) is Code.DESCRIPTOR_OLDER


def test_another_file_with_the_serial_in_force_is_not_accepted(home: Home) -> None:
    store = home.open(takes_up=False)
    store.current()
    other = signed(3, zone="Europe/Helsinki")
    before = home.files()
    assert refused(store.accept, other) is Code.DESCRIPTOR_CHANGED
    assert store.current().zone == "Europe/Stockholm"
    assert home.files() == before


def test_an_offer_is_taken_up_where_the_one_in_force_has_expired(home: Home) -> None:
    home.open(takes_up=False).current()
    home.now = NOW + timedelta(days=31)
    store = home.open(takes_up=False)
    assert refused(store.current) is Code.DESCRIPTOR_EXPIRED
    store.receive(signed(4, expires=NOW + timedelta(days=90)))
    assert refused(store.current) is Code.DESCRIPTOR_EXPIRED
    assert store.accept(store.offered_content()).serial == 4


def test_an_offer_that_is_damaged_is_none(home: Home) -> None:
    store = home.open(takes_up=False)
    store.receive(signed(4))
    (home.data / OFFERED_NAME).write_bytes(b"half")
    assert store.offer() is None
    assert store.offered_content() == b""
    assert store.receive(signed(4))


class Call:
    """A call with a certificate, as gRPC tells the handler of it."""

    def __init__(self, pem: bytes) -> None:
        self._pem = pem

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_pem_cert": [self._pem]}


def test_an_offer_denies_and_admits_nobody(tmp_path: Path) -> None:
    ca = pki.make_ca("A CA", utc_now())
    keys = {name: pki.new_tls_key() for name in ("0180", "1480", "2480", "1480 renewed")}

    def call(member: str, key: str | None = None) -> Call:
        issued = pki.issue(ca, node_identity(member), keys[key or member].public_key(), utc_now())
        return Call(pki.certificate_pem(issued))

    def listing(serial: int, **named: str) -> bytes:
        members = [
            member(int(each), key_sha256=public_key_sha256(keys[key].public_key())) for each, key in named.items()
        ]
        made: File = msgspec.structs.replace(
            file(serial=serial),
            members=members,
            ca_certificates=[pki.certificate_pem(ca.certificate).decode()],
            expires=utc_now().replace(microsecond=0) + timedelta(days=1),
        )
        return sign(made, AUTHORITY)

    home = Home(tmp_path)
    home.path.write_bytes(listing(3, **{"0180": "0180", "1480": "1480"}))
    home.now = utc_now()
    store = home.open(takes_up=False)
    authoriser = Authoriser(store)

    def outcome(who: Call) -> Code | None:
        try:
            authoriser.authorise(who, Rule(frozenset({Kind.NODE})))  # type: ignore[arg-type]  # all of it that is used
        except UppropError as error:
            return error.code
        return None

    everyone = [call("0180"), call("1480"), call("1480", "1480 renewed"), call("2480")]
    out = Code.IDENTITY_UNLISTED
    assert [outcome(each) for each in everyone] == [None, None, out, out]
    # The offer drops one, gives another a new key and adds a third: what it takes away is gone, what it gives waits.
    store.receive(listing(4, **{"1480": "1480 renewed", "2480": "2480"}))
    assert [outcome(each) for each in everyone] == [out, out, out, out]
    store.accept(store.offered_content())
    assert [outcome(each) for each in everyone] == [out, out, None, None]
