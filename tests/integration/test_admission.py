"""Becoming a member with the commands that people type: the whole way, every way round it, and what is refused."""

from __future__ import annotations

import functools
import json
import shutil
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import node.joining.cli
from federation import descriptor, identity, pki, throwaway
from federation.admission import request as requests
from federation.admission.joining import Joining
from federation.admission.words import words_of
from federation.cli import main
from federation.clock import utc_now
from federation.tls import identity_of, public_key_sha256
from node.joining.home import furnish
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.harness.signing import tls_key
from tests.integration.test_bad_input import tree
from tests.integration.travelling_parties import RunningDaemon, eventually

HOME = "home"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def upprop(*arguments: object, given: str | None = None) -> Done:
    environment = {"COLUMNS": "100", "UPPROP_LANG": "en"}
    result = CliRunner().invoke(main, [str(each) for each in arguments], input=given, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


class Federation:
    """What the authority, the registry's operator and evaluator 1's administrator have; 0180 is a member."""

    def __init__(self, directory: Path, *, joining: bool = True, members: tuple[str, ...] = ("0180",)) -> None:
        registry, one, two, port = free_ports(4)
        self.made = throwaway.dev(
            directory / "federation",
            [throwaway.DevMember(each) for each in members],
            deal_epoch=deal_epoch,
            ports=throwaway.Ports(registry, (one, two), joining=port if joining else 0),
            clock="system",
        )
        self.directory = directory
        self.authority = self.made.directory / "authority" / "authority.pub"
        self.descriptor = directory / "federation.toml"
        self.draft = directory / "draft.toml"
        shutil.copy(self.made.descriptor, self.descriptor)
        self.draft.write_bytes(descriptor.split(self.descriptor.read_bytes())[0])

    def join(self, *more: object, home: str = HOME) -> Done:
        """The second call and those after it."""
        return upprop("node", "join", self.directory / home, *more)

    def begin(self, *more: object, member: str = "1480", home: str = HOME) -> Done:
        source = ("--descriptor", self.descriptor, "--authority-key", self.authority)
        return self.join("--member", member, *source, *more, home=home)

    def admit(self, *more: object, home: str = HOME) -> Done:
        request = self.directory / home / "request.toml"
        return upprop("federation", "admit", request, "--draft", self.draft, "--population", 60_000, *more)

    def sign(self) -> Path:
        key = self.made.directory / "authority" / "authority.key"
        done = upprop("federation", "sign", self.draft, "--key", key, "--out", self.descriptor)
        assert done.code == 0, done.err
        return self.descriptor

    def accept(self, *more: object, given: str | None = None) -> Done:
        return upprop("evaluator", "accept", *more, "--config", self.made.evaluator(1), given=given)

    def publish_pupils(self, pupils: int | None) -> None:
        """What evaluator 1's administrator knows of the country."""
        config = self.made.evaluator(1)
        lines = [each for each in config.read_text(encoding="utf-8").splitlines() if "published_pupils" not in each]
        known = [] if pupils is None else [f"published_pupils = {pupils}"]
        config.write_text("\n".join([*known, *lines, ""]), encoding="utf-8")

    def refuses(self, call: Callable[[], Done], code: int, *words: str) -> None:
        """One line, this exit code, and every file of everybody as it was."""
        before = _still(self.directory)
        done = call()
        assert done.code == code, done.err
        line = done.err.splitlines()[-1]
        assert [each for each in done.err.splitlines() if each.startswith("Error: ")] == [line]
        for each in words:
            assert each in line
        assert _still(self.directory) == before


def _still(directory: Path) -> dict[str, tuple[int, str]]:
    """What nobody but the command could change: the stores of parties that run are theirs."""
    return {name: state for name, state in tree(directory).items() if ".sqlite" not in name}


@pytest.fixture
def federation(tmp_path: Path) -> Federation:
    """Whose registry and evaluators do not run."""
    return Federation(tmp_path)


@pytest.fixture
def apart(tmp_path: Path) -> Federation:
    """Whose registries give parties without a certificate nothing."""
    return Federation(tmp_path, joining=False)


# --- the whole way -------------------------------------------------------------------------------------------------


def test_a_municipality_becomes_a_member(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    """And another one, which waits, and learns of it without being asked again."""
    federation.publish_pupils(200_000)
    home = federation.directory / HOME
    with (
        RunningDaemon(federation.made, federation.made.registry) as registry,
        RunningDaemon(federation.made, federation.made.evaluator(1)) as evaluator,
    ):
        asked = federation.begin("--name", "Göteborg", "--json")
        assert asked.code == 0, asked.err
        assert asked.json["state"] == "requested"
        assert asked.json["words"] == words_of(public_key_sha256(tls_key(home).public_key()))
        federation.refuses(federation.join, 17, "not listed yet", "request.toml")
        again = federation.join("--json")
        assert (again.code, again.json["state"], again.json["words"]) == (17, "pending", asked.json["words"])

        assert federation.admit("--words", asked.json["words"].upper()).code == 0
        registry.put(federation.sign().read_bytes())
        eventually(lambda: evaluator.descriptors.offer() is not None)
        joined = federation.join("--json")
        assert joined.json["state"] == "member"
        certificate = x509.load_pem_x509_certificate((home / "tls.crt").read_bytes())
        assert identity_of(certificate).uri == "upprop://node/1480"
        # Evaluators have accepted nothing yet, and the look at whether all is well says so.
        assert joined.code != 0
        assert _of_evaluators(joined) == {"1": "failed", "2": "failed"}
        assert evaluator.descriptors.current().serial == 1

        shown = federation.accept(given="n\n")
        assert shown.code == 16
        assert "member 1480: added (Göteborg, 60000 pupils)" in shown.out
        assert "2 members with 110,000 pupils together, 55.0% of the 200,000" in shown.out
        assert evaluator.descriptors.current().serial == 1
        accepted = federation.accept("--yes", "--json").json
        assert (accepted["serial"], accepted["accepted"]) == (2, True)
        eventually(lambda: evaluator.descriptors.current().serial == 2)
        assert federation.accept("--json").json == {"serial": 2, "accepted": False, "changes": []}
        files = {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}
        # Evaluator 2 does not run.
        assert _of_evaluators(federation.join("--json")) == {"1": "ok", "2": "failed"}
        assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == files

        looks: list[float] = []

        def meanwhile(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 1:
                assert federation.admit("--yes", home="other").code == 0
                registry.put(federation.sign().read_bytes())
            assert len(looks) < 100
            threading.Event().wait(0.2)

        monkeypatch.setattr(node.joining.cli, "time", types.SimpleNamespace(sleep=meanwhile))
        waited = federation.begin("--wait", "--json", member="2480", home="other")
        assert waited.json["state"] == "member"
        assert looks
        assert "Waiting until 2480 is listed" in waited.err


def _of_evaluators(joined: Done) -> dict[str, str]:
    checks = [each for each in joined.json["checks"] if each["check"] == "evaluator" and each["subject"]]
    return {each["subject"]: each["level"] for each in checks}


def test_an_operator_says_where_its_schools_stand(federation: Federation) -> None:
    member = "0180-5561234567"
    assert federation.begin("--home", "1480", "--name", "Skolan", member=member).code == 0
    assert federation.admit("--yes").code == 0
    listed = descriptor.parse_file(federation.draft.read_bytes()).members[-1]
    assert (listed.id, listed.kind, listed.home, listed.population) == (member, "operator", "1480", 60_000)


def test_a_federation_with_another_pki(apart: Federation) -> None:
    assert apart.begin().code == 0
    apart.refuses(apart.join, 17, "--descriptor")
    assert apart.admit("--yes").code == 0
    apart.sign()
    told = apart.join("--descriptor", apart.descriptor, "--json")
    assert (told.code, told.json["state"]) == (0, "certificate_missing")
    home = apart.directory / HOME
    request = x509.load_pem_x509_csr((home / "tls.csr").read_bytes())
    ca, key = apart.made.ca, request.public_key()
    who = requests.read(home / "request.toml")[1].identity
    (home / "tls.crt").write_bytes(pki.certificate_pem(pki.issue(ca, who, key, utc_now())))  # type: ignore[arg-type]
    assert apart.join("--json").json["state"] == "member"


def test_it_speaks_swedish_unless_told_otherwise(federation: Federation) -> None:
    asked = federation.begin("--lang", "sv")
    assert "Läs upp orden" in asked.out
    assert "12. " in asked.out


# --- keys ----------------------------------------------------------------------------------------------------------


def test_a_lost_key_is_asked_for_anew_and_takes_the_place_of_the_old_one(apart: Federation) -> None:
    apart.begin("--name", "Göteborg")
    apart.admit("--yes")
    apart.sign()
    home = apart.directory / HOME
    before = requests.read(home / "request.toml")[1].key_sha256
    (home / "tls.key").write_bytes(b"damaged")
    apart.refuses(apart.join, 3, "tls.key", "Restore it")
    (home / "tls.key").unlink()
    apart.refuses(apart.join, 10, "tls.key", "--new-key")
    asked = apart.join("--new-key", "--descriptor", apart.descriptor, "--json")
    made, proved = requests.read(home / "request.toml")
    assert (asked.code, asked.json["state"], asked.json["key_sha256"]) == (17, "pending", proved.key_sha256)
    assert (made.name, proved.key_sha256 != before) == ("Göteborg", True)
    assert asked.json["words"] == words_of(proved.key_sha256)
    # Once made, it stays: the same command does not make another one.
    files = tree(home)
    assert apart.join("--new-key").code == 17
    assert tree(home) == files
    apart.refuses(lambda: apart.admit("--yes"), 16, "--replace")
    assert apart.admit("--yes", "--replace").code == 0
    apart.sign()
    assert apart.join("--descriptor", apart.descriptor, "--json").json["state"] == "certificate_missing"


def test_a_listed_id_is_not_asked_for_by_mistake(apart: Federation) -> None:
    apart.refuses(lambda: apart.begin(member="0180"), 16, "listed already", "--new-key")
    assert apart.begin("--new-key", member="0180").code == 0
    apart.refuses(lambda: apart.admit("--yes"), 16, "listed already, with another key")


@pytest.mark.parametrize("stops_at", ["tls.key", "record.key", "config.toml", "tls.csr", "request.toml"])
def test_whatever_was_broken_off_goes_on(apart: Federation, stops_at: str) -> None:
    """What was written up to there stays as it is; a key above all."""
    assert apart.begin().code == 0
    home = apart.directory / HOME
    order = ["authority.pub", "tls.key", "record.key", "config.toml", "tls.csr", "request.toml", "federation.toml"]
    for name in order[order.index(stops_at) :]:
        (home / name).unlink()
    before = {name: state for name, state in tree(home).items() if name != "tls.csr"}
    assert apart.begin().code == 0
    after = tree(home)
    assert {name: after[name] for name in before} == before
    assert set(after) == set(order)
    assert requests.read(home / "request.toml")[1].public_key == tls_key(home).public_key()


def test_two_at_once_make_one_key(apart: Federation) -> None:
    together, made = threading.Barrier(4), []
    home = apart.directory / HOME

    def run() -> None:
        found = descriptor.read_authority_key(apart.authority)
        joining = Joining(home, identity.node("1480"), found)
        together.wait()
        path = furnish(joining, "", None, "127.0.0.1:9464")
        made.append(requests.read(path)[1].key_sha256)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert made == [public_key_sha256(tls_key(home).public_key())] * 4


# --- what is refused, of who joins ---------------------------------------------------------------------------------


def _signed(federation: Federation, key: Ed25519PrivateKey | None = None, **changes: Any) -> Path:
    file = descriptor.parse_file(federation.descriptor.read_bytes())
    path = federation.directory / "other.toml"
    path.write_bytes(descriptor.sign(msgspec.structs.replace(file, **changes), key or federation.made.authority_key))
    return path


def test_a_descriptor_that_is_not_the_authoritys(apart: Federation) -> None:
    other = Ed25519PrivateKey.generate()
    wrong = apart.directory / "other.pub"
    wrong.write_bytes(pki.public_pem(other.public_key()))
    for source in (
        ("--descriptor", apart.descriptor, "--authority-key", wrong),
        ("--descriptor", _signed(apart, other, serial=9), "--authority-key", apart.authority),
    ):
        apart.refuses(lambda source=source: apart.join("--member", "1480", *source), 14)  # type: ignore[misc]
    assert apart.begin().code == 0
    # What was pinned stays pinned.
    apart.refuses(lambda: apart.join("--authority-key", wrong), 3, "Another authority's key is pinned")


def test_a_descriptor_that_is_expired_or_older(apart: Federation) -> None:
    key = ("--authority-key", apart.authority)
    past = _signed(apart, serial=9, expires=utc_now().replace(microsecond=0) - timedelta(seconds=1))
    apart.refuses(lambda: apart.join("--member", "1480", "--descriptor", past, *key), 5, "expired")
    assert apart.join("--member", "1480", "--descriptor", _signed(apart, serial=9), *key).code == 0
    # What is published may be older by now than what is here; then that counts.
    apart.refuses(lambda: apart.join("--descriptor", apart.descriptor), 17)
    (apart.directory / HOME / "request.toml").unlink()
    apart.refuses(apart.begin, 15)


def test_a_directory_of_another_member_or_with_a_request_that_was_changed(apart: Federation) -> None:
    assert apart.begin("--name", "Göteborg").code == 0
    apart.refuses(lambda: apart.join("--member", "0180"), 16, "Take another directory")
    request = apart.directory / HOME / "request.toml"
    request.write_text(request.read_text(encoding="utf-8").replace("Göteborg", "Kungsbacka"), encoding="utf-8")
    apart.refuses(apart.join, 16, "Move it away")
    request.unlink()
    words = apart.begin("--name", "Kungsbacka", "--json").json["words"]
    assert words == words_of(public_key_sha256(tls_key(apart.directory / HOME).public_key()))


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_off(federation: Federation, minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    off = functools.partial(Joining, now=lambda: utc_now() + timedelta(minutes=minutes))
    with RunningDaemon(federation.made, federation.made.registry):
        monkeypatch.setattr(node.joining.cli, "Joining", off)
        federation.refuses(federation.begin, 12, "10 minutes", "NTP")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--member", "Åre"), 5),
        (("--member", "14800"), 5),
        (("--member", "1480", "--name", "a\nb"), 2),
        (("--member", "1480", "--name", "a" * 101), 2),
        (("--member", "1480", "--descriptor", "nowhere.toml"), 3),
        (("--member", "1480", "--descriptor", "http://127.0.0.1:1/federation.toml"), 6),
        (("--member", "1480", "--authority-key", "nowhere.pub"), 3),
        ((), 2),
    ],
    ids=lambda each: " ".join(each)[:40] if isinstance(each, tuple) else "",
)
def test_what_is_typed_wrongly(apart: Federation, arguments: tuple[str, ...], code: int) -> None:
    before = tree(apart.directory)
    source = ("--descriptor", apart.descriptor, "--authority-key", apart.authority)
    done = apart.join(*source, *arguments)
    assert done.code == code, done.err
    assert tree(apart.directory) == before


class _Page(BaseHTTPRequestHandler):
    content: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        found = self.path == "/federation.toml"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(self.content if found else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def published(apart: Federation) -> Iterator[str]:
    """Where the descriptor is published."""
    page = type("Page", (_Page,), {"content": apart.descriptor.read_bytes()})
    with ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/federation.toml"
        finally:
            server.shutdown()
            thread.join()


def test_the_descriptor_is_fetched_from_where_it_is_published(
    apart: Federation, published: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ("--authority-key", apart.authority)

    def begin(url: str) -> Done:
        return apart.join("--member", "1480", "--descriptor", url, *key)

    apart.refuses(lambda: begin(f"{published}.old"), 6, "answers 404")
    with monkeypatch.context() as patched:
        patched.setattr(descriptor, "MAX_FILE_BYTES", 100)
        before = tree(apart.directory)
        assert begin(published).code != 0
        assert tree(apart.directory) == before
    assert begin(published).code == 0
    assert (apart.directory / HOME / "federation.toml").read_bytes() == apart.descriptor.read_bytes()


# --- what the authority refuses ------------------------------------------------------------------------------------


def test_the_authority_admits_whom_it_has_spoken_to(apart: Federation) -> None:
    apart.begin("--name", "Göteborg")
    key = requests.read(apart.directory / HOME / "request.toml")[1].key_sha256
    wrong = words_of(key).split()
    wrong[4] = "zoo" if wrong[4] != "zoo" else "zone"
    apart.refuses(lambda: apart.admit("--words", " ".join(wrong)), 16, "words are not those")
    before = tree(apart.directory)
    assert upprop("federation", "admit", apart.directory / HOME / "request.toml", "--draft", apart.draft).code == 2
    request = apart.directory / HOME / "request.toml"
    asked = upprop("federation", "admit", request, "--draft", apart.draft, "--population", 1, given="n\n")
    assert (asked.code, words_of(key).split()[0] in asked.err, "Göteborg" in asked.err) == (16, True, True)
    assert tree(apart.directory) == before


def test_a_request_in_anothers_name(apart: Federation) -> None:
    """Made for one's own key and id, and then given another's id."""
    apart.begin()
    request = apart.directory / HOME / "request.toml"
    request.write_text(request.read_text(encoding="utf-8").replace("node/1480", "node/2480"), encoding="utf-8")
    apart.refuses(lambda: apart.admit("--yes"), 16, "upprop://node/2480", "upprop://node/1480")


# --- registries and evaluators -------------------------------------------------------------------------------------


def test_registries_and_evaluators_ask_in_the_same_way(apart: Federation) -> None:
    directory = apart.directory
    ca = upprop("federation", "ca", directory / "ca")
    assert ca.code == 0, ca.err
    registry = ("--name", "b", "--address", "b.example.se:7450", "--join-address", "b.example.se:7451")
    parties = {
        "registry-b": ("registry", "init", directory / "registry-b", *registry, "--ca", directory / "ca"),
        "evaluator-3": ("evaluator", "init", directory / "evaluator-3", "--index", 3, "--address", "e.example.se:7440"),
    }
    for home, command in parties.items():
        made = upprop(*command)
        assert made.code == 0, made.err
        key = public_key_sha256(tls_key(directory / home).public_key())
        assert all(word in made.out for word in words_of(key).split())
        assert all(path.stat().st_mode & 0o077 == 0 for path in (directory / home).glob("*.key"))
        # Nothing that is there is overwritten.
        apart.refuses(lambda command=command: upprop(*command), 3, "config.toml")  # type: ignore[misc]
    # All registries of a federation sign one ledger.
    other = upprop("federation", "admit", directory / "registry-b" / "request.toml", "--draft", apart.draft, "--yes")
    assert (other.code, "ledger.key" in other.err) == (16, True)
    request = directory / "evaluator-3" / "request.toml"
    admitted = upprop("federation", "admit", request, "--draft", apart.draft, "--yes", "--json")
    assert admitted.json["identity"] == "upprop://evaluator/3"
    listed = descriptor.parse_file(apart.draft.read_bytes()).evaluators[-1]
    assert (listed.address, listed.key_sha256) == ("e.example.se:7440", admitted.json["key_sha256"])
    out = directory / "evaluator-3" / "tls.crt"
    authority = ("--ca-certificate", directory / "ca" / "ca.crt", "--ca-key", directory / "ca" / "ca.key")
    assert upprop("federation", "certify", request, *authority, "--out", out).code == 0
    certificate = x509.load_pem_x509_certificate(out.read_bytes())
    assert identity_of(certificate).uri == "upprop://evaluator/3"
    assert public_key_sha256(certificate.public_key()) == listed.key_sha256


@pytest.mark.parametrize("address", ["upprop.example.se", "two words:7450", "::1:7450"])
def test_what_is_no_address_is_told_before_anything_is_made(apart: Federation, address: str) -> None:
    registry = ("registry", "init", apart.directory / "r", "--name", "b")
    evaluator = ("evaluator", "init", apart.directory / "e", "--index", 3)
    for command in ((*registry, "--address", address), (*evaluator, "--address", address)):
        apart.refuses(lambda command=command: upprop(*command), 4, "such as upprop.example.se:7450")  # type: ignore[misc]
    apart.refuses(lambda: upprop(*registry, "--address", "b:7450", "--join-address", address), 4)


# --- what an evaluator refuses -------------------------------------------------------------------------------------


@pytest.fixture
def grown(apart: Federation) -> Federation:
    """The authority has signed a member more: 50 000 pupils and 60 000."""
    apart.begin()
    apart.admit("--yes")
    assert upprop("evaluator", "migrate", "--config", apart.made.evaluator(1)).code == 0
    assert upprop("evaluator", "status", "--config", apart.made.evaluator(1)).code == 0
    apart.sign()
    return apart


def test_an_evaluator_accepts_no_implausible_populations(grown: Federation) -> None:
    grown.publish_pupils(99_999)
    done = grown.accept(grown.descriptor, "--yes")
    assert done.code == 16
    assert "110000" in done.err
    assert "published_pupils" in done.err
    # What has come stays an offer, which denies and lets nobody in.
    grown.refuses(lambda: grown.accept("--yes"), 16, "110000")


def test_an_evaluator_that_knows_no_figure_accepts_nothing(grown: Federation) -> None:
    grown.publish_pupils(None)
    assert grown.accept(grown.descriptor, "--yes").code == 3
    grown.refuses(lambda: grown.accept("--yes"), 3, "published_pupils = N")
    grown.publish_pupils(100_000)
    assert grown.accept("--yes").code == 0


def test_an_evaluator_accepts_nothing_older_or_of_another_authority(grown: Federation) -> None:
    grown.publish_pupils(200_000)
    older = grown.directory / "older.toml"
    shutil.copy(grown.made.descriptor, older)
    assert grown.accept(grown.descriptor, "--yes").code == 0
    grown.refuses(lambda: grown.accept(older, "--yes"), 15)
    foreign = _signed(grown, Ed25519PrivateKey.generate(), serial=9)
    grown.refuses(lambda: grown.accept(foreign, "--yes"), 14)
    past = _signed(grown, serial=9, expires=utc_now().replace(microsecond=0) - timedelta(seconds=1))
    grown.refuses(lambda: grown.accept(past, "--yes"), 5, "expired")
    same = _signed(grown, zone="Europe/Helsinki")
    grown.refuses(lambda: grown.accept(same, "--yes"), 5, "serial 2")
    nothing = grown.accept("--yes")
    assert (nothing.code, "Nothing to accept" in nothing.out) == (0, True)


def test_what_is_taken_from_a_machine_without_a_terminal_is_shown_before_it_is_asked(grown: Federation) -> None:
    grown.publish_pupils(200_000)
    done = grown.accept(grown.descriptor, "--json", given="y\n")
    assert "member 1480: added" in done.err
    assert done.json["accepted"] is True
