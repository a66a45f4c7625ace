"""The node's sync against real evaluators and a real registry: who comes back, and what is said plainly."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from federation.clock import ManualClock
from federation.descriptor_file import Pause, PolicyValues
from federation.rules.vocabulary import GapState, Handle, MemberId, Presence, Signal
from node.ledger.receipts import bind, signed
from node.store.notices import Notices
from node.store.schema import gaps, pupils, versions
from node.sync import Progress, SyncReport
from privacy.group import Element
from registry.store import signals as registry_signals
from tests.integration.node_lossy import put_between
from tests.integration.node_parties import ZONE, Federation, Node, NodeStores, running
from tests.unit.node.exports import enrolment, number, person

STOCKHOLM, MALMO = "0180", "1280"
BASELINE = date(2026, 8, 24)
LEFT_SHOWN = date(2026, 9, 7)
LAST_DAY, SINCE = "2026-09-04", date(2026, 9, 5)
DUE = date(2026, 9, 18)
WEEKS = (date(2026, 9, 14), date(2026, 9, 21))


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def roll(first: int, count: int = 30) -> list[dict[str, Any]]:
    return [person(place) for place in range(first, first + count)]


def left(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY), **fields)


def without(persons: list[dict[str, Any]], *changed: dict[str, Any]) -> list[dict[str, Any]]:
    """The same persons, those changed in place of themselves."""
    ids = {each["id"] for each in changed}
    return [each for each in persons if each["id"] not in ids] + list(changed)


def signals_at_registry(federation: Federation) -> int:
    return federation.registry_app.database.view("test_signals", registry_signals.count)


def test_a_pupil_who_left_and_is_nowhere_comes_back_and_one_who_moved_does_not(federation: Federation) -> None:
    leavers = without(roll(0), left(0), left(1))
    arrivals = [*roll(100), person(1, enrolment("2026-09-07"))]
    for day in (LEFT_SHOWN, *WEEKS):
        federation.day(day, {STOCKHOLM: leavers, MALMO: arrivals})
    [case] = federation.nodes[STOCKHOLM].gaps()
    assert (case.person_id, case.effective_date, case.state) == (person(0)["id"], SINCE, GapState.OPEN)
    assert (case.opened_on, case.opened_by, case.route) == (date(2026, 9, 21), "notice", "registry")
    assert federation.nodes[MALMO].gaps() == ()
    # Movers only: of sixty pupils, those two who left and the one who arrived.
    assert signals_at_registry(federation) == 3


def test_an_answer_and_a_return_close_the_case(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    leavers = without(roll(0), left(0), left(1))
    for day in (LEFT_SHOWN, *WEEKS):
        federation.day(day, {STOCKHOLM: leavers, MALMO: roll(100)})
    assert len(node.cases()) == 2
    late = date(2026, 9, 28)
    back = without(roll(0), left(0), person(1, enrolment(end=LAST_DAY), enrolment("2026-09-24")))
    federation.day(late, {STOCKHOLM: back, MALMO: [*roll(100), person(0, enrolment("2026-09-22"))]})
    assert [(gap.state, gap.state_since) for gap in node.gaps()] == [(GapState.ANSWERED, late)] * 2
    assert node.cases() == ()


def test_a_sync_with_nothing_new_changes_nothing(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    before = node.dump()
    report = node.sync()
    after = node.dump()
    assert report == SyncReport()
    # One more fetch was tried.
    assert {name for name in before if before[name] != after[name]} == {"fetches"}


def test_progress_ends_with_a_report(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0)))
    *steps, report = node.app.pipeline.sync()
    assert isinstance(report, SyncReport)
    named = [step.step for step in steps if isinstance(step, Progress)]
    assert list(dict.fromkeys(named)) == ["restate", "pseudonymise", "submit", "notices"]
    assert all(isinstance(step, Progress) and step.done <= step.total for step in steps)


# -- evaluators --------------------------------------------------------------------------------------------------------


def lie(federation: Federation, index: int) -> None:
    """From now on evaluator `index` answers with its elements in another order."""
    evaluation: Any = federation.apps[index].evaluation
    honest = evaluation.answer

    def answer(*args: Any) -> Any:
        given = honest(*args)
        return replace(given, elements=[Element(bytes(each)) for each in (*given.elements[1:], given.elements[0])])

    evaluation.answer = answer


def test_an_evaluator_that_lies_is_named_and_the_next_one_used(federation: Federation) -> None:
    lie(federation, 1)
    node = federation.nodes[STOCKHOLM]
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0), left(1)))
    report = node.sync()
    assert (report.submitted, report.waiting) == (2, 0)
    [problem] = report.problems
    assert problem.startswith("Evaluator 1 gave an answer that does not verify")
    assert '"evaluator_lied"' in node.log.getvalue()
    assert '"evaluator": 1' in node.log.getvalue()
    federation.close_day()
    assert signals_at_registry(federation) == 2


def test_an_evaluator_that_is_down_is_skipped(federation: Federation) -> None:
    federation.evaluators[2].stop()
    node = federation.nodes[STOCKHOLM]
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0)))
    assert node.sync() == SyncReport(submitted=1)
    assert '"evaluator_unavailable"' in node.log.getvalue()


def test_without_a_quorum_everything_is_kept_and_said_plainly_and_sent_later(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.evaluators[1].stop()
    lie(federation, 2)
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0), left(1)))
    report = node.sync()
    assert (report.submitted, report.waiting) == (0, 2)
    assert any("Evaluator 2 gave an answer that does not verify" in problem for problem in report.problems)
    [said] = [problem for problem in report.problems if "stays in the outbox" in problem]
    assert "2 evaluators are needed" in said
    assert "evaluator 1 cannot be reached" in said
    # A roster would claim that all was said.
    assert reported(node) == BASELINE
    node.restart()
    federation.evaluators[1].start()
    assert node.sync() == SyncReport(submitted=2, problems=tuple(p for p in report.problems if "Evaluator 2" in p))
    assert reported(node) == LEFT_SHOWN


def reported(node: Node) -> date | None:
    """As-of of the newest roster that the registry has taken."""
    return node.app.database.view("test_state", Notices().state).roster_reported_as_of


# -- a registry that is silent -----------------------------------------------------------------------------------------


def test_a_registry_down_for_one_school_day_opens_the_case_file(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    federation.registry.stop()
    for day in (date(2026, 9, 17), DUE):
        federation.set_today(day)
        report = node.sync()
        assert "registry a cannot be reached" in " ".join(report.problems)
        assert node.cases() == ()
    # The due day was a school day, and over it every fetch failed.
    federation.set_today(date(2026, 9, 19))
    node.sync()
    [case] = node.cases()
    assert (case.opened_by, case.opened_on) == ("silent registry", date(2026, 9, 19))
    # When it is back it has the last word, and the run of days is unbroken.
    federation.registry.start()
    federation.day(date(2026, 9, 21), {})
    [case] = node.cases()
    assert (case.opened_by, case.state_since) == ("silent registry", date(2026, 9, 19))


def test_an_expired_descriptor_keeps_no_case_file_closed(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    descriptors: Any = node.app.uplink._descriptors
    in_time = descriptors._now
    descriptors._now = lambda: in_time() + timedelta(days=1_000)
    federation.set_today(DUE)
    node.take(without(roll(0), left(0), person(1, enrolment(end="2026-09-17"))))
    node.app.sayings.say(number(1), "urgent", said_by="Ada Berg")
    report = node.sync()
    assert report.submitted == 0
    assert report.waiting == 1
    [problem] = report.problems
    assert "expired on" in problem
    assert [(case.number, case.opened_by) for case in node.cases()] == [(number(1), "immediate")]
    federation.set_today(date(2026, 9, 19))
    node.sync()
    assert [case.opened_by for case in node.cases()] == ["silent registry", "immediate"]
    descriptors._now = in_time
    assert node.sync().submitted == 1


def test_a_descriptor_that_is_not_taken_up_is_said_plainly(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    signed = federation.dev.descriptor.read_bytes()
    federation.dev.descriptor.write_bytes(signed[: len(signed) // 2])
    [problem] = node.sync().problems
    assert problem.startswith("The descriptor that lies in place now is not taken up. The descriptor is not signed")
    federation.dev.descriptor.write_bytes(signed)
    assert node.sync().problems == ()


def test_a_business_date_that_is_off_is_said_plainly_and_loses_nothing(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.set_today(LEFT_SHOWN)
    right, node.clock = node.clock, ManualClock(ZONE, LEFT_SHOWN + timedelta(days=2))
    node.restart()
    node.take(without(roll(0), left(0)))
    report = node.sync()
    assert (report.submitted, report.waiting) == (0, 1)
    assert all("more than a day off" in problem for problem in report.problems)
    assert report.problems
    node.clock = right
    federation.set_today(LEFT_SHOWN + timedelta(days=2))
    node.restart()
    report = node.sync()
    assert (report.submitted, report.waiting, report.problems) == (1, 0, ())


# -- what the registry does not take -----------------------------------------------------------------------------------


def test_what_is_parked_is_shown_and_the_rest_goes_on(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0), left(1)))
    handle = handle_of(federation, STOCKHOLM, person(0))
    # The registry has another first version of one handle: the node's own store was once set back.
    [pseudonym] = [each for signal in _first_signals(federation) for each in signal.pseudonyms]
    batch_id = b"other batch 1234"
    other = [Signal(handle, 1, (pseudonym,), (Presence(date(2026, 8, 20)),), nonce=bytes(16))]
    binding = bind(MemberId(STOCKHOLM), batch_id, other, secrets.token_bytes)
    sign = node.app.pipeline._submitting._sending._sign
    taken = node.app.uplink.registry().submit(batch_id, other, signed(binding, sign))
    assert [answer.kind for answer in taken.dispositions] == ["ACCEPTED"]
    report = node.sync()
    assert (report.submitted, report.parked, report.waiting) == (2, 1, 0)
    assert any("did not take 1 of our signals" in problem for problem in report.problems)
    assert '"code": "CONFLICT"' in node.log.getvalue()
    federation.close_day()
    federation.day(DUE, {})
    # The one that was taken has its notice; the other one opens for want of it at the fetch after the next close.
    assert {case.opened_by for case in node.cases()} == {"notice", "silent registry"}


def _first_signals(federation: Federation) -> list[Signal]:
    """A signal with a pseudonym that the node has computed, of a pupil of the other member."""
    other = federation.nodes[MALMO]
    sent: list[Signal] = []
    lossy = put_between(other, lambda _: None)
    submit = lossy.uplink.registry

    def spied() -> Any:
        link: Any = submit()
        original = link.submit

        def seen(batch_id: bytes, signals: Any, signed: Any) -> Any:
            sent.extend(signals)
            return original(batch_id, signals, signed)

        link.submit = seen
        return link

    lossy.uplink.registry = spied  # type: ignore[method-assign]  # looks at what leaves
    other.take(without(roll(100), left(100)))
    other.sync()
    return sent


def handle_of(federation: Federation, member: str, who: dict[str, Any]) -> Handle:
    node = federation.nodes[member]
    people = node.app.pipeline._pupils

    def work(tx: Any) -> Handle:
        [found] = people.by_person_ids(tx, [people.person_index(who["id"])]).values()
        return Handle(tx.execute(pupils.select().where(pupils.c.pupil_id == found)).one().handle)

    return node.app.database.view("test_handle", work)


# -- what must not be sent ---------------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_pupil_from_the_marking_on_not_even_what_was_waiting(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    for index in (1, 2):
        federation.evaluators[index].stop()
    federation.set_today(LEFT_SHOWN)
    node.take(without(roll(0), left(0), left(1)))
    assert node.sync().waiting == 2
    federation.set_today(date(2026, 9, 8))
    node.take(without(roll(0), left(0, securityMarking="Sekretessmarkering"), left(1)))
    for index in (1, 2):
        federation.evaluators[index].start()
    report = node.sync()
    assert (report.submitted, report.waiting) == (1, 0)
    federation.close_day()
    assert signals_at_registry(federation) == 1
    [case] = node.cases(protected=True)
    assert (case.person_id, case.route, case.opened_on) == (person(0)["id"], "protected", date(2026, 9, 8))
    assert node.cases(protected=False) == ()


def test_what_was_held_back_is_sent_when_a_sound_number_arrives(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    temporary = {"value": "20130101TF01", "nationality": "SE"}
    arrived = "2026-08-25"
    newcomer = person(50, enrolment(arrived, LAST_DAY), civicNo=temporary)
    for day in (LEFT_SHOWN, *WEEKS):
        federation.day(day, {STOCKHOLM: [*roll(0), newcomer], MALMO: roll(100)})
    [case] = node.gaps()
    assert (case.route, case.opened_on, case.number) == ("unlinkable", date(2026, 9, 21), "")
    assert signals_at_registry(federation) == 0
    numbered = [*roll(0), person(50, enrolment(arrived, LAST_DAY))]
    federation.day(date(2026, 9, 28), {STOCKHOLM: numbered})
    assert signals_at_registry(federation) == 1
    [case] = node.gaps()
    assert (case.route, case.state, case.opened_on) == ("registry", GapState.OPEN, date(2026, 9, 21))
    federation.day(date(2026, 10, 5), {MALMO: [*roll(100), person(50, enrolment("2026-09-29"))]})
    assert [gap.state for gap in node.gaps()] == [GapState.ANSWERED]


# -- epochs ------------------------------------------------------------------------------------------------------------


def test_a_new_epoch_is_added_to_live_handles_and_a_retired_one_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as parties:
        node = parties.nodes[STOCKHOLM]
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        parties.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
        parties.set_epochs(2, 1, 2)
        parties.set_today(date(2026, 9, 8))
        assert node.sync() == SyncReport(submitted=1)
        assert node.sync() == SyncReport()
        assert epochs_of_newest(parties) == {1, 2}
        parties.set_epochs(3, 2)
        assert node.sync() == SyncReport()
        # The new epoch alone answers.
        arrival = [*roll(100), person(0, enrolment("2026-09-07"))]
        for day in WEEKS:
            parties.day(day, {STOCKHOLM: without(roll(0), left(0)), MALMO: arrival})
        assert node.gaps() == ()
        states = node.app.database.view("test_gaps", lambda tx: list(tx.execute(select(gaps.c.state)).scalars()))
        assert states == ["ANSWERED"]


def test_what_waits_for_an_epoch_that_was_retired_meanwhile_is_said_anew(tmp_path: Path) -> None:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, epochs=2, standing=(1,)) as parties:
        node = parties.nodes[STOCKHOLM]
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        for index in (1, 2):
            parties.evaluators[index].stop()
        parties.set_today(LEFT_SHOWN)
        node.take(without(roll(0), left(0)))
        assert node.sync().waiting == 1
        parties.set_epochs(2, 2)
        for index in (1, 2):
            parties.evaluators[index].start()
        assert node.sync() == SyncReport(submitted=1)
        assert epochs_of_newest(parties) == {2}


def epochs_of_newest(federation: Federation) -> set[int]:
    node = federation.nodes[STOCKHOLM]
    handle = handle_of(federation, STOCKHOLM, person(0))
    newest = node.app.database.view("test_newest", lambda tx: node.app.pipeline._outbox.newest(tx, [handle]))
    return {ref.epoch for ref in newest[handle].carries}


def test_a_change_of_policy_or_calendar_restates_every_pupil(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    assert due_days(node) == {DUE}
    federation.publish(2, policy=PolicyValues(watch_school_days=3))
    node.sync()
    assert due_days(node) == {date(2026, 9, 9)}
    federation.publish(3, calendars={"default": [Pause(date(2026, 9, 14), date(2026, 9, 18))]})
    node.sync()
    assert due_days(node) == {date(2026, 9, 25)}


def due_days(node: Node) -> set[date]:
    return node.app.database.view("test_due", lambda tx: set(tx.execute(select(gaps.c.due_on)).scalars()))


def test_no_number_name_or_person_id_stands_in_the_clear_in_the_nodes_files(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    for day in (LEFT_SHOWN, *WEEKS):
        federation.day(day, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    assert node.app.database.view("test_versions", lambda tx: tx.execute(versions.select()).all())
    told = [
        person(0)["civicNo"]["value"],
        person(0)["id"],
        person(0)["familyName"],
        json.dumps(person(0)["familyName"]),
    ]
    for path in node.settings.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in told if word.encode() in content], path.name
    assert not [word for word in told if word in node.log.getvalue()]
