"""Every branch that makes or unmakes a gap is explained, and the explanation never says other than the statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from hypothesis import given, settings

from federation.rules.vocabulary import GapState, Handle, Notice, NoticeKind, Opening, OpeningKind, Policy, Urgency
from node.explain.explaining import Explanation, Known, explain
from node.explain.findings import (
    SECTIONS,
    Answer,
    Case,
    FindingKind,
    Heard,
    Next,
    Presences,
    Rows,
    Said,
    Sent,
    Value,
    Why,
    finding,
)
from node.explain.outcome import Hearing, Told
from node.gaps import Gap, OpenedBy
from node.identity import Route
from node.model import HeldLeavings, History, ImportFacts, Observation, Reason, Row, Saying, Status, What
from node.presence import statement
from node.wording import CATALOGUES, Language, Words, words_in
from tests.unit.presence_stories import BASELINE, CALENDAR, NEW, ROW, day, gone, said, seen
from tests.unit.test_presence_properties import CALENDAR as OTHER_CALENDAR
from tests.unit.test_presence_properties import DATES, histories

POLICY = Policy()
HANDLE = Handle(bytes(16))


@dataclass(frozen=True)
class Story:
    """A pupil's history up to a day, and what must be said of it first among the reasons."""

    today: date
    seen: tuple[Observation, ...] = ()
    sayings: Sequence[Saying] = ()
    held: Sequence[HeldLeavings] = ()
    waits: Sequence[Saying] = ()
    imports: Sequence[date] = ()
    baseline: date = BASELINE
    units: dict[str, str] = field(default_factory=lambda: {"unit": "Almskolan"})

    def known(self) -> Known:
        dates = sorted({self.baseline, *(each.as_of for each in self.seen), *self.imports})
        newest = self.seen[-1].rows if self.seen else None
        return Known(
            History(self.seen, tuple(self.sayings)),
            ImportFacts(self.baseline, tuple(dates), held=tuple(self.held)),
            systems={"main": newest} if newest else {},
            units=self.units,
            said=tuple(self.waits),
            wait_school_days={(held.as_of, held.unit): 5 for held in self.held},
        )

    def explained(self) -> Explanation:
        return explain(self.known(), today=self.today, policy=POLICY, calendar=CALENDAR)


def ended(end: date, row: Row = ROW) -> Row:
    return replace(row, end=end)


THERE = seen(BASELINE, ROW)
ODD = replace(NEW, form="X")
LEFT = (THERE, seen(day(9, 7), ended(day(9, 4))))

