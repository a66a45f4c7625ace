"""School systems push to a running node: what is taken, what is refused, and what each client can touch."""

from __future__ import annotations

import re
import secrets
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import timedelta
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
from federation.v1 import enrolment_pb2, registry_pb2
from federation.v1.registry_pb2_grpc import RegistryServiceStub
from tests.conftest import MakeFederation
from tests.harness.push_client import PushClient, code_of, request, roster
from tests.integration.push_parties import TODAY, PushNode, refused
from tests.integration.rpc_parties import Running, handled
from tests.integration.test_node_cli import run
from tests.unit.node.exports import enrolment, number, person, person_id

DAY = timedelta(days=1)
UNKNOWN = enrolment_pb2.WITHDRAWAL_REASON_UNKNOWN_WHEREABOUTS
MOVED = enrolment_pb2.WITHDRAWAL_REASON_MOVED


@pytest.fixture
def dev(make_federation: MakeFederation) -> DevFederation:
    return make_federation("0180", "1480", today=TODAY)


@pytest.fixture
def node(dev: DevFederation) -> PushNode:
    return PushNode(dev.node("0180"))


@pytest.fixture
def running(node: PushNode) -> Iterator[PushNode]:
    with node.serving():
        yield node


@pytest.fixture
def skola(running: PushNode) -> Iterator[PushClient]:
    with running.client(running.add("skola")) as client:
        yield client


@pytest.fixture
def begun(skola: PushClient) -> PushClient:
    """A school system whose roster of yesterday the node has: a dozen pupils."""
    skola.put_roster([person(place) for place in range(12)], TODAY - DAY)
    return skola


def stored(node: PushNode, query: str) -> list[Any]:
    with sqlite3.connect(node.data_dir / "node.sqlite") as connection:
        return connection.execute(query).fetchall()


def content_of(node: PushNode) -> list[Any]:
    """All that pushes change, as far as equality goes."""
    tables = ("records", "pupils", "sayings", "imports", "pushes", "roster_parts")
    return [stored(node, f"select * from {table} order by 1, 2") for table in tables]


# -- what is taken --------------------------------------------------------------------------------------------------


def test_a_pupil_who_is_put_with_an_end_has_left(running: PushNode, skola: PushClient) -> None:
    assert skola.heard() is None
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    assert skola.heard() == "2026-09-14"
    skola.put([person(3, enrolment(end="2026-09-18"))], TODAY)
    skola.put([person(4, civicNo={"value": "20130101TF01"}, enrolments=[enrolment(end="2026-09-18")])], TODAY)
    running.upprop("sync")
    listed = {case["person_id"]: case for case in running.upprop.json("cases", "--all")["cases"]}
    assert listed == {}
    assert skola.heard() == "2026-09-21"
    explained = stored(running, "select state, count(*) from gaps group by 1")
    assert explained == [("WATCH", 2)]


