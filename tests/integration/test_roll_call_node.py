"""The roll call between nodes, evaluators and a registry: what is asked, what is compared, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from federation.descriptor_file import PolicyValues, parse_file
from federation.errors import Code, UppropError
from federation.rules.vocabulary import GapState, Handle, MemberId, Policy, Pseudonym
from node.casework.questions import Asks, Questions
from node.roll_call.lists import ListedPart, OwnGap
from node.settings import open_sealer
from node.store.notices import Notices
from node.store.pupils import Pupils
from node.store.roll_call import RollCalls
from node.store.sayings import Sayings
from registry.roll_call.padding import PART
from registry.store import signals as registry_signals
from registry.store.schema_roll_call import roll_call_offers
from tests.integration.node_lossy import Fault, Killed, put_between
from tests.integration.node_parties import EVALUATORS, Federation, Node, NodeStores, running
from tests.unit.node.exports import enrolment, number, person, person_id

STOCKHOLM, MALMO = MemberId("0180"), MemberId("1280")
BASELINE = date(2026, 8, 24)
LEFT_SHOWN = date(2026, 9, 7)
CALLED, DUE = date(2026, 9, 11), date(2026, 9, 18)
LAST_DAY = "2026-09-04"
DAY = timedelta(days=1)
NEWER, OLDER = 0, 1
OWN = [person(place) for place in range(50, 60)]
LEAVERS = [person(place, enrolment("2025-08-18", LAST_DAY)) for place in (NEWER, OLDER)]
RIGHTS = [person(NEWER, enrolment("2026-03-02")), person(OLDER, enrolment("2025-01-13"))]
"""Malmö's rows of Stockholm's leavers."""


def hold_roll_call(federation: Federation, serial: int, *, roll_call: bool = True, **changes: Any) -> None:
    policy = msgspec.structs.replace(PolicyValues.of(Policy()), roll_call=roll_call)
    federation.publish(serial, policy=policy, **changes)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        hold_roll_call(parties, 2)
        yield parties


@pytest.fixture
def federation_on_each_store(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        hold_roll_call(parties, 2)
        yield parties


def begin(federation: Federation, malmo: Sequence[dict[str, Any]] = RIGHTS) -> None:
    """Both have their baseline; Stockholm's two leavers are shown, and Malmö has had them since before it joined."""
    present = [person(place) for place in (NEWER, OLDER)]
    federation.day(BASELINE, {STOCKHOLM: [*OWN, *present], MALMO: [*malmo, *OWN_OF_MALMO]})
    federation.day(LEFT_SHOWN, {STOCKHOLM: [*OWN, *LEAVERS], MALMO: [*malmo, *OWN_OF_MALMO]})


OWN_OF_MALMO = [person(place) for place in range(60, 70)]


def questions(node: Node) -> list[tuple[str, Asks]]:
    sealer = open_sealer(node.settings)
    listing = Questions(Pupils(sealer), Notices(), Sayings(sealer))
    today = node.clock.today()
    found = node.app.database.view("test_questions", lambda tx: listing.standing(tx, today, protected=True))
    return [(question.person_id, question.asks) for question in found]


def status(node: Node) -> str | None:
    lines = node.app.database.view("test_status", node.app.pipeline._roll_call.lines_in)
    return lines.get("roll call")


def signals_at_registry(federation: Federation) -> int:
    return federation.registry_app.database.view("test_signals", registry_signals.count)


def offers(federation: Federation) -> int:
    query = sa.select(sa.func.count()).select_from(roll_call_offers)
    return federation.registry_app.database.view("test_offers", lambda tx: tx.execute(query).scalar_one())


def used(federation: Federation, member: MemberId, day: date) -> list[int]:
    """Numbers of the day at each evaluator."""
    return [federation.apps[index].evaluation.used(member, day).day for index in range(1, EVALUATORS + 1)]