STORIES: dict[Why, tuple[Story, dict[str, Value]]] = {
    Why.LEFT_ENDED: (Story(day(9, 7), LEFT), {"last_day": day(9, 4)}),
    Why.LEFT_VANISHED: (Story(day(9, 7), (THERE, gone(day(9, 7)))), {"as_of": day(9, 7)}),
    Why.LEFT_CANCELLED: (
        Story(day(8, 31), (THERE, seen(day(8, 31), replace(ROW, cancelled=True)))),
        {"as_of": day(8, 31)},
    ),
    Why.LATER_ROW_TOO_LATE: (
        Story(day(9, 7), (THERE, seen(day(9, 7), ended(day(9, 1)), Row("other", "GR", day(9, 16))))),
        {"begins": day(9, 16), "due_on": day(9, 15)},
    ),
    Why.LAST_YEAR_ENDED_EARLY: (
        Story(day(8, 24, 2027), (seen(day(9, 7), replace(NEW, school_year=9, end=day(6, 8, 2027))),)),
        {"school_year": 9, "last_day": day(6, 8, 2027)},
    ),
    Why.GONE: (Story(day(9, 14), (THERE,), [said(What.GONE, day(9, 8), day(9, 14))]), {"last_day": day(9, 8)}),
    Why.NO_SHOW: (
        Story(day(9, 14), (seen(day(9, 7), NEW),), [said(What.NO_SHOW, day(9, 4), day(9, 14))]),
        {"since": day(9, 4)},
    ),
    Why.NOT_PLACED: (Story(day(9, 1), (), [said(What.NOT_PLACED, day(9, 1))]), {"since": day(9, 1)}),
    Why.WITHDRAWAL_WAITS: (
        Story(day(9, 8), (seen(day(9, 4), ROW),), [said(What.HELD, day(9, 12), day(9, 8))]),
        {"last_day": day(9, 11)},
    ),
    Why.LOOKED_FOR_SINCE: (
        Story(day(9, 18), LEFT, [said(What.NOT_PLACED, day(9, 18))]),
        {"since": day(9, 5)},
    ),
    Why.URGENT_BY_REASON: (
        Story(day(9, 8), LEFT, [said(What.REASON, day(9, 8), reason=Reason.UNKNOWN_WHEREABOUTS)]),
        {"reason": "unknown-whereabouts", "said_on": day(9, 8)},
    ),
    Why.URGENT_BY_WORD: (Story(day(9, 8), LEFT, [said(What.URGENT, day(9, 8))]), {"said_on": day(9, 8)}),
    Why.POSTPONED: (
        Story(day(9, 8), LEFT, [said(What.PLANNED_START, day(9, 24), day(9, 8))]),
        {"planned_start": day(9, 24), "due_on": day(9, 24)},
    ),
    Why.NOT_POSTPONED: (
        Story(day(9, 8), LEFT, [said(What.PLANNED_START, day(9, 10), day(9, 8))]),
        {"planned_start": day(9, 10), "due_on": day(9, 18)},
    ),
    Why.DUTY_ENDED_AFTERWARDS: (
        Story(day(9, 14), (*LEFT, seen(day(9, 14), ended(day(9, 4)), status=Status.DECEASED))),
        {"cause": "DECEASED", "on": day(9, 5), "shown_on": day(9, 14)},
    ),
    Why.DUTY_ENDED_LONG_BEFORE: (
        Story(
            day(12, 1),
            (*LEFT[:1], seen(day(9, 7), ended(day(9, 4)), status=Status.EMIGRATED)),
            [said(What.NOT_PLACED, day(12, 1)), said(What.FOUND, day(9, 5))],
        ),
        {"cause": "EMIGRATED", "on": day(9, 5), "shown_on": day(9, 7)},
    ),
    Why.EMIGRATION_TOO_LATE: (
        Story(day(10, 12), (*LEFT, seen(day(10, 12), ended(day(9, 4)), status=Status.EMIGRATED))),
        {"shown_on": day(10, 12), "days": 30},
    ),
    Why.REVIEW_PASSED: (
        Story(day(12, 2), LEFT, [said(What.DUTY_ENDED, day(9, 5), day(9, 5), review=day(12, 1))]),
        {"review": day(12, 1)},
    ),
    Why.NEVER_HERE: (Story(day(9, 1)), {}),
    Why.BEGINS_LATER: (Story(day(9, 1), (seen(day(9, 1), NEW),)), {"begins": day(9, 4)}),
    Why.NOTHING_COUNTS: (Story(day(9, 7), (seen(day(9, 7), replace(NEW, form="FS")),)), {}),
    Why.TAKEN_BACK: (
        Story(day(9, 14), (seen(day(9, 7), NEW), seen(day(9, 14), replace(NEW, cancelled=True)))),
        {"unit": "Almskolan", "as_of": day(9, 14)},
    ),
    Why.IN_FORCE: (Story(day(9, 7), (THERE,)), {"unit": "Almskolan", "form": "GR"}),
    Why.BRIDGED: (
        Story(day(10, 28), (THERE, seen(day(10, 26), ended(day(10, 25)), replace(ROW, start=day(11, 2))))),
        {"last_day": day(10, 25), "begins": day(11, 2)},
    ),
    Why.HELD: (
        Story(day(9, 8), (THERE, gone(day(9, 7))), held=[HeldLeavings(day(9, 7), "unit")]),
        {"unit": "Almskolan", "as_of": day(9, 7), "last_day": day(9, 6), "released_on": day(9, 12)},
    ),
    Why.NOT_SHOWN: (
        Story(day(9, 13), (THERE, seen(day(9, 13), ended(day(9, 11))))),
        {"last_day": day(9, 11), "shown_on": day(9, 14)},
    ),
    Why.UNKNOWN_FORM: (
        Story(
            day(9, 14),
            (seen(day(9, 7), replace(NEW, form="X")), seen(day(9, 14), replace(NEW, form="X", end=day(9, 9)))),
        ),
        {"form": "X", "last_day": day(9, 9)},
    ),
    Why.BEFORE_BASELINE: (
        Story(BASELINE, (seen(BASELINE, ended(day(5, 29))),)),
        {"last_day": day(5, 29), "baseline": BASELINE, "first_day": day(6, 1)},
    ),
    Why.LATER_ROW: (
        Story(day(9, 7), (THERE, seen(day(9, 7), ended(day(9, 1)), Row("other", "GR", day(9, 15))))),
        {"last_day": day(9, 1), "begins": day(9, 15)},
    ),
    Why.FOUND: (
        Story(day(9, 21), LEFT, [said(What.FOUND, day(9, 10), day(9, 11))]),
        {"on": day(9, 10), "said_on": day(9, 11), "since": day(9, 5)},
    ),
    Why.BACK: (
        Story(
            day(9, 28),
            (THERE, seen(day(9, 28), ended(day(9, 8)), replace(NEW, start=day(9, 28)))),
            [said(What.GONE, day(9, 8))],
        ),
        {"begins": day(9, 28)},
    ),
    Why.PLACED: (
        Story(day(9, 4), (seen(day(9, 4), NEW),), [said(What.NOT_PLACED, day(9, 1))]),
        {"begins": day(9, 4)},
    ),
    Why.WORD_WAITS: (
        Story(day(9, 14), (THERE,), waits=[said(What.GONE, day(9, 8), day(9, 14), reviewed=False)]),
        {"what": "GONE", "on": day(9, 8), "said_on": day(9, 14)},
    ),
    Why.DUTY_DECEASED: (
        Story(day(9, 14), (seen(day(9, 7), NEW), seen(day(9, 14), NEW, status=Status.DECEASED))),
        {"on": day(9, 14), "shown_on": day(9, 14)},
    ),
    Why.DUTY_EMIGRATED: (
        Story(day(9, 7), (THERE, seen(day(9, 7), ended(day(9, 4)), status=Status.EMIGRATED))),
        {"on": day(9, 5), "shown_on": day(9, 7)},
    ),
    Why.DUTY_COMPLETED: (
        Story(day(8, 24, 2027), (seen(day(9, 7), replace(NEW, school_year=9, end=day(6, 11, 2027))),)),
        {"on": day(6, 12, 2027)},
    ),
    Why.DUTY_DECIDED: (
        Story(day(9, 7), LEFT, [said(What.DUTY_ENDED, day(9, 5), day(9, 5), review=day(12, 1))]),
        {"on": day(9, 5), "shown_on": day(9, 5), "review": day(12, 1)},
    ),
}