def test_a_withdrawal_with_unknown_whereabouts_opens_the_case_at_once(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    assert skola.withdraw(person_id(3), TODAY - 3 * DAY, TODAY, reason=UNKNOWN) == 1
    assert skola.withdraw(person_id(4), TODAY - 3 * DAY, TODAY, reason=MOVED) == 1
    assert [
        (case["person_id"].rpartition(":")[2], case["effective_date"], case["urgency"], case["opened_by"])
        for case in running.cases()
    ] == [(person_id(3), "2026-09-19", "IMMEDIATE", "immediate")]


def test_one_who_never_came_and_whose_whereabouts_are_unknown_is_looked_for(
    running: PushNode, skola: PushClient
) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    new = [person(place, enrolment("2026-09-16"), id=f"new {place}") for place in (20, 21)]
    skola.put(new, TODAY - 5 * DAY)
    assert skola.withdraw("new 20", TODAY - 10 * DAY, TODAY, reason=UNKNOWN) == 1
    assert skola.withdraw("new 21", TODAY - 10 * DAY, TODAY, reason=MOVED) == 1
    assert [
        (case["person_id"].rpartition(":")[2], case["effective_date"], case["urgency"]) for case in running.cases()
    ] == [("new 20", "2026-09-17", "IMMEDIATE")]


def test_a_withdrawal_ends_what_lasts_beyond_the_last_day_and_nothing_else(
    running: PushNode, skola: PushClient
) -> None:
    other: dict[str, Any] = {"enroledAt": {"id": "another unit"}}
    rows = [
        enrolment("2024-08-19", "2025-06-13"),
        enrolment("2025-08-18"),
        enrolment("2026-08-17", **other),
        enrolment("2026-10-01", schoolYear=5),
    ]
    skola.put_roster([person(1, *rows), person(2)], TODAY - 7 * DAY)
    assert skola.withdraw(person_id(1), TODAY, TODAY, enroled_at="another unit") == 1
    assert skola.withdraw(person_id(1), TODAY, TODAY) == 2
    assert skola.withdraw(person_id(1), TODAY, TODAY) == 0
    with refused("INPUT_REFUSED"):
        skola.withdraw(person_id(9), TODAY, TODAY)
    assert skola.withdraw(person_id(2), TODAY + 30 * DAY, TODAY) == 1


def test_persons_whom_the_school_system_deleted_are_gone(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    skola.put([], TODAY, deleted=[person_id(5)])
    running.upprop("sync")
    assert stored(running, "select count(*) from gaps") == [(1,)]
    assert stored(running, "select count(*) from records") == [(11,)]


def test_without_persons_a_put_says_that_nothing_has_changed(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(12)], TODAY - 7 * DAY)
    before = content_of(running)[:3]
    assert not skola.put([], TODAY)[0].remarks
    assert skola.heard() == "2026-09-21"
    assert content_of(running)[:3] == before


def test_what_is_wrong_with_one_person_is_said_of_that_person(running: PushNode, begun: PushClient) -> None:
    bad = [
        person(20),
        person(21, id=""),
        person(22, enrolment("18/8 2026")),
        person(23, civicNo={"value": "201501019999"}),
        person(24, civicNo=None),
        person(25, enrolment(schoolType="??"), securityMarking="?", personStatus="?"),
        person(26, enrolment(end="2026-02-30")),
    ]
    (answer,) = begun.put(bad, TODAY)
    kinds = enrolment_pb2.RemarkKind.Name
    assert [(remark.person, kinds(remark.kind).rpartition("_")[2], remark.field) for remark in answer.remarks] == [
        (2, "REJECTED", "id"),
        (3, "REJECTED", "enrolments.startDate"),
        (4, "REJECTED", "civicNo"),
        (5, "UNLINKABLE", "civicNo"),
        (6, "NOTE", "securityMarking"),
        (6, "NOTE", "personStatus"),
        (6, "NOTE", "enrolments.schoolType"),
        (7, "REJECTED", "enrolments.endDate"),
    ]
    assert not any("2015" in remark.why or "18/8" in remark.why for remark in answer.remarks)
    assert stored(running, "select count(*) from records") == [(18,)]


def test_what_leaves_a_large_unit_in_one_put_does_not_wait_and_what_empties_a_small_one_does(
    running: PushNode, skola: PushClient
) -> None:
    small: dict[str, Any] = {"enroledAt": {"id": "a small unit"}}
    large = [person(place) for place in range(100)]
    skola.put_roster([*large, *[person(place, enrolment(**small)) for place in range(100, 120)]], TODAY - 7 * DAY)
    left = [person(place, enrolment(end="2026-09-18")) for place in range(11)]
    left += [person(place, enrolment(end="2026-09-18", **small)) for place in range(100, 111)]
    skola.put(left, TODAY)
    assert stored(running, "select pupils from held_leavings") == [(11,)]
    running.upprop("sync")
    assert stored(running, "select count(*) from gaps") == [(11,)]


def test_the_first_that_a_school_system_puts_is_its_roster(running: PushNode, skola: PushClient) -> None:
    before = content_of(running)
    for persons in ([], [person(1)]):
        with refused("INPUT_REFUSED"):
            skola.put(persons, TODAY)
    assert content_of(running) == before
    skola.put_roster([], TODAY)
    skola.put([person(1)], TODAY)


# -- what is refused ------------------------------------------------------------------------------------------------


def test_a_request_that_is_useless_as_a_whole_changes_nothing(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(3)], TODAY - DAY)
    before = content_of(running)
    part = enrolment_pb2.RosterPart
    for code, sent in {
        "REQUEST_INVALID": [
            request([person(1)], TODAY, request_id=b"short"),
            enrolment_pb2.PutEnrolmentsRequest(request_id=bytes(16), as_of="21/9 2026"),
            enrolment_pb2.PutEnrolmentsRequest(request_id=bytes(16)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=0, parts=1)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=2, parts=1)),
            request([], TODAY, roster_part=part(roster_id=bytes(16), part=1, parts=1_001)),
            request([], TODAY, roster_part=part(roster_id=b"", part=1, parts=1)),
            request([], TODAY, deleted=["x"], roster_part=part(roster_id=bytes(16), part=1, parts=1)),
        ],
        "BATCH_TOO_LARGE": [request([person(1)] * 1_001, TODAY)],
        "INPUT_REFUSED": [request([], TODAY + DAY)],
        "EXPORT_OLDER": [request([], TODAY - 2 * DAY)],
    }.items():
        for one in sent:
            with refused(code):
                skola.send(one)
    for fields in ({"person_id": ""}, {"last_day": "then"}, {"reason": 77}):
        wanted: dict[str, Any] = {"person_id": person_id(1), "last_day": "2026-09-18", "as_of": "2026-09-21"}
        with refused("REQUEST_INVALID"):
            made = enrolment_pb2.WithdrawRequest(request_id=bytes(16), **{**wanted, **fields})
            skola.stub.Withdraw(made, timeout=30)
    with refused("RESOURCE_EXHAUSTED"):
        skola.send(request([person(1, givenName="x" * 5_000_000)], TODAY))
    with refused("REQUEST_INVALID"):
        skola.stub.PutEnrolments(request([], TODAY))
    assert content_of(running) == before


