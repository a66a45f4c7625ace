"""What a member can observe until its delivery is the same whether or not its pupil has turned up elsewhere.

Two worlds differ in one thing: whom another member took in. In both the same member says the same; compared are the
sizes, content and order of all it is answered, the size of the ledger, the work that the registry does for its calls
(every statement, as the measure of time that no noise blurs), and what the registry and evaluators show to whoever
scrapes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import event

from federation import coarse
from federation.descriptor_file import PolicyValues
from federation.fresh import Fresh
from federation.rpc.client import Peer
from federation.rules.vocabulary import Policy
from federation.v1 import evaluator_pb2, ledger_pb2, registry_pb2, roll_call_pb2, signal_pb2
from tests.integration.node_parties import Federation, running
from tests.unit.node.exports import enrolment, person

LEAVER, STRANGER = 3, 77
OBSERVER, OTHER = "0180", "1480"
DAYS = (date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 17))
DUE = date(2026, 9, 18)
LAST_DAY = "2026-09-04"
TIMED = re.compile(r"seconds|timestamp|process_|python_|expires|memory|_created|data_directory|connections")
RANDOM = {
    registry_pb2.SubmitSignalsResponse: ("batch_id",),
    registry_pb2.Receipt: ("salt", "stored_digest", "signed_checkpoint"),
    ledger_pb2.GetCheckpointResponse: ("checkpoint",),
    ledger_pb2.GetWitnessedCheckpointResponse: ("checkpoint",),
    signal_pb2.Pseudonym: ("value",),
    roll_call_pb2.CalledPseudonym: ("begun_since",),
    evaluator_pb2.BlindEvaluateResponse: ("request_id", "evaluated_elements", "proof", "composite"),
}


@dataclass
class Transcript:
    """All that one member sends and is answered, and what is done for it, in order."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def call(self, method: str, request: Message, response: Message) -> None:
        # The encoding of an ECDSA signature varies by a byte or two from one to the next.
        size = request.ByteSize() - len(getattr(request, "batch_signature", b""))
        self.lines.append((method, size, response.ByteSize(), *observed(response), *self.statements))
        self.statements.clear()


def observed(message: Message) -> Iterator[tuple[str, Any]]:
    """Every field with its value; of what is drawn at random the size, of a checkpoint the size of the tree too."""
    for descriptor, value in message.ListFields():
        repeated = value if descriptor.is_repeated else [value]
        for each in repeated:
            if isinstance(each, Message):
                yield from observed(each)
            elif descriptor.name in RANDOM.get(type(message), ()):
                yield descriptor.name, len(each)
                if "checkpoint" in descriptor.name:
                    # A signed note: origin, size, root, …
                    yield "tree_size", int(each.split(b"\n")[1])
            elif descriptor.name != "hashes":
                yield descriptor.name, each
            else:
                yield descriptor.name, len(each)


@contextmanager
def recorded(federation: Federation, member: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Transcript]:
    """What the member's own calls are, while its node is the only one at work."""
    transcript = Transcript()
    call = Peer.call

    def record(self: Peer, method: Any, request: Any, *args: Any, **options: Any) -> Any:
        response = call(self, method, request, *args, **options)
        transcript.call(type(request).__name__, request, response)
        return response

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        transcript.statements.append(statement)

    engine = federation.registry_app.database.engine
    event.listen(engine, "before_cursor_execute", executed)
    with monkeypatch.context() as patch:
        patch.setattr(Peer, "call", record)
        yield transcript
    event.remove(engine, "before_cursor_execute", executed)


def exports(day: date, arrives: int) -> dict[str, list[dict[str, Any]]]:
    """The leaver is gone from the second date on; from the third the other member has a pupil more."""
    here = {place: person(place) for place in range(30)}
    there = {place: person(place) for place in range(100, 130)}
    if day >= DAYS[1]:
        here[LEAVER] = person(LEAVER, enrolment(end=LAST_DAY))
    if day >= DAYS[2]:
        there[arrives] = person(arrives, enrolment("2026-09-14"))
    return {OBSERVER: list(here.values()), OTHER: list(there.values())}


def shown(federation: Federation) -> dict[str, float]:
    """Every figure that registry and evaluators show, times left out."""
    return {
        f"{name}/{sample.name}{sorted(sample.labels.items())}": sample.value
        for name, registry in federation.measured.items()
        for family in registry.collect()
        for sample in family.samples
        if not TIMED.search(sample.name)
    }


@dataclass
class World:
    """What was observed on each day."""

    transcripts: dict[date, list[tuple[Any, ...]]] = field(default_factory=dict)
    metrics: dict[date, Mapping[str, float]] = field(default_factory=dict)


def lived(directory: Path, arrives: int, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    with running(directory, (OBSERVER, OTHER), DAYS[0], policy=policy) as federation:
        for day in (*DAYS, DUE):
            federation.set_today(day)
            for member, persons in exports(day, arrives).items():
                federation.nodes[member].take(persons)
            federation.nodes[OTHER].sync()
            with recorded(federation, OBSERVER, monkeypatch) as before:
                federation.nodes[OBSERVER].sync()
            federation.close_day()
            federation.nodes[OTHER].sync(notices_only=True)
            with recorded(federation, OBSERVER, monkeypatch) as after:
                federation.nodes[OBSERVER].sync(notices_only=True)
            world.transcripts[day] = [*before.lines, *after.lines]
            world.metrics[day] = shown(federation)
    return world


@pytest.mark.parametrize("policy", [Policy(), PolicyValues().policy()], ids=["bare", "in service"])
def test_a_member_observes_nothing_of_a_match_until_its_delivery(
    policy: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where what is shown moves by a step is drawn by each process: here all draw the same, and read anew each time.
    monkeypatch.setattr(coarse, "drawn_secret", lambda: bytes(coarse.SECRET_BYTES))
    monkeypatch.setattr(Fresh, "get", lambda fresh: fresh._ask())
    matched = lived(tmp_path / "matched", LEAVER, policy, monkeypatch)
    alone = lived(tmp_path / "alone", STRANGER, policy, monkeypatch)
    for day in DAYS:
        assert matched.transcripts[day] == alone.transcripts[day], day
        assert matched.metrics[day] == alone.metrics[day], day
        assert any(line[0] == "SubmitSignalsRequest" for line in matched.transcripts[DAYS[1]])
    called = {line[0] for lines in matched.transcripts.values() for line in lines}
    assert ("ListRollCallRequest" in called) == policy.roll_call
    # The delivery tells, and that it does shows that all before was looked at.
    assert matched.transcripts[DUE] != alone.transcripts[DUE]
    # To whoever scrapes, not even then.
    assert matched.metrics[DUE] == alone.metrics[DUE]