def kinds(explanation: Explanation, section: type[FindingKind]) -> list[FindingKind]:
    return [each.kind for each in explanation if isinstance(each.kind, section)]


def only(explanation: Explanation, kind: FindingKind) -> dict[str, Value]:
    [found] = [each for each in explanation if each.kind is kind]
    return dict(found.parameters)


def spoken(explanation: Explanation) -> list[str]:
    """Every sentence in every language: a parameter that is missing raises."""
    return [Words(catalogue)(each.kind, **each.parameters) for catalogue in CATALOGUES.values() for each in explanation]


def test_every_reason_has_a_story() -> None:
    assert set(STORIES) == set(Why)


@pytest.mark.parametrize("kind", Why, ids=lambda kind: kind.name.lower())
def test_each_reason_is_found_and_said(kind: Why) -> None:
    story, parameters = STORIES[kind]
    explanation = story.explained()
    found = only(explanation, kind)
    assert {name: found[name] for name in parameters} == parameters
    assert all(spoken(explanation))


def test_what_a_persons_word_ended_is_not_said_to_have_ended_by_itself() -> None:
    assert kinds(STORIES[Why.GONE][0].explained(), Why) == [Why.GONE]
    assert kinds(STORIES[Why.NO_SHOW][0].explained(), Why) == [Why.NO_SHOW]
    # Nor where the rows come to end later than the word has it.
    both = Story(day(9, 14), LEFT, [said(What.GONE, day(9, 2), day(9, 14))]).explained()
    assert kinds(both, Why) == [Why.GONE]


def test_an_absent_gap_is_explained_by_what_unmade_it_alone() -> None:
    for kind, (story, _) in STORIES.items():
        explanation = story.explained()
        known = story.known()
        opening = statement(known.history, known.facts, story.today, POLICY, CALENDAR).opening
        [answer] = kinds(explanation, Answer)
        assert answer is (Answer.NO_GAP if opening is None else Answer.GAP), kind
        assert kinds(explanation, Why), kind


@settings(max_examples=300)
@given(histories(), DATES)
def test_whatever_happened_the_explanation_agrees_with_the_statement(
    story: tuple[History, ImportFacts], today: date
) -> None:
    history, facts = story
    opening = statement(history, facts, today, POLICY, OTHER_CALENDAR).opening
    newest = history.observations[-1].rows if history.observations else None
    known = Known(history, facts, systems={"main": newest or ()})
    explanation = explain(known, today=today, policy=POLICY, calendar=OTHER_CALENDAR)
    [answer] = kinds(explanation, Answer)
    assert answer is (Answer.NO_GAP if opening is None else Answer.GAP)
    assert kinds(explanation, Why)
    assert len(kinds(explanation, Next)) == 1
    order = [SECTIONS.index(type(each.kind)) for each in explanation]
    assert order == sorted(order)
    assert all(spoken(explanation))