def test_a_roster_counts_once_all_its_parts_have_come(running: PushNode, skola: PushClient) -> None:
    one, two, three = roster([person(place) for place in range(12)], TODAY, size=5)
    assert skola.send(three).parts_missing == 2
    assert skola.send(one).parts_missing == 1
    assert skola.send(three).parts_missing == 1
    assert skola.heard() is None
    with refused("BATCH_REUSED"):
        skola.send(request([person(40)], TODAY, request_id=one.request_id, roster_part=one.roster_part))
    with refused("BATCH_REUSED"):
        skola.send(request([person(40)], TODAY, roster_part=one.roster_part))
    with refused("REQUEST_INVALID"):
        skola.send(request([], TODAY - DAY, roster_part=two.roster_part))
    assert skola.send(two).parts_missing == 0
    assert (skola.heard(), stored(running, "select count(*) from records")) == ("2026-09-21", [(12,)])
    before = content_of(running)
    assert [skola.send(part).parts_missing for part in (one, two, three)] == [0, 0, 0]
    assert content_of(running) == before
    assert before[-1] == []


def test_a_part_of_another_roster_ends_an_unfinished_one(running: PushNode, skola: PushClient) -> None:
    given_up = roster([person(place) for place in range(12)], TODAY, size=6)
    skola.send(given_up[0])
    skola.put_roster([person(place) for place in range(4)], TODAY)
    assert stored(running, "select count(*) from records") == [(4,)]
    assert skola.send(given_up[1]).parts_missing == 1