def test_a_hit_is_stated_or_asked_about_and_nothing_else_is_said(federation_on_each_store: Federation) -> None:
    federation = federation_on_each_store
    begin(federation)
    assert (signals_at_registry(federation), offers(federation)) == (2, 0)
    federation.day(CALLED, {})
    stockholm, malmo = federation.nodes[STOCKHOLM], federation.nodes[MALMO]
    assert offers(federation) == 2
    # Stated in the outbox already, by the sync that fetched the list; sent by the next.
    assert questions(malmo) == [(person_id(OLDER), Asks.ROLL_CALL)]
    assert malmo.sync().submitted == 1
    assert malmo.sync().submitted == 0
    federation.day(CALLED + 3 * DAY, {})
    # The gap that is accounted for is called no more, though its own member does not know it yet.
    assert offers(federation) == 1
    federation.day(DUE, {})
    assert [(gap.person_id, gap.state) for gap in stockholm.gaps()] == [(person_id(OLDER), GapState.OPEN)]
    assert questions(malmo) == [(person_id(OLDER), Asks.ROLL_CALL)]
    malmo.app.sayings.say(number(OLDER), "affirm", said_by="Ada Berg")
    assert questions(malmo) == []
    federation.day(DUE + 3 * DAY, {})
    assert [gap.state for gap in stockholm.gaps()] == [GapState.ANSWERED]
    assert offers(federation) == 0
    assert questions(stockholm) == questions(malmo) == []
    # Who neither left nor was called has not been spoken of.
    assert signals_at_registry(federation) == 4
    for node in federation.nodes.values():
        assert not [line for line in node.log.getvalue().splitlines() if "roll" in line]


def test_what_a_call_brought_up_stands_as_it_was_said_once_nobody_calls_any_more(federation: Federation) -> None:
    """Said anew with the day of the baseline, it could answer a gap whose call it did not."""
    begin(federation, RIGHTS[:1])
    federation.day(CALLED, {})
    malmo = federation.nodes[MALMO]
    assert malmo.sync().submitted == 1
    for day in (CALLED + 3 * DAY, DUE, DUE + 3 * DAY):
        federation.day(day, {})
        # Stockholm's other leaver is called still.
        assert offers(federation) == 1
        assert malmo.sync().submitted == 0
    # Nor later, when the begin has grown too old to be told.
    federation.day(date(2027, 5, 3), {})
    assert malmo.sync().submitted == 0
    assert questions(malmo) == []
    # The row ends as any other does.
    ended = person(NEWER, enrolment("2026-03-02", "2027-05-03"))
    federation.day(date(2027, 5, 10), {MALMO: [ended, *OWN_OF_MALMO]})
    assert [gap.person_id for gap in malmo.gaps()] == []
    federation.day(date(2027, 6, 1), {})
    assert [(gap.person_id, gap.state) for gap in malmo.gaps()] == [(person_id(NEWER), GapState.OPEN)]


def test_a_pupil_who_is_not_there_after_all_becomes_a_case_there(federation: Federation) -> None:
    begin(federation)
    federation.day(CALLED, {})
    malmo = federation.nodes[MALMO]
    saying_id, waits = malmo.app.sayings.say(number(OLDER), "gone", on=date(2026, 9, 4), said_by="Ada Berg")
    if waits:
        malmo.app.sayings.review(saying_id, "Bo Lind")
    assert questions(malmo) == []
    federation.day(DUE, {})
    assert [gap.person_id for gap in malmo.cases()] == [person_id(OLDER)]
    assert len(federation.nodes[STOCKHOLM].cases()) == 1


def test_an_urgent_gap_is_called_at_once_and_its_answer_confirmed_by_a_person(federation: Federation) -> None:
    begin(federation)
    stockholm, malmo = federation.nodes[STOCKHOLM], federation.nodes[MALMO]
    stockholm.app.sayings.say(number(NEWER), "urgent", said_by="Ada Berg")
    federation.day(LEFT_SHOWN + DAY, {})
    assert [gap.person_id for gap in stockholm.cases()] == [person_id(NEWER)]
    assert questions(malmo) == []
    federation.day(LEFT_SHOWN + 2 * DAY, {})
    assert questions(malmo) == [(person_id(NEWER), Asks.CONFIRM)]
    malmo.app.sayings.say(number(NEWER), "met", said_by="Ada Berg")
    federation.day(LEFT_SHOWN + 3 * DAY, {})
    assert stockholm.cases() == ()


def test_every_member_is_given_the_same_list(federation: Federation) -> None:
    begin(federation)
    federation.day(CALLED, {})
    parts = [node.app.uplink.roll_call().part(0) for node in federation.nodes.values()]
    assert parts[0] == parts[1]
    assert (parts[0].closed_on, len(parts[0].called), parts[0].parts) == (CALLED, PART, 1)