# -- what became of it -------------------------------------------------------------------------------------------------


SINCE, DUE = day(9, 5), day(9, 18)


def gap(state: GapState, **more: object) -> Gap:
    opening = Opening(1, OpeningKind.LEFT, SINCE, Urgency.NORMAL)
    made = Gap(HANDLE, opening, Route.REGISTRY, True, DUE, SINCE, state, DUE)
    return replace(made, **more)  # type: ignore[arg-type]  # test shorthand


def became(today: date, **more: object) -> Explanation:
    known = replace(Story(today, LEFT).known(), **more)  # type: ignore[arg-type]  # test shorthand
    return explain(known, today=today, policy=POLICY, calendar=CALENDAR)


def test_a_watch_says_until_when_and_how_many_school_days_are_left() -> None:
    explanation = became(day(9, 14), gaps=(gap(GapState.WATCH),))
    assert only(explanation, Case.WATCH) == {"since": day(9, 5), "due_on": day(9, 18), "school_days": 4}
    assert only(explanation, Next.DUE) == {"on": day(9, 18), "school_days": 4}
    assert "4 skoldagar kvar" in in_swedish(explanation, Case.WATCH)
    last = became(day(9, 17), gaps=(gap(GapState.WATCH),))
    assert "1 skoldag kvar" in in_swedish(last, Case.WATCH)
    assert kinds(became(day(9, 18), gaps=(gap(GapState.WATCH),)), Case) == [Case.OVERDUE]


def in_swedish(explanation: Explanation, kind: FindingKind) -> str:
    return words_in(Language.SWEDISH)(kind, **only(explanation, kind))


def test_an_open_case_says_who_opened_it_and_what_it_begins_with() -> None:
    steps = [finding(Case.STEP_POPULATION_REGISTER), finding(Case.STEP_HOME_MUNICIPALITY, home="Stockholm (0180)")]
    opened = gap(
        GapState.OPEN,
        opened_on=day(9, 18),
        opened_by=OpenedBy.SILENT_REGISTRY,
        lead=True,
        linked=True,
        coverage_incomplete=True,
    )
    known = replace(Story(day(9, 21), LEFT).known(), gaps=(opened,))
    explanation = explain(known, today=day(9, 21), policy=POLICY, calendar=CALENDAR, first_steps=steps)
    assert only(explanation, Case.OPEN)["opened_by"] == "silent registry"
    assert kinds(explanation, Case) == [
        Case.OPEN,
        Case.LEADS,
        Case.LINKED,
        Case.COVERAGE_INCOMPLETE,
        Case.STEP_POPULATION_REGISTER,
        Case.STEP_HOME_MUNICIPALITY,
    ]
    assert kinds(explanation, Next) == [Next.NOTHING]


@pytest.mark.parametrize("state", [GapState.ANSWERED, GapState.ENDED, GapState.VOID])
def test_a_gap_that_is_over_says_how(state: GapState) -> None:
    explanation = became(day(9, 21), gaps=(gap(state),))
    assert [kind.name for kind in kinds(explanation, Case)] == [state.name]
    assert all(spoken(explanation))


def test_an_answer_never_says_where() -> None:
    names = {"0180", "1280", "Malmö"}
    hearing = Hearing((Notice(7, NoticeKind.ANSWERED, day(9, 18), HANDLE, 1, b"case"),), day(9, 18))
    explanation = became(day(9, 21), gaps=(gap(GapState.ANSWERED),), hearing=hearing)
    said_of_it = " ".join(spoken(explanation))
    assert kinds(explanation, Heard) == [Heard.ANSWERED]
    assert not any(name in said_of_it for name in names)


@pytest.mark.parametrize("kind", NoticeKind, ids=lambda kind: kind.name.lower())
def test_every_notice_has_its_words(kind: NoticeKind) -> None:
    hearing = Hearing((Notice(7, kind, day(9, 18), HANDLE, 1),), day(9, 18))
    explanation = became(day(9, 21), hearing=hearing)
    [heard] = kinds(explanation, Heard)
    assert heard.name in (kind.name, "OTHER")
    assert all(spoken(explanation))


def test_a_registry_that_is_silent_is_said_to_be() -> None:
    explanation = became(day(9, 21), hearing=Hearing(failed_day=day(9, 18)))
    assert kinds(explanation, Heard) == [Heard.NOTHING, Heard.NO_CLOSE, Heard.UNREACHED]


