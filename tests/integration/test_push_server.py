"""Pushes to a server in this process, over both kinds of store: what is said by them, and what disturbs nothing."""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from federation import pki
from federation.clock import utc_now
from federation.observability import Log, Metrics
from federation.rpc.server import RpcServer
from federation.rules.vocabulary import MemberId, Policy, Urgency
from federation.runtime import LocalServer
from federation.v1 import enrolment_pb2
from node.casework.files.filing import CaseFiles
from node.casework.holds.holding import Holding
from node.identity import Route
from node.model import Statement
from node.push.administration import PushClients
from node.push.admission import ClientAuthoriser
from node.push.certificates import EnrolmentCa
from node.push.pushing import Pushing
from node.push.servicers import EnrolmentServicer, binding
from node.store.case_keys import CaseKeys
from node.store.files import Files
from node.store.journal import Journal
from tests.harness.push_client import PushClient, request, roster
from tests.integration.node_alone import BASELINE, WEEK, Node, make
from tests.integration.push_parties import refused
from tests.unit.node.exports import enrolment, number, person, person_id

DAY = timedelta(days=1)
TODAY = BASELINE + 2 * WEEK
ABROAD = enrolment_pb2.WITHDRAWAL_REASON_ABROAD_UNDECIDED
UNKNOWN = enrolment_pb2.WITHDRAWAL_REASON_UNKNOWN_WHEREABOUTS


@dataclass
class Server:
    """The part of a node that takes pushes. `moved` is how far its certificates' clock is moved."""

    node: Node
    ca: EnrolmentCa
    clients: PushClients
    address: str
    moved: timedelta

    def credentials(self, name: str) -> Path:
        directory = self.node.directory / name
        directory.mkdir()
        key = pki.new_tls_key()
        certificate = self.clients.add(name, key.public_key(), renew=False)
        (directory / "client.key").write_bytes(pki.private_pem(key))
        (directory / "client.crt").write_bytes(pki.certificate_pem(certificate))
        (directory / "ca.crt").write_bytes(pki.certificate_pem(self.ca.certificate))
        return directory

    def now(self) -> datetime:
        return utc_now() + self.moved


def holding(node: Node) -> Holding:
    keys = CaseKeys(node.directory / "case-keys", node.sealer)
    files, journal = Files(keys), Journal(keys, node.sealer)
    case_files = CaseFiles(node.database, files, journal, node.clock)
    return Holding(node.database, node.sealer, case_files, files, journal, node.clock)


@pytest.fixture
def server(node: Node, metrics: Metrics) -> Iterator[Server]:
    node.clock.set_today(TODAY)
    log = Log(io.StringIO())
    # Made long ago: what is issued now and later is valid at the real time too.
    made = Server(node, None, None, "", -timedelta(days=350))  # type: ignore[arg-type]  # set below
    made.ca = EnrolmentCa(node.directory, MemberId("0180"), ["127.0.0.1"], now=made.now)
    made.clients = PushClients(node.database, node.sealer, made.ca, node.clock, log)
    pushing = Pushing(node.database, node.sealer, node.importing, node.clock)
    authoriser = ClientAuthoriser(made.ca, node.database, log)
    local = LocalServer(
        "enrolment",
        "127.0.0.1:0",
        binding(EnrolmentServicer(pushing, holding(node), node.clock)),
        made.ca.server_credentials,
        authoriser,
    )
    running = RpcServer(
        [local.service],
        local.rules,
        credentials=local.credentials(),
        authoriser=authoriser,
        metrics=metrics,
        log=log,
        log_answered=True,
    )
    made.address = f"127.0.0.1:{running.start(local.listen)}"
    yield made
    running.stop(0)


@pytest.fixture
def skola(server: Server) -> Iterator[PushClient]:
    with PushClient(server.address, server.credentials("main")) as client:
        yield client


Roster = list[dict[str, Any]]


def days() -> list[tuple[date, Roster]]:
    """A term's beginning: somebody leaves, comes, changes the unit, is corrected, vanishes, and comes back."""
    first = [person(place) for place in range(30)]
    second = [*first[:-1], person(40, enrolment("2026-08-31"))]
    second[3] = person(3, enrolment(end="2026-08-28"))
    second[4] = person(4, enrolment(end="2026-08-28"), enrolment("2026-08-31", enroledAt={"id": "another unit"}))
    third = [*second, first[-1]]
    third[3] = person(3, enrolment(end="2026-09-04"))
    third[5] = person(5, enrolment(cancelled=True))
    del third[6]
    return [(BASELINE, first), (BASELINE + WEEK, second), (TODAY, third)]


def said(node: Node) -> dict[str, Statement]:
    """What the node can say, by the number of the pupil."""
    found: dict[str, Statement] = {}
    for pupil in node.pupils().values():
        bears = pupil.identity.number
        assert bears is not None
        found[bears.number] = node.states(pupil)
    return found


@pytest.mark.parametrize("way", ["rosters", "changes"])
def test_what_is_pushed_says_what_the_same_files_say(
    server: Server, skola: PushClient, tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path, way: str
) -> None:
    before: Roster = []
    for day, persons in days():
        server.node.clock.set_today(day)
        if way == "rosters" or not before:
            skola.put_roster(persons, day)
        else:
            known = {one["id"] for one in persons}
            gone = [one["id"] for one in before if one["id"] not in known]
            skola.put([one for one in persons if one not in before], day, deleted=gone)
        before = persons
    pushed = said(server.node)
    other = _other_node(tmp_path_factory.mktemp("files"), empty_sqlite)
    for day, persons in days():
        other.take(day, persons)
    assert pushed == said(other)
    assert sum(statement.opening is not None for statement in pushed.values()) == 3
    other.database.close()