@pytest.mark.parametrize(
    ("gaps", "code"),
    [
        ([OwnGap(Handle(b"h" * 16), 1, (Pseudonym(1, b"p" * 32),))] * 1_001, Code.BATCH_TOO_LARGE),
        ([OwnGap(Handle(b"h"), 1, (Pseudonym(1, b"p" * 32),))], Code.REQUEST_INVALID),
        ([OwnGap(Handle(b"h" * 16), 1, ())], Code.REQUEST_INVALID),
        ([OwnGap(Handle(b"h" * 16), 1, (Pseudonym(1, b"p"),))], Code.REQUEST_INVALID),
    ],
)
def test_an_offer_that_is_none_is_refused_whole(federation: Federation, gaps: Sequence[OwnGap], code: Code) -> None:
    with pytest.raises(UppropError) as refused:
        federation.nodes[STOCKHOLM].app.uplink.roll_call().offer(gaps)
    assert refused.value.code is code
    assert offers(federation) == 0


def test_a_list_is_fetched_once(federation: Federation) -> None:
    begin(federation)
    federation.day(CALLED, {})
    malmo = federation.nodes[MALMO]
    lossy = put_between(malmo, lambda _: None)
    malmo.sync()
    assert "part" not in lossy.calls


def test_a_list_of_several_parts_is_compared_whole(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of one pseudonym: the two that are called lie in two of them."""
    import registry.roll_call.calling
    import registry.roll_call.padding

    for module in (registry.roll_call.calling, registry.roll_call.padding):
        monkeypatch.setattr(module, "PART", 1)
    begin(federation)
    federation.day(CALLED, {})
    part = federation.nodes[MALMO].app.uplink.roll_call().part(1)
    assert (len(part.called), part.parts) == (1, 2)
    assert len(federation.nodes[MALMO].dump()["roll_call_hits"]) == 2


def test_a_hit_survives_a_restart_and_nobody_is_asked_when_the_federation_holds_no_roll_call_any_more(
    federation: Federation,
) -> None:
    begin(federation)
    federation.day(CALLED, {})
    malmo = federation.nodes[MALMO]
    before = malmo.dump()
    malmo.restart()
    malmo.sync(notices_only=True)
    assert malmo.dump()["roll_call_hits"] == before["roll_call_hits"] != []
    assert malmo.dump()["versions"] == before["versions"]
    hold_roll_call(federation, 3, roll_call=False)
    assert malmo.sync().problems == ()
    assert questions(malmo) == []
    (stated,) = [hit for hit in before["roll_call_hits"] if not hit[-1]]
    assert malmo.dump()["roll_call_hits"] == [stated]
    assert [row[:3] for row in malmo.dump()["versions"]] == [row[:3] for row in before["versions"]]
    assert status(malmo) is None
    # What was stated stands.
    federation.day(DUE, {})
    assert [gap.person_id for gap in federation.nodes[STOCKHOLM].gaps()] == [person_id(OLDER)]


@pytest.mark.parametrize("fault", Fault)
def test_calls_that_are_lost_or_cut_off_are_made_again(fault: Fault, tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        hold_roll_call(federation, 2)
        begin(federation)
        malmo = federation.nodes[MALMO]
        for name, node in federation.nodes.items():
            # The fault meets each kind of call once.
            _once(node, fault, {"offer"} if name == STOCKHOLM else {"part"})
        for day in (CALLED, CALLED + 3 * DAY, DUE):
            federation.set_today(day)
            for notices_only in (False, True):
                for node in federation.nodes.values():
                    _until_done(node, notices_only=notices_only)
                if not notices_only:
                    federation.close_day()
        assert [gap.person_id for gap in federation.nodes[STOCKHOLM].gaps()] == [person_id(OLDER)]
        assert questions(malmo) == [(person_id(OLDER), Asks.ROLL_CALL)]


def _once(node: Node, fault: Fault, names: set[str]) -> None:
    lossy = put_between(node, lambda _: None)
    call: Callable[..., Any] = lossy.call

    def faulty(name: str, work: Callable[[], Any]) -> Any:
        lossy.faults = lambda _: fault if name in names else None
        names.discard(name)
        return call(name, work)

    lossy.call = faulty  # type: ignore[method-assign]  # one fault by name, where faults go by place


def _until_done(node: Node, *, notices_only: bool) -> None:
    for _ in range(3):
        try:
            if not node.sync(notices_only=notices_only).problems:
                return
        except Killed:
            node.restart()
    raise AssertionError("the sync never came to an end")


# -- quotas -----------------------------------------------------------------------------------------------------------

ROSTER = 200


def small(federation: Federation, serial: int) -> None:
    """Both members have the least quota there is: 1 000 numbers a year, 333 a day."""
    members = [msgspec.structs.replace(member, population=100) for member in parse_file(federation.every_epoch).members]
    hold_roll_call(federation, serial, members=members)


def test_a_roster_beyond_the_quota_of_a_day_takes_several_and_leaves_half_to_those_who_move(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [MALMO], BASELINE) as federation:
        small(federation, 2)
        malmo = federation.nodes[MALMO]
        roster = [person(place) for place in range(ROSTER)]
        malmo.take(roster)
        malmo.sync()
        assert status(malmo) == f"166 of {ROSTER} numbers of the roster comparable, none compared yet"
        malmo.sync()
        assert used(federation, MALMO, BASELINE) == [166, 166, 0]
        # Whoever moves is asked about all the same.
        federation.set_today(BASELINE + DAY)
        malmo.take([*roster[1:], person(0, enrolment(end="2026-08-24")), person(ROSTER, enrolment("2026-08-25"))])
        assert malmo.sync().submitted == 2
        assert status(malmo) == f"{ROSTER} of {ROSTER} numbers of the roster comparable, none compared yet"
        # Two who move, and the 34 that were left, of whom the one who left has one.
        assert sum(used(federation, MALMO, BASELINE + DAY)) == 2 * (ROSTER - 166 + 1)


def test_a_third_of_the_quota_of_a_year_is_left_to_those_who_move(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [MALMO], BASELINE) as federation:
        small(federation, 2)
        malmo = federation.nodes[MALMO]
        calls = RollCalls()
        malmo.app.database.run("test_spend", lambda tx: calls.spend(tx, date(2026, 2, 2), 666 - 6))
        malmo.take([person(place) for place in range(30)])
        malmo.sync()
        assert used(federation, MALMO, BASELINE) == [6, 6, 0]
        federation.set_today(date(2027, 1, 4))
        malmo.sync()
        assert used(federation, MALMO, date(2027, 1, 4)) == [24, 24, 0]


def test_while_no_quorum_answers_nothing_is_left_begun_that_those_who_move_would_wait_behind(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [MALMO], BASELINE) as federation:
        hold_roll_call(federation, 2)
        malmo = federation.nodes[MALMO]
        for index in (1, 2):
            federation.evaluators[index].stop()
        malmo.take([person(place) for place in range(10)])
        malmo.sync()
        assert malmo.dump()["evaluations"] == []
        for index in (1, 2):
            federation.evaluators[index].start()
        malmo.sync()
        assert status(malmo) == "10 of 10 numbers of the roster comparable, none compared yet"


def test_neither_the_protected_nor_the_unlinkable_nor_drills_are_asked_about(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [MALMO], BASELINE) as federation:
        hold_roll_call(federation, 2)
        malmo = federation.nodes[MALMO]
        nameless = {"civicNo": {"value": "20130101TF01", "nationality": "SE"}}
        malmo.take(
            [
                person(0),
                person(1, securityMarking="Sekretessmarkering"),
                person(2, **nameless),
                person(3, enrolment(end="2025-12-19")),
            ]
        )
        malmo.sync()
        assert status(malmo) == "1 of 1 numbers of the roster comparable, none compared yet"
        assert used(federation, MALMO, BASELINE) == [1, 1, 0]


def test_a_new_epoch_is_computed_once_and_pupils_are_found_under_either(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2) as federation:
        hold_roll_call(federation, 2, epochs=parse_file(federation.every_epoch).epochs[:1])
        begin(federation)
        malmo = federation.nodes[MALMO]
        assert status(malmo) == f"12 of 12 numbers of the roster comparable, compared with the list of {LEFT_SHOWN}"
        hold_roll_call(federation, 3, epochs=parse_file(federation.every_epoch).epochs)
        federation.set_today(CALLED)
        malmo.sync()
        assert status(malmo) == f"12 of 12 numbers of the roster comparable, compared with the list of {LEFT_SHOWN}"
        malmo.sync()
        assert used(federation, MALMO, CALLED) == [12, 12, 0]
        federation.day(CALLED, {})
        assert len(_list(federation)) == 2 * PART
        assert questions(malmo) == [(person_id(OLDER), Asks.ROLL_CALL)]
        # The old epoch ends: what was found stays found.
        hold_roll_call(federation, 4, epochs=parse_file(federation.every_epoch).epochs[1:])
        federation.day(CALLED + 3 * DAY, {})
        assert {pseudonym.epoch for pseudonym, _ in _list(federation)} == {2}
        assert questions(malmo) == [(person_id(OLDER), Asks.ROLL_CALL)]


def _list(federation: Federation) -> list[tuple[Any, date]]:
    link = federation.nodes[MALMO].app.uplink.roll_call()
    first: ListedPart = link.part(0)
    return [each for number in range(first.parts) for each in link.part(number).called]
