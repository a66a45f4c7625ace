"""`upprop … doctor`: what is said of parties that are well, and of each thing that may not be; nothing is changed."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from prometheus_client import CollectorRegistry

from federation import identity, pki
from federation.cli import main
from federation.clock import utc_now
from federation.database import Database
from federation.descriptor import parse_file, sign, split
from federation.descriptor_store import OFFERED_NAME, DescriptorStore
from federation.doctor import machine
from federation.errors import (
    EXIT_AUTHORITY,
    EXIT_CLOCK,
    EXIT_CONFIGURATION,
    EXIT_DESCRIPTOR_OLDER,
    EXIT_DIRECTORY,
    EXIT_IDENTITY,
    EXIT_PEER,
    EXIT_SCHEMA_NEWER,
    EXIT_SECRET,
)
from federation.identity import Kind
from federation.observability import Log, Metrics
from federation.settings import load
from federation.tls import OwnIdentity
from federation.travelling import Courier, Registries
from node.settings import NodeSettings
from registry.certificates.servicers import AdmissionServicer
from tests.conftest import MakeFederation
from tests.harness.ports import free_ports
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import person

TODAY = date(2026, 9, 7)


@dataclass(frozen=True)
class Seen:
    """What a doctor found."""

    exit_code: int
    findings: list[dict[str, Any]]

    def of(self, check: str, subject: str | None = None) -> list[dict[str, Any]]:
        return [each for each in self.findings if each["check"] == check and subject in (None, each["subject"])]

    def one(self, check: str, subject: str | None = None) -> dict[str, Any]:
        [found] = self.of(check, subject)
        return found

    def levels(self) -> set[str]:
        return {each["level"] for each in self.findings}

    def failed(self) -> list[str]:
        return [each["check"] for each in self.findings if each["level"] == "failed"]


def doctor(config: Path, *, lang: str = "en") -> Seen:
    """The doctor of the role whose settings these are."""
    role = config.parent.name.partition("-")[0]
    command = {"reader": ["query", "--config", str(config), "doctor"]}.get(
        role, [role, "doctor", "--config", str(config)]
    )
    before = tree(config.parent)
    result = CliRunner().invoke(main, [*command, "--json"], env={"UPPROP_LANG": lang}, catch_exceptions=False)
    assert tree(config.parent) == before
    assert result.stderr == ""
    return Seen(result.exit_code, json.loads(result.stdout))


def tree(directory: Path) -> dict[str, tuple[int, str]]:
    """Every file and directory with its mode and content; the index of a SQLite file that a daemon has open is its."""
    found = {}
    for path in sorted(directory.rglob("*")):
        regular = path.is_file() and not path.name.endswith("-shm")
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if regular else ""
        found[str(path.relative_to(directory))] = (path.stat().st_mode, digest)
    return found


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """One that works: the node has imported and synced, the registry has closed the day."""
    with running(tmp_path_factory.mktemp("doctor") / "federation", ["0180"], TODAY) as started:
        started.day(TODAY, {"0180": [person(place) for place in range(12)]})
        # The node's own process has ended; the others run.
        started.nodes["0180"].close()
        try:
            yield started
        finally:
            started.nodes["0180"].open()


@pytest.fixture
def config(federation: Federation, tmp_path: Path) -> Path:
    """The settings of a copy of that node, to be spoilt."""
    shutil.copytree(federation.dev.directory / "node-0180", tmp_path / "node-0180")
    shutil.copy(federation.dev.descriptor, tmp_path / "federation.toml")
    shutil.copytree(federation.dev.directory / "authority", tmp_path / "authority")
    copied = tmp_path / "node-0180" / "config.toml"
    text = copied.read_text(encoding="utf-8")
    copied.write_text(text.replace("clock =", "renew_certificate = true\nclock ="), encoding="utf-8")
    return copied


# -- all is well ---------------------------------------------------------------------------------------------------


def test_a_node_that_is_well_is_said_to_be_and_nothing_is_changed(federation: Federation) -> None:
    seen = doctor(federation.dev.node("0180"))
    assert (seen.exit_code, seen.levels()) == (0, {"ok"}), seen
    assert [each["subject"] for each in seen.of("evaluator")] == ["1", "2", "3"]
    assert [each["subject"] for each in seen.of("quota")] == ["1", "2", "3"]
    assert "2026-09-07" in seen.one("import")["sentence"]
    assert seen.one("clock")["sentence"].startswith("Within 1 s")


def test_running_parties_are_looked_at_without_being_disturbed(federation: Federation) -> None:
    for config in (federation.dev.registry, federation.dev.evaluator(1), federation.dev.reader("public")):
        seen = doctor(config)
        assert seen.exit_code == 0, seen
        assert "failed" not in seen.levels()
    assert "It runs" in doctor(federation.dev.registry).one("daemon")["sentence"]


def test_a_municipality_reads_it_in_swedish_and_in_the_width_of_its_terminal(federation: Federation) -> None:
    arguments = ["node", "doctor", "--config", str(federation.dev.node("0180"))]
    result = CliRunner().invoke(main, arguments, env={"UPPROP_LANG": "sv", "COLUMNS": "70"})
    assert "Allt är som det ska." in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 70 + len(str(federation.dev.node("0180")))


# -- each thing that may be wrong --------------------------------------------------------------------------------------


def certified(config: Path, federation: Federation, now: datetime, lifetime: timedelta) -> None:
    """Give the node a certificate of these dates for the key that lies there."""
    home = config.parent
    key = load_pem_private_key((home / "tls.key").read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    issued = pki.issue(federation.dev.ca, identity.node("0180"), key.public_key(), now, lifetime)
    (home / "tls.crt").write_bytes(pki.certificate_pem(issued))


def published(config: Path, federation: Federation, **changes: Any) -> None:
    body, _ = split(federation.dev.descriptor.read_bytes())
    changed = msgspec.structs.replace(parse_file(body), **changes)
    (config.parent.parent / "federation.toml").write_bytes(sign(changed, federation.dev.authority_key))


def test_a_missing_key_is_the_worst_and_everything_else_is_looked_at_all_the_same(config: Path) -> None:
    (config.parent / "tls.key").unlink()
    seen = doctor(config)
    assert seen.exit_code == EXIT_SECRET
    assert "tls.key" in seen.one("secret")["sentence"]
    assert {"disk", "descriptor", "store", "import", "backlog"} <= {each["check"] for each in seen.findings}


def test_a_secret_open_to_others_is_named_with_the_command_that_closes_it(config: Path) -> None:
    (config.parent / "record.key").chmod(0o644)
    seen = doctor(config)
    assert seen.exit_code == EXIT_SECRET
    assert "chmod 600" in seen.one("secret", "record.key")["sentence"]


def test_a_data_directory_that_cannot_be_written_is_said_so(config: Path) -> None:
    shutil.rmtree(config.parent / "data")
    (config.parent / "data").write_text("a file")
    seen = doctor(config)
    assert seen.exit_code == EXIT_DIRECTORY
    assert seen.one("data-directory")["code"] == "DIRECTORY_UNWRITABLE"


def test_a_full_disk_is_warned_of(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_SHARE", 1.1)
    found = doctor(config).one("disk")
    assert (found["level"], found["do"] is not None) == ("warning", True)


def test_a_store_of_a_newer_program_is_not_read(config: Path) -> None:
    database = Database(config.parent / "data" / "node.sqlite")
    with database.transaction("test") as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    seen = doctor(config)
    assert seen.exit_code == EXIT_SCHEMA_NEWER
    assert seen.one("backlog")["sentence"].startswith("Not looked into")


def test_a_damaged_store_is_said_so(config: Path) -> None:
    (config.parent / "data" / "node.sqlite").write_bytes(b"no database" * 1_000)
    found = doctor(config).one("store")
    assert (found["level"], found["code"]) == ("failed", "STORE_UNREACHABLE")


def test_a_descriptor_of_another_authority_is_refused_and_the_peers_are_not_tried(config: Path, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "authority" / "authority.pub").write_bytes(pki.public_pem(other))
    seen = doctor(config)
    assert seen.exit_code == EXIT_AUTHORITY
    assert seen.one("descriptor")["level"] == "failed"
    assert seen.one("registry")["sentence"].startswith("Not tried")


def test_an_older_descriptor_is_refused(config: Path) -> None:
    (config.parent / "data" / "descriptor.seen").write_text(f"9 {'0' * 64}\n")
    assert doctor(config).exit_code == EXIT_DESCRIPTOR_OLDER


def test_a_descriptor_about_to_expire_is_warned_of(config: Path, federation: Federation) -> None:
    published(config, federation, serial=2, expires=utc_now() + timedelta(days=3))
    found = doctor(config).one("descriptor")
    assert (found["level"], "2 days" in found["sentence"]) == ("warning", True)


def test_an_expired_descriptor_fails_and_the_peers_say_what_they_think(config: Path, federation: Federation) -> None:
    published(config, federation, serial=2, expires=utc_now() - timedelta(days=1))
    seen = doctor(config)
    assert seen.exit_code == EXIT_IDENTITY
    assert seen.one("descriptor")["code"] == "DESCRIPTOR_EXPIRED"
    assert [each["level"] for each in seen.of("evaluator")] == ["ok"] * 3


def test_a_certificate_that_should_have_been_renewed_is_warned_of(config: Path, federation: Federation) -> None:
    certified(config, federation, utc_now() - timedelta(days=80), timedelta(days=90))
    found = doctor(config).one("certificate")
    assert (found["level"], "by itself" in found["sentence"]) == ("warning", True)
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("renew_certificate = true", "renew_certificate = false"), encoding="utf-8")
    found = doctor(config).one("certificate")
    assert (found["level"], "your PKI" in found["do"]) == ("warning", True)


def test_an_expired_certificate_fails_and_so_do_the_peers_that_refuse_it(config: Path, federation: Federation) -> None:
    certified(config, federation, utc_now() - timedelta(days=3), timedelta(days=2))
    seen = doctor(config)
    assert seen.exit_code == EXIT_IDENTITY
    assert seen.one("certificate")["code"] == "CERTIFICATE_EXPIRED"
    assert seen.one("registry")["level"] == "failed"
    assert "certificate" in seen.one("registry")["do"]


def test_a_key_that_is_not_the_listed_one_is_refused_by_every_peer(config: Path, federation: Federation) -> None:
    home = config.parent
    key = pki.new_tls_key()
    (home / "tls.key").write_bytes(pki.private_pem(key))
    certified(config, federation, utc_now(), timedelta(days=90))
    seen = doctor(config)
    assert seen.exit_code == EXIT_IDENTITY
    assert {each["code"] for each in seen.of("evaluator") + seen.of("registry")} == {"IDENTITY_UNLISTED"}


@pytest.fixture
def registrys_clock(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    [servicer] = [
        each.servicer for each in federation.registry_app.services if isinstance(each.servicer, AdmissionServicer)
    ]

    def set_off(by: timedelta) -> None:
        def now() -> datetime:
            return utc_now() + by

        monkeypatch.setattr(servicer, "_now", now)

    return set_off


@pytest.mark.parametrize(
    ("minutes", "level", "words", "exit_code"),
    [(10, "failed", "behind", EXIT_CLOCK), (-10, "failed", "ahead of", EXIT_CLOCK), (1, "warning", "behind", 0)],
)
def test_a_clock_that_is_wrong_is_told_by_how_much_and_which_way(
    config: Path,
    registrys_clock: Callable[[timedelta], None],
    minutes: int,
    level: str,
    words: str,
    exit_code: int,
) -> None:
    registrys_clock(timedelta(minutes=minutes))
    seen = doctor(config)
    found = seen.one("clock")
    assert (found["level"], words in found["sentence"], seen.exit_code) == (level, True, exit_code), found
    assert "timedatectl" in found["do"]


def test_a_daemon_whose_clock_is_wrong_says_so_once(
    federation: Federation, config: Path, registrys_clock: Callable[[timedelta], None]
) -> None:
    settings = load(config, NodeSettings)
    descriptors = DescriptorStore.of(settings, looks_only=True)
    own, written = OwnIdentity.of(settings, descriptors), io.StringIO()
    asked = Registries(descriptors, own)
    courier = Courier(descriptors, asked, Kind.NODE, Metrics(CollectorRegistry()), Log(written))
    registrys_clock(timedelta(minutes=10))
    courier.fetch()
    courier.fetch()
    registrys_clock(timedelta(0))
    courier.fetch()
    asked.close()
    events = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [each["event"] for each in events] == ["clock_wrong", "clock_right"]
    assert -610 < events[0]["seconds"] < -590


# -- peers -------------------------------------------------------------------------------------------------------------


def elsewhere(federation: Federation, address: str, *indexes: int) -> list[Any]:
    """The evaluators of the descriptor, those of `indexes` at another address."""
    body, _ = split(federation.dev.descriptor.read_bytes())
    return [
        msgspec.structs.replace(each, address=address) if each.index in indexes else each
        for each in parse_file(body).evaluators
    ]


def test_one_evaluator_that_is_away_is_warned_of_and_two_are_too_many(config: Path, federation: Federation) -> None:
    [port] = free_ports(1)
    published(config, federation, serial=2, evaluators=elsewhere(federation, f"127.0.0.1:{port}", 3))
    seen = doctor(config)
    assert seen.exit_code == 0
    assert (seen.one("evaluator", "3")["level"], seen.one("evaluator", "3")["code"]) == ("warning", "PEER_UNREACHABLE")
    published(config, federation, serial=3, evaluators=elsewhere(federation, f"127.0.0.1:{port}", 2, 3))
    seen = doctor(config)
    assert seen.exit_code == EXIT_PEER
    assert seen.failed() == ["evaluator", "evaluator"]


def test_it_is_said_what_is_in_the_way(config: Path, federation: Federation) -> None:
    probes = federation.evaluators[1].daemon
    assert probes is not None
    for serial, (address, words) in enumerate(
        [
            (f"127.0.0.1:{free_ports(1)[0]}", "Nothing listens"),
            ("nobody.invalid:7441", "cannot be resolved"),
            (f"127.0.0.1:{probes.ports['metrics']}", "no secure connection"),
        ],
        start=2,
    ):
        published(config, federation, serial=serial, evaluators=elsewhere(federation, address, 1))
        assert words in doctor(config).one("evaluator", "1")["sentence"]


def test_somebody_else_at_a_peers_address_is_told_apart(config: Path, federation: Federation) -> None:
    body, _ = split(federation.dev.descriptor.read_bytes())
    other = parse_file(body).evaluators[1].address
    published(config, federation, serial=2, evaluators=elsewhere(federation, other, 1))
    found = doctor(config).one("evaluator", "1")
    assert (found["level"], found["code"]) == ("failed", "IDENTITY_FOREIGN")


def test_a_newer_descriptor_at_the_registry_is_told(config: Path, federation: Federation, tmp_path: Path) -> None:
    kept = federation.dev.descriptor.read_bytes()
    try:
        federation.publish(5)
        (tmp_path / "federation.toml").write_bytes(kept)
        found = doctor(config).one("offer")
        assert (found["level"], "has serial 5; here it is 1" in found["sentence"]) == ("warning", True)
    finally:
        # What is in force at the servers now stays so; for the others the first is put back.
        federation.dev.descriptor.write_bytes(kept)


# -- alone -------------------------------------------------------------------------------------------------------------


def test_a_new_node_is_told_what_comes_next(make_federation: MakeFederation) -> None:
    seen = doctor(make_federation("0180").node("0180"))
    assert seen.exit_code == EXIT_PEER
    assert "upprop node migrate" in seen.one("store")["do"]
    assert seen.one("quota")["level"] == "warning"


def test_an_offer_that_waits_is_told_to_the_evaluators_administrator(make_federation: MakeFederation) -> None:
    federation = make_federation("0180")
    config = federation.evaluator(1)
    body, _ = split(federation.descriptor.read_bytes())
    newer = sign(msgspec.structs.replace(parse_file(body), serial=2), federation.authority_key)
    data = config.parent / "data"
    data.mkdir(mode=0o700)
    (data / OFFERED_NAME).write_bytes(newer)
    found = doctor(config).one("offer")
    assert (found["level"], "upprop evaluator accept" in found["do"]) == ("warning", True)


def test_a_share_and_a_key_that_are_gone_are_missed(make_federation: MakeFederation) -> None:
    federation = make_federation("0180")
    (federation.evaluator(1).parent / "epoch-1.share").unlink()
    seen = doctor(federation.evaluator(1))
    assert (seen.exit_code, seen.one("shares")["level"]) == (EXIT_SECRET, "failed")
    (federation.registry.parent / "epoch-1.key").unlink()
    seen = doctor(federation.registry)
    assert (seen.exit_code, seen.one("keys")["level"]) == (EXIT_SECRET, "failed")


def test_settings_that_are_not_understood_stop_the_doctor_too(make_federation: MakeFederation) -> None:
    config = make_federation("0180").node("0180")
    config.write_text("metric_listen = '127.0.0.1:0'\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    result = CliRunner().invoke(main, ["node", "doctor", "--config", str(config)])
    assert result.exit_code == EXIT_CONFIGURATION
    assert "Did you mean metrics_listen?" in result.stderr


def test_a_check_that_fails_itself_hides_no_other(
    make_federation: MakeFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_directory: Path) -> Iterator[Any]:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(machine, "disk", broken)
    seen = doctor(make_federation("0180").node("0180"))
    assert "ZeroDivisionError" in seen.one("disk")["sentence"]
    assert "a secret" not in str(seen)
    assert seen.of("store")