@pytest.mark.parametrize(
    "state", [each for each in Sent if each.name in ("WAITING", "SENT", "ACKNOWLEDGED", "PARKED", "SUPERSEDED")]
)
def test_each_version_says_what_became_of_it(state: Sent) -> None:
    told = Told(1, day(9, 7), state.name, "SIGNAL_MALFORMED", day(9, 5), retracted=False)
    explanation = became(day(9, 8), versions=(told,))
    assert kinds(explanation, Sent) == [state]
    if state is Sent.PARKED:
        assert "SIGNAL_MALFORMED" in " ".join(spoken(explanation))


def test_who_is_no_mover_is_told_of_to_nobody() -> None:
    assert kinds(Story(day(9, 7), (THERE,)).explained(), Sent) == [Sent.NO_MOVER]
    assert kinds(became(day(9, 7)), Sent) == [Sent.NOTHING_YET]
    assert kinds(became(day(9, 7)), Case) == [Case.NOT_MADE]
    assert kinds(became(day(9, 7)), Next) == [Next.SYNC]


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        (Route.UNLINKABLE, Sent.UNLINKABLE),
        (Route.PROTECTED, Sent.PROTECTED),
        (Route.RENUMBERED, Sent.RENUMBERED),
    ],
)
def test_what_stays_here_says_why(route: Route, kind: Sent) -> None:
    explanation = became(day(9, 7), route=route)
    assert kinds(explanation, Sent) == [kind]
    assert kinds(explanation, Heard) == []


# -- rows and presences -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (ROW, Rows.IN_FORCE),
        (replace(ROW, end=day(9, 4)), Rows.ENDED),
        (replace(ROW, start=day(9, 21)), Rows.LATER),
        (replace(ROW, form="FS"), Rows.NOT_COUNTED),
        (replace(ROW, form="GY"), Rows.UPPER_SECONDARY),
        (replace(ROW, form="X"), Rows.UNKNOWN_FORM),
        (replace(ROW, cancelled=True), Rows.VOID),
    ],
)
def test_each_row_says_whether_it_counts(row: Row, kind: Rows) -> None:
    explanation = Story(day(9, 7), (seen(day(9, 7), row),)).explained()
    assert kinds(explanation, Rows) == [kind]
    assert only(explanation, kind)["unit"] == "Almskolan"


def test_a_row_that_is_cancelled_after_it_stood_counts_until_then() -> None:
    story, _ = STORIES[Why.LEFT_CANCELLED]
    assert kinds(story.explained(), Rows) == [Rows.VOID_ENDS]


def test_a_row_that_is_gone_is_still_shown_with_the_day_it_went() -> None:
    story, _ = STORIES[Why.LEFT_VANISHED]
    assert only(story.explained(), Rows.FORMER)["gone_on"] == day(9, 7)
    assert kinds(Story(day(9, 1)).explained(), Rows) == [Rows.NONE]


@pytest.mark.parametrize("what", What, ids=lambda what: what.name.lower())
def test_every_word_that_counts_is_shown(what: What) -> None:
    explanation = Story(day(9, 14), (THERE,), [said(what, day(9, 8), review=day(12, 1))]).explained()
    assert kinds(explanation, Said) == [Said[what.name]]
    assert all(spoken(explanation))


def test_presences_show_their_last_day() -> None:
    explanation = Story(day(9, 7), LEFT).explained()
    assert only(explanation, Presences.ENDED_LONG) == {"last_day": day(9, 4)}
    arrived = Story(day(9, 14), (seen(day(9, 7), NEW),), [said(What.MET, day(9, 8))]).explained()
    assert kinds(arrived, Presences) == [Presences.IN_FORCE, Presences.SEEN]


# -- the next day -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "kind", "on"),
    [
        (Why.NOT_SHOWN, Next.SHOWS, day(9, 14)),
        (Why.HELD, Next.HELD_RELEASED, day(9, 12)),
        (Why.LATER_ROW, Next.ROW_BEGINS, day(9, 15)),
        (Why.BEGINS_LATER, Next.ROW_BEGINS, day(9, 4)),
        (Why.DUTY_DECIDED, Next.REVIEW, day(12, 1)),
    ],
)
def test_the_next_day_that_matters(why: Why, kind: Next, on: date) -> None:
    assert only(STORIES[why][0].explained(), kind)["on"] == on


def test_an_end_that_is_preset_is_the_next_day_that_matters() -> None:
    explanation = Story(day(9, 7), (seen(day(9, 7), ended(day(9, 11))),)).explained()
    assert only(explanation, Next.ROW_ENDS) == {"on": day(9, 14), "last_day": day(9, 11)}
    assert kinds(Story(day(9, 7), (THERE,)).explained(), Next) == [Next.NOTHING]
