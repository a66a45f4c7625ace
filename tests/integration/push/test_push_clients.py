"""Who may push, what each client can touch, and what is seen of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import identity, pki
from federation.clock import utc_now
from federation.observability import Metrics
from federation.throwaway import DevFederation
from federation.v1 import registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.conftest import MakeFederation
from tests.harness.push_client import PushClient
from tests.integration.push_parties import DAY, TODAY, UNKNOWN, PushNode, refused, stored
from tests.integration.rpc_parties import Running, handled
from tests.integration.test_node_cli import run
from tests.unit.node.exports import enrolment, number, person, person_id

# -- who may, and what -------------------------------------------------------------------------------------------------


def test_a_client_touches_its_own_school_system_alone(running: PushNode, skola: PushClient) -> None:
    with running.client(running.add("friskola")) as friskola:
        skola.put_roster([person(place) for place in range(8)], TODAY)
        friskola.put_roster([person(place, enrolment(**other())) for place in range(8, 12)], TODAY)
        with refused("INPUT_REFUSED"):
            friskola.withdraw(person_id(3), TODAY, TODAY)
        friskola.put([person(3, enrolment(end="2026-09-18", **other()))], TODAY)
        friskola.put([], TODAY, deleted=[person_id(place) for place in range(12)])
        friskola.put_roster([], TODAY)
        assert stored(running, "select system, count(*) from records group by 1") == [("skola", 8)]
        running.upprop("sync")
        # Nobody of the first system has left.
        of_skola = "select pupil_id from records where system = 'skola'"
        assert stored(running, f"select count(*) from gaps where pupil_id in ({of_skola})") == [(0,)]


def other() -> dict[str, Any]:
    return {"enroledAt": {"id": "friskolan"}}


def test_a_revocation_holds_from_the_next_call_on_an_open_connection(running: PushNode, begun: PushClient) -> None:
    skola = begun
    skola.put([], TODAY)
    running.upprop.ok("client", "revoke", "skola")
    with refused("IDENTITY_UNLISTED"):
        skola.put([person(20)], TODAY)
    with refused("IDENTITY_UNLISTED"):
        skola.heard()
    assert stored(running, "select count(*) from records") == [(12,)]
    # A new key is let in, and the old one stays out.
    with running.client(running.add("skola")) as again:
        again.put([person(20)], TODAY)
        with refused("IDENTITY_UNLISTED"):
            skola.heard()
    assert {"event": "push_client_refused", "client": "skola", "code": "IDENTITY_UNLISTED"}.items() <= next(
        line for line in running.log() if line["event"] == "push_client_refused"
    ).items()


def test_a_renewed_client_has_two_keys_until_the_old_one_expires(running: PushNode, begun: PushClient) -> None:
    refused_add = running.upprop("client", "add", "skola", "--out", str(running.data_dir.parent / "more"))
    assert (refused_add.returncode, "--renew" in refused_add.stderr) == (4, True)
    with running.client(running.add("skola", "--renew")) as renewed:
        renewed.put([person(1)], TODAY)
        begun.put([person(2)], TODAY)
    assert len(running.upprop.json("client", "list")) == 1


def test_certificates_of_others_are_refused(
    dev: DevFederation, running: PushNode, skola: PushClient, tmp_path: Path
) -> None:
    ours = running.data_dir.parent / "skola0"

    def credentials(name: str, certificate: bytes, key: bytes) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        (directory / "ca.crt").write_bytes((ours / "ca.crt").read_bytes())
        (directory / "client.crt").write_bytes(certificate)
        (directory / "client.key").write_bytes(key)
        return directory

    parties = [
        credentials(
            party, (dev.directory / party / "tls.crt").read_bytes(), (dev.directory / party / "tls.key").read_bytes()
        )
        for party in ("node-0180", "node-1480", "registry")
    ]
    foreign = pki.make_ca("Another CA", utc_now())
    key = pki.new_tls_key()
    names = [x509.UniformResourceIdentifier("upprop-client://0180/skola")]
    forged = pki.certify(foreign, "skola", names, (pki.CLIENT,), key.public_key(), utc_now())
    forger = credentials("forger", pki.certificate_pem(forged), pki.private_pem(key))
    for directory in (*parties, forger):
        with running.client(directory) as stranger, refused("UNAVAILABLE"):
            stranger.heard()
    assert skola.heard() is None


def test_whoever_stole_the_ca_key_can_push_nothing(running: PushNode, skola: PushClient, tmp_path: Path) -> None:
    both = (running.data_dir / "enrolment" / "ca.pem").read_bytes()
    ca_key = load_pem_private_key(both, None)
    assert isinstance(ca_key, EllipticCurvePrivateKey)
    ca = pki.CertificateAuthority(x509.load_pem_x509_certificate(both), ca_key)
    for name in ("skola", "another"):
        key = pki.new_tls_key()
        names = [x509.UniformResourceIdentifier(f"upprop-client://0180/{name}")]
        made = pki.certify(ca, name, names, (pki.CLIENT,), key.public_key(), utc_now())
        directory = tmp_path / name
        directory.mkdir()
        (directory / "ca.crt").write_bytes(pki.certificate_pem(ca.certificate))
        (directory / "client.crt").write_bytes(pki.certificate_pem(made))
        (directory / "client.key").write_bytes(pki.private_pem(key))
        with running.client(directory) as thief, refused("IDENTITY_UNLISTED"):
            thief.heard()


def test_a_school_system_can_keep_its_key_to_itself(running: PushNode, tmp_path: Path) -> None:
    made = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    made += ["-subj", "/CN=client", "-keyout", str(tmp_path / "client.key"), "-out", str(tmp_path / "client.csr")]
    subprocess.run(made, check=True, capture_output=True)
    add = ("client", "add", "skola", "--out", str(tmp_path), "--csr", str(tmp_path / "client.csr"))
    wrong = running.upprop(*add)
    assert (wrong.returncode, "holds credentials already" in wrong.stderr) == (4, True)
    (tmp_path / "client.key").rename(tmp_path / "own.key")
    running.upprop.ok(*add)
    assert not (tmp_path / "client.key").exists()
    (tmp_path / "own.key").rename(tmp_path / "client.key")
    with running.client(tmp_path) as client:
        assert client.heard() is None


def test_a_clients_certificate_opens_no_port_of_the_federation(
    dev: DevFederation, node: PushNode, metrics: Metrics
) -> None:
    directory = node.add("skola")
    registry = Running(dev, metrics)
    credentials = grpc.ssl_channel_credentials(
        pki.certificate_pem(dev.ca.certificate),
        (directory / "client.key").read_bytes(),
        (directory / "client.crt").read_bytes(),
    )
    name = ("grpc.ssl_target_name_override", identity.registry("a").dns_name)
    with grpc.secure_channel(registry.address, credentials, options=(name,)) as channel, refused("UNAVAILABLE"):
        RegistryServiceStub(channel).SubmitSignals(registry_pb2.SubmitSignalsRequest(), timeout=10)
    registry.server.stop(0)
    assert handled(registry) == {}


# -- what is seen of it ------------------------------------------------------------------------------------------------


def test_every_call_is_logged_and_no_log_names_a_pupil(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(5)], TODAY)
    skola.withdraw(person_id(1), TODAY, TODAY, reason=UNKNOWN)
    with refused("INPUT_REFUSED"):
        skola.withdraw(person_id(77), TODAY, TODAY)
    skola.heard()
    calls = [
        (line["event"], line["method"].rpartition("/")[2], line.get("code"))
        for line in running.log()
        if line["event"].startswith("rpc_")
    ]
    assert calls == [
        ("rpc_answered", "PutEnrolments", None),
        ("rpc_answered", "Withdraw", None),
        ("rpc_refused", "Withdraw", "INPUT_REFUSED"),
        ("rpc_answered", "GetState", None),
    ]
    assert {line["caller"] for line in running.log() if line["event"].startswith("rpc_")} == {
        "upprop-client://0180/skola"
    }
    written = {path.name: path.read_bytes() for path in running.upprop.config.parent.rglob("*") if path.is_file()}
    secrets_ = [text for place in range(80) for text in (number(place), number(place)[2:], person_id(place))]
    secrets_ += ["Förnamn", "Efternamn"]
    assert not [(name, secret) for name, stored in written.items() for secret in secrets_ if secret.encode() in stored]


def test_the_administrator_sees_how_far_each_client_was_heard(running: PushNode, skola: PushClient) -> None:
    running.add("friskola")
    skola.put_roster([person(1)], TODAY)
    running.upprop.ok("client", "revoke", "friskola")
    friskola, skola_line = running.upprop.json("client", "list")
    assert (friskola["name"], friskola["state"], "as_of" in friskola) == ("friskola", "revoked", False)
    assert (skola_line["name"], skola_line["state"], skola_line["as_of"]) == ("skola", "active", "2026-09-21")
    shown = running.upprop.ok("client", "list")
    assert "never" in shown
    assert "let in" in shown
    assert "2026-09-21" in shown


def test_a_retired_school_system_leaves_to_others_whom_they_show(running: PushNode, skola: PushClient) -> None:
    with running.client(running.add("friskola")) as friskola:
        skola.put_roster([person(place) for place in range(6)], TODAY - DAY)
        friskola.put_roster([person(place) for place in range(5)], TODAY)
    running.upprop.ok("client", "revoke", "skola")
    running.upprop.ok("systems", "--retire", "skola")
    running.upprop("sync")
    assert stored(running, "select system, count(*) from records group by 1") == [("friskola", 5)]
    assert stored(running, "select count(*) from gaps") == [(1,)]
    assert running.upprop("client", "revoke", "nobody").returncode == 4


def test_without_an_address_in_the_settings_no_port_is_opened(make_federation: MakeFederation) -> None:
    node = PushNode(make_federation("0180", directory="silent", today=TODAY).node("0180"))
    settings = node.upprop.config.read_text()
    node.upprop.config.write_text(settings.replace('enrolment_listen = "127.0.0.1:0"\n', ""))
    with node.serving():
        assert "enrolment" not in (node.data_dir / "ports.json").read_text()


@pytest.mark.parametrize("command", ["client", "client add", "client revoke", "client list", "client take"])
def test_every_command_explains_itself(command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.returncode == 0
    assert len(told.stdout.splitlines()) > 5


def test_a_port_on_every_address_needs_names_and_a_manual_clock_allows_loopback_alone(node: PushNode) -> None:
    open_to_all = node.upprop.config.read_text().replace(
        'enrolment_listen = "127.0.0.1:0"', 'enrolment_listen = "0.0.0.0:0"'
    )
    node.upprop.config.write_text(open_to_all)
    asked = node.upprop("client", "list")
    assert (asked.returncode, "enrolment_names" in asked.stderr) == (3, True)
    node.upprop.config.write_text(open_to_all + 'enrolment_names = ["upprop.example.se"]\n')
    node.upprop.ok("client", "list")
    served = node.upprop("serve")
    assert (served.returncode, "allows loopback addresses only" in served.stderr) == (3, True)
