"""What a member asks the registry after a loss, over mutual TLS against the registry's own process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from federation.errors import Code, UppropError
from federation.v1 import registry_pb2, signal_pb2
from tests.conftest import MakeFederation
from tests.integration.registry_parties import DUE, SINCE, Caller, Server

HERE, THERE = "node-0180", "node-1480"


@pytest.fixture
def server(make_federation: MakeFederation) -> Iterator[Server]:
    made = Server(make_federation("0180", "1480", today=SINCE))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def caller(server: Server) -> Caller:
    return Caller(server, HERE)


def pseudonym(name: str, epoch: int = 1) -> signal_pb2.Pseudonym:
    return signal_pb2.Pseudonym(epoch=epoch, value=name.encode().ljust(32, b"."))


def signal(place: int, name: str) -> signal_pb2.Signal:
    return signal_pb2.Signal(
        handle=place.to_bytes(16, "big"),
        version=1,
        pseudonyms=[pseudonym(name)],
        presences=[signal_pb2.Presence(begins="2025-08-18", until=SINCE.isoformat(), affirmed_on="2026-08-24")],
        opening=signal_pb2.Opening(
            number=1,
            kind=signal_pb2.OPENING_KIND_LEFT,
            since=SINCE.isoformat(),
            urgency=signal_pb2.URGENCY_NORMAL,
            planned_start="2026-09-10",
        ),
        duty_ended=signal_pb2.DutyEnded(begins=SINCE.isoformat(), review="2027-01-08"),
        nonce=bytes(16),
    )


def listed(caller: Caller, after: bytes = b"", limit: int = 0) -> registry_pb2.ListSignalsResponse:
    request = registry_pb2.ListSignalsRequest(envelope=caller.envelope(), after_handle=after, limit=limit)
    return caller.peer.call(caller.stub.ListSignals, request)


def found(caller: Caller, *pseudonyms: signal_pb2.Pseudonym) -> list[tuple[int, bytes]]:
    request = registry_pb2.FindHandlesRequest(envelope=caller.envelope(), pseudonyms=pseudonyms)
    return [(each.asked, each.handle) for each in caller.peer.call(caller.stub.FindHandles, request).found]


def test_what_was_said_comes_back_field_by_field_without_pseudonyms(server: Server, caller: Caller) -> None:
    sent = signal(1, "p")
    caller.submit(sent)
    caller.peer.call(
        caller.stub.ReportRoster,
        registry_pb2.ReportRosterRequest(envelope=caller.envelope(), as_of=SINCE.isoformat(), roster=50),
    )
    server.close_day(DUE)
    server.set_today(SINCE)
    answer = listed(caller)
    [stated] = answer.signals
    expected = signal_pb2.Signal()
    expected.CopyFrom(sent)
    expected.ClearField("nonce")
    expected.pseudonyms[0].ClearField("value")
    assert stated.signal == expected
    assert list(stated.openings) == [sent.opening]
    assert (answer.first_contact, answer.last_contact, answer.more) == (SINCE.isoformat(), SINCE.isoformat(), False)


def test_pages_follow_one_another_by_handle(caller: Caller) -> None:
    caller.submit(*(signal(place, f"p{place}") for place in range(1, 6)))
    first = listed(caller, limit=2)
    assert first.more
    rest = listed(caller, first.signals[-1].signal.handle, limit=100)
    assert not rest.more
    places = [each.signal.handle[-1] for each in (*first.signals, *rest.signals)]
    assert places == [1, 2, 3, 4, 5]


def test_only_the_askers_own_handles_are_found_and_listed(server: Server, caller: Caller) -> None:
    caller.submit(signal(1, "p"), signal(2, "q"))
    other = Caller(server, THERE)
    other.submit(signal(3, "p"))
    assert found(caller, pseudonym("p"), pseudonym("nobody"), pseudonym("q")) == [
        (0, (1).to_bytes(16, "big")),
        (2, (2).to_bytes(16, "big")),
    ]
    assert found(other, pseudonym("p"), pseudonym("q")) == [(0, (3).to_bytes(16, "big"))]
    assert [each.signal.handle[-1] for each in listed(other).signals] == [3]


@pytest.mark.parametrize(
    ("pseudonyms", "code"),
    [
        pytest.param([pseudonym(f"p{place}") for place in range(1_001)], Code.BATCH_TOO_LARGE, id="too many"),
        pytest.param([signal_pb2.Pseudonym(epoch=1, value=b"short")], Code.REQUEST_INVALID, id="short"),
        pytest.param([pseudonym("p"), pseudonym("p")], Code.REQUEST_INVALID, id="twice"),
        pytest.param([pseudonym("p", 0)], Code.REQUEST_INVALID, id="no epoch"),
        pytest.param([pseudonym("p", 2)], Code.EPOCH_UNKNOWN, id="unknown epoch"),
    ],
)
def test_a_question_that_is_not_sound_is_refused_whole(
    caller: Caller, pseudonyms: list[signal_pb2.Pseudonym], code: Code
) -> None:
    with pytest.raises(UppropError) as refused:
        found(caller, *pseudonyms)
    assert refused.value.code is code


def test_a_page_begins_after_a_whole_handle(caller: Caller) -> None:
    with pytest.raises(UppropError) as refused:
        listed(caller, b"short")
    assert refused.value.code is Code.REQUEST_INVALID


def test_what_was_asked_for_is_nowhere_on_the_registrys_disk(server: Server, caller: Caller) -> None:
    asked = pseudonym("asked for and not to be kept")
    assert found(caller, asked) == []
    home = server.settings.data_dir
    kept = b"".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file() and not path.is_socket())
    kept += server.log_path.read_bytes()
    assert asked.value not in kept
    assert asked.value.hex().encode() not in kept