def _other_node(directory: Path, empty_sqlite: Path) -> Node:
    shutil.copy(empty_sqlite, directory / "node.sqlite")
    return make(directory, f"sqlite:///{directory / 'node.sqlite'}", Policy())


def test_the_same_request_from_many_sides_is_taken_once(server: Server, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(20)], TODAY - DAY)
    put = request([person(place, enrolment("2025-08-18", "2026-10-30")) for place in range(20)], TODAY)
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: skola.send(put), range(8)))
    assert answers == [answers[0]] * 8
    assert len(_rows(server.node, "imports")) == 2


def test_whoever_gave_up_waiting_asks_again_and_nothing_is_done_twice(server: Server, skola: PushClient) -> None:
    put = roster([person(place) for place in range(1_000)], TODAY)[0]
    # Whether the answer comes in time is all the same.
    with (
        PushClient(server.address, server.node.directory / "main", seconds=0.3) as hasty,
        contextlib.suppress(grpc.RpcError),
    ):
        hasty.send(put)
    assert skola.send(put).request_id == put.request_id
    assert len(_rows(server.node, "imports")) == 1
    assert len(_rows(server.node, "records")) == 1_000


def test_a_withdrawal_and_a_file_of_the_same_school_system_meet(server: Server, skola: PushClient) -> None:
    """A client named as the school system of the files goes on where they left off."""
    node = server.node
    node.take(TODAY - DAY, [person(place) for place in range(5)])
    node.clock.set_today(TODAY)
    assert skola.withdraw(person_id(2), TODAY - 3 * DAY, TODAY, reason=ABROAD) == 1
    opening = node.states(node.pupil(2)).opening
    assert opening is not None
    assert (opening.since, opening.urgency) == (TODAY - 2 * DAY, Urgency.IMMEDIATE)


def test_a_request_that_fails_in_its_transaction_leaves_nothing(server: Server, skola: PushClient) -> None:
    skola.put_roster([person(place) for place in range(5)], TODAY)
    before = server.node.bytes_of_store()
    with refused("EXPORT_OLDER"):
        skola.withdraw(person_id(1), TODAY - 8 * DAY, TODAY - DAY, reason=UNKNOWN)
    with refused("INPUT_REFUSED"):
        skola.withdraw(person_id(9), TODAY, TODAY, reason=UNKNOWN)
    assert server.node.bytes_of_store() == before


def test_the_servers_certificate_is_renewed_while_it_runs(server: Server, skola: PushClient) -> None:
    assert skola.heard() is None
    old = _serial(server)
    assert _serial(server) == old
    server.moved = timedelta(0)
    assert _serial(server) != old
    assert skola.heard() is None
    with PushClient(server.address, server.node.directory / "main") as later:
        assert later.heard() is None


def _serial(server: Server) -> int:
    """Of the certificate that a new connection meets."""
    directory = server.node.directory / "main"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(directory / "ca.crt")
    context.load_cert_chain(directory / "client.crt", directory / "client.key")
    context.set_alpn_protocols(["h2"])
    host, _, port = server.address.partition(":")
    with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        assert tls.version() == "TLSv1.3"
        certificate = tls.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate).serial_number


def _rows(node: Node, table: str) -> list[Any]:
    return node.database.view("test_rows", lambda tx: list(tx.exec_driver_sql(f"select * from {table}")))


def test_a_school_system_renumbers_nobody_but_its_own(server: Server, skola: PushClient) -> None:
    """Another one's pupil whom a client had claimed by number is who it was, once the client says otherwise."""
    node = server.node
    skola.put_roster([person(place) for place in range(5)], TODAY - DAY)
    with PushClient(server.address, server.credentials("friskola")) as friskola:
        friskola.put_roster([person(1, id="f")], TODAY - DAY)
        before = node.states(node.pupil(1))
        friskola.put([person(2, id="f")], TODAY)
        friskola.put([person(70, id="f")], TODAY)
        friskola.put([person(1, id="f", civicNo=None)], TODAY)
    for place in range(5):
        pupil = node.pupil(place)
        assert (pupil.route, pupil.protected, pupil.identity.numbers[-1].number) == (
            Route.REGISTRY,
            False,
            number(place),
        )
    assert node.states(node.pupil(1)).presences == before.presences


def test_a_unit_that_is_emptied_one_pupil_at_a_time_waits_all_the_same(server: Server, skola: PushClient) -> None:
    node = server.node
    skola.put_roster([person(place) for place in range(30)], TODAY - DAY)
    for place in range(10):
        assert skola.withdraw(person_id(place), TODAY - 3 * DAY, TODAY) == 1
        assert node.states(node.pupil(place)).opening is not None
    skola.put([], TODAY, deleted=[person_id(10)])
    skola.withdraw(person_id(11), TODAY - 3 * DAY, TODAY, reason=UNKNOWN)
    waiting = [node.states(node.pupil(place)).opening is None for place in range(12)]
    # Whoever is looked for at once does not wait with the others.
    assert waiting == [True] * 11 + [False]
    node.clock.set_today(TODAY + DAY)
    skola.withdraw(person_id(12), TODAY, TODAY + DAY)
    assert node.states(node.pupil(12)).opening is not None


def test_few_of_a_large_unit_do_not_wait_however_they_come(server: Server, skola: PushClient) -> None:
    node = server.node
    skola.put_roster([person(place) for place in range(80)], TODAY - DAY)
    for place in range(6):
        skola.withdraw(person_id(place), TODAY - 3 * DAY, TODAY)
    skola.put([], TODAY, deleted=[person_id(place) for place in range(6, 11)])
    skola.put([person(place, enrolment(end="2026-09-04")) for place in range(11, 15)], TODAY)
    assert all(node.states(node.pupil(place)).opening is not None for place in range(15))