@pytest.mark.parametrize("change", ["withdraw", "put", "delete"])
def test_a_change_taken_amid_a_roster_is_not_undone_by_it(running: PushNode, skola: PushClient, change: str) -> None:
    persons = [person(place) for place in range(12)]
    skola.put_roster(persons, TODAY - DAY)
    first, last = roster(persons, TODAY, size=6)
    skola.send(first)
    skola.put([], TODAY)
    if change == "withdraw":
        skola.withdraw(person_id(3), TODAY - DAY, TODAY)
    elif change == "put":
        skola.put([person(3, enrolment(end="2026-09-18"))], TODAY)
    else:
        skola.put([], TODAY, deleted=[person_id(3)])
    after = content_of(running)
    for part in (last, first):
        with refused("INPUT_REFUSED"):
            skola.send(part)
    assert content_of(running) == after
    assert [answer.parts_missing for answer in skola.put_roster(persons, TODAY)] == [0]


def test_a_roster_that_lacks_half_the_pupils_waits_for_the_administrator(running: PushNode, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(20)], TODAY - DAY)
    parts = roster([person(place) for place in range(6)], TODAY, size=4)
    skola.send(parts[0])
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as error:
            skola.send(parts[1])
        # How many of whom are known is not the school system's to learn.
        call: Any = error.value
        assert (code_of(call), re.findall(r"\d", call.details())) == ("EXPORT_SHRUNK", [])
    assert running.upprop.json("client", "list")[0]["refused_as_of"] == "2026-09-21"
    assert running.upprop("client", "take", "skola").returncode == 4
    report = running.upprop.json("client", "take", "skola", "--accept-shrink")
    assert (report["persons"], report["vanished"]) == (6, 14)
    assert [held["pupils"] for held in report["held"]] == [14]
    assert running.upprop.json("client", "take", "skola", "--confirm-leavings")["held"] == []
    before = content_of(running)
    assert [skola.send(part).parts_missing for part in parts] == [0, 0]
    assert content_of(running) == before


# -- once and once only ---------------------------------------------------------------------------------------------


def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(running: PushNode, begun: PushClient) -> None:
    skola = begun
    put = request([person(1), person(2, enrolment("18/8 2026"))], TODAY)
    first = skola.send(put)
    one = secrets.token_bytes(16)
    assert skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=UNKNOWN) == 1
    before = content_of(running)
    assert skola.send(put) == first
    assert skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=UNKNOWN) == 1
    assert content_of(running) == before
    with refused("BATCH_REUSED"):
        skola.withdraw(person_id(1), TODAY, TODAY, request_id=one, reason=MOVED)
    with refused("BATCH_REUSED"):
        skola.put([person(1)], TODAY, request_id=one)
    with refused("BATCH_REUSED"):
        skola.put([person(3)], TODAY, request_id=put.request_id)
    assert content_of(running) == before


KILLED = """
import os, signal, sys
from federation import tls13; tls13.require()
import {module}
def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
{module}.{name} = killed
from federation.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "name", "durable"),
    [
        ("node.push.wire", "put_response", True),
        ("node.push.pushing", "Pushing._keep", False),
        ("node.records.taking", "Taking._report", False),
    ],
)
def test_a_node_killed_in_the_middle_of_a_put_has_all_of_it_or_nothing(
    node: PushNode, module: str, name: str, durable: bool
) -> None:
    put = request([person(place) for place in range(50)], TODAY)
    directory = node.add("skola")
    with node.serving(), node.client(directory) as skola:
        skola.put_roster([], TODAY - DAY)
    with (
        node.serving(KILLED.format(module=module, name=name), ends_with=-signal.SIGKILL),
        node.client(directory) as skola,
        refused("UNAVAILABLE"),
    ):
        skola.send(put)
    assert len(stored(node, "select * from records")) == (50 if durable else 0)
    before = content_of(node)
    with node.serving(), node.client(directory) as skola:
        assert skola.send(put).request_id == put.request_id
        after = content_of(node)
        assert skola.send(put).request_id == put.request_id
        assert content_of(node) == after
    assert len(stored(node, "select * from records")) == 50
    assert len(stored(node, "select * from imports")) == 2
    assert not durable or before == after


# -- who may, and what ----------------------------------------------------------------------------------------------


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


# -- what is seen of it ---------------------------------------------------------------------------------------------


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
