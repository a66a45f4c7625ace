"""A history made anew from what the registry last heard says the same, then and later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.demo.generator import Generated, Recipe, generate
from federation.demo.generator.stage import File
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import Handle, Policy, Signal, Urgency
from node.model import History, ImportFacts, Observation, Row, Saying, Statement, Status, What
from node.presence import statement
from node.recovery.rebuilding import FORGOTTEN_UNIT, Rules, Window, never_said, rebuilt
from tests.unit.presence_stories import BASELINE, CALENDAR, NEW, ROW, day, gone, left, said, seen

DAY = timedelta(days=1)


def signal(stated: Statement) -> Signal:
    opening = None if stated.opening is None else stated.opening.numbered(1)
    return Signal(Handle(bytes(16)), 1, (), stated.presences, opening, stated.duty_ended)


def told(stated: Statement) -> object:
    return stated.presences, stated.opening, stated.duty_ended


@dataclass(frozen=True)
class Term:
    """The dates of a scenario and the rules of its members."""

    days: tuple[date, ...]
    policy: Policy
    calendar: SchoolCalendar

    def say(self, history: History, today: date, days: Sequence[date] | None = None) -> Statement:
        facts = ImportFacts(self.days[0], tuple(days or self.days))
        return statement(history, facts, today, self.policy, self.calendar)

    def rules(self, until: date) -> Rules:
        return Rules(ImportFacts(self.days[0], (self.days[0], until)), self.policy, self.calendar)


def term(generated: Generated) -> Term:
    scenario = generated.scenario
    calendar = SchoolCalendar(Break(each.start, each.end) for each in scenario.calendar.breaks)
    return Term(scenario.as_of, Policy(watch_school_days=scenario.watch_school_days), calendar)


def compact(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    """Only what differs from the observation before, as a store keeps them."""
    kept: list[Observation] = []
    for each in observations:
        if not kept or replace(kept[-1], as_of=each.as_of) != each:
            kept.append(each)
    return tuple(kept)


def shown(file: File, days: Sequence[date]) -> list[Observation]:
    """How the pupil stood in the export of every date from the first that showed it."""
    found: list[Observation] = []
    for as_of, entry in zip(days, file.shown, strict=True):
        if entry is not None:
            rows = tuple(
                Row(r.unit, r.form, r.start, r.end, r.cancelled, r.year) for r in entry.rows if not r.start_text
            )
            found.append(Observation(as_of, rows, entry.status, entry.marking))
        elif found:
            found.append(Observation(as_of, None, found[-1].status, found[-1].marking))
    return found


def said_by(term: Term, history: History) -> dict[date, Signal | None]:
    """What the registry had of the pupil at the end of each date: movers only."""
    newest: Signal | None = None
    heard: dict[date, Signal | None] = {}
    for as_of in term.days:
        so_far = History(
            tuple(each for each in history.observations if each.as_of <= as_of),
            tuple(each for each in history.sayings if each.said_on <= as_of),
        )
        if so_far.observations:
            stated = term.say(so_far, as_of)
            if newest is not None or stated.moves:
                newest = signal(stated)
        heard[as_of] = newest
    return heard


def losses(generated: Generated) -> Iterator[tuple[Term, str, list[Observation], int]]:
    """Every pupil of every story with every date on which its node could be lost."""
    played = term(generated)
    for kind, story in generated.stories:
        for file in story.files:
            everything = shown(file, played.days)
            if everything and all(each.marking == "Ingen" for each in everything):
                for place in range(len(played.days)):
                    yield played, kind, everything, place


def shown_on_its_last_day(everything: Sequence[Observation]) -> bool:
    """Whether an export showed the pupil as emigrated on the last day of a row."""
    return any(
        each.status == Status.EMIGRATED and each.as_of in {row.end for row in each.rows or ()} for each in everything
    )


@pytest.mark.parametrize("seed", [51, pytest.param(52, marks=pytest.mark.long)])
def test_a_history_made_anew_says_the_same_then_and_later(seed: int) -> None:
    compared = 0
    for played, kind, everything, place in losses(generate(Recipe(seed=seed, members=4, pupils=30, weeks=14))):
        lost_on = played.days[place]
        history = History(compact(everything))
        heard = said_by(played, history)[lost_on]
        since = compact([each for each in everything if each.as_of >= lost_on])
        absent = not since or since[0].as_of != lost_on or since[0].rows is None
        if absent and (heard is None or kind in ("vanish_explained", "glitch", "new_uuid")):
            # Known to nobody; or their return brings rows that were not there to go by.
            continue
        window, rules = Window(None, lost_on, reported=True), played.rules(lost_on)
        anew = (
            never_said(History(since), window, rules)
            if heard is None
            else rebuilt(heard, History(since), window, rules)
        )
        later = (played.days[0], *played.days[place:])
        for today in played.days[place:]:
            expected, found = played.say(history, today), played.say(anew, today, later)
            if kind == "deceased" and heard is None:
                # Of the day of death nothing was said; the last day of the row stands for it.
                expected, found = replace(expected, presences=()), replace(found, presences=())
            if kind == "emigrated" and heard is None and shown_on_its_last_day(everything):
                # Nor is known that the export of that very day showed it already.
                expected, found = (replace(each, presences=(), duty_ended=None) for each in (expected, found))
            assert told(found) == told(expected), (kind, lost_on, today)
            if heard is None:
                assert found.moves == expected.moves, (kind, lost_on, today)
            compared += 1
    assert compared > 5_000


WORDS = (
    (What.GONE,),
    (What.GONE, What.FOUND),
    (What.URGENT,),
    (What.NO_SHOW,),
    (What.PLANNED_START,),
    (What.MET,),
    (What.DUTY_ENDED,),
    (What.FOUND,),
    (What.NOT_PLACED,),
    (What.GONE, What.URGENT),
)
GENERATED = generate(Recipe(seed=53, members=3, pupils=20, weeks=14))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_opening_that_people_stated_is_missed_on_the_day_of_the_loss(data: st.DataObject) -> None:
    played = term(GENERATED)
    _, story = data.draw(st.sampled_from(GENERATED.stories))
    everything = shown(data.draw(st.sampled_from(story.files)), played.days)
    if not everything or any(each.marking != "Ingen" for each in everything):
        return
    on = data.draw(st.sampled_from(played.days[1:-2]))
    sayings = []
    for what in data.draw(st.sampled_from(WORDS)):
        sayings.append(Saying(what, on, on, reviewed=True))
        on += data.draw(st.sampled_from([0, 2, 7])) * DAY
    history = History(compact(everything), tuple(sayings))
    place = data.draw(st.integers(0, len(played.days) - 1))
    lost_on = played.days[place]
    heard = said_by(played, history)[lost_on]
    if heard is None or sayings[-1].said_on > lost_on:
        return
    since = compact([each for each in everything if each.as_of >= lost_on])
    anew = rebuilt(heard, History(since), Window(None, lost_on, reported=True), played.rules(lost_on))
    found = played.say(anew, lost_on, (played.days[0], lost_on))
    if heard.opening is not None:
        assert found.opening is not None
        assert found.opening.since <= heard.opening.since
        assert found.opening.urgency is heard.opening.urgency
    # And no presence is said to be affirmed later than it was.
    for before, after in zip(heard.presences, found.presences, strict=False):
        if before.affirmed_on is not None and after.affirmed_on is not None and before.begins == after.begins:
            assert after.affirmed_on <= max(before.affirmed_on, before.begins or before.affirmed_on)


# -- one by one --------------------------------------------------------------------------------------------------------

HEARD, LOST = day(10, 5), day(10, 12)
RULES = Rules(ImportFacts(BASELINE, (BASELINE, LOST)), Policy(), CALENDAR)
WINDOW = Window(None, LOST)


def say(history: History, today: date = LOST) -> Statement:
    return statement(history, RULES.facts, today, RULES.policy, RULES.calendar)


def heard(*observations: Observation, sayings: Sequence[Saying] = (), today: date = HEARD) -> Signal:
    history = History(observations, tuple(sayings))
    return signal(statement(history, ImportFacts(BASELINE, (BASELINE, today)), today, Policy(), CALENDAR))


def test_an_arrival_is_not_affirmed_anew() -> None:
    arrival = heard(seen(day(9, 7), NEW))
    anew = rebuilt(arrival, History((seen(LOST, NEW),)), WINDOW, RULES)
    assert say(anew).presences == arrival.presences
    assert say(History((seen(LOST, NEW),))).presences[0].affirmed_on == LOST


def test_a_presence_whose_row_is_gone_from_the_export_is_still_told() -> None:
    moved = heard(seen(BASELINE, ROW), seen(day(9, 7), replace(ROW, end=day(9, 4))))
    anew = rebuilt(moved, History((Observation(LOST, None),)), WINDOW, RULES)
    assert say(anew).presences[0].until == moved.presences[0].until
    assert say(anew).opening == left(day(9, 5))
    assert any(row.unit == FORGOTTEN_UNIT for each in anew.observations for row in each.rows or ())


def test_an_arrival_who_is_in_no_export_has_left_on_its_date() -> None:
    anew = rebuilt(heard(seen(day(9, 7), NEW)), History((Observation(LOST, None),)), WINDOW, RULES)
    assert say(anew).opening == left(LOST)


def test_rows_of_last_year_keep_their_presence_as_old_as_it_was() -> None:
    before = heard(seen(BASELINE, ROW), seen(day(9, 14), ROW), sayings=[said(What.MET, day(9, 14))])
    this_year = replace(ROW, start=day(8, 18))
    assert say(rebuilt(before, History((seen(LOST, this_year),)), WINDOW, RULES)).presences == before.presences


def test_gone_though_enrolled_stays_so_whatever_rows_say() -> None:
    word = said(What.GONE, day(9, 20))
    before = heard(seen(BASELINE, ROW), sayings=[word])
    assert before.opening is not None
    anew = rebuilt(before, History((seen(LOST, ROW),)), WINDOW, RULES)
    assert say(anew).opening == left(day(9, 21), Urgency.IMMEDIATE)
    # Until a person finds the pupil, as before.
    found = History(anew.observations, (*anew.sayings, said(What.FOUND, LOST)))
    assert say(found, LOST + DAY).opening is None


def test_a_pupil_whom_a_person_had_found_is_not_raised_again() -> None:
    rows = (seen(BASELINE, ROW), seen(day(9, 7), replace(ROW, end=day(9, 4))))
    before = heard(*rows, sayings=[said(What.FOUND, day(9, 20))])
    assert before.opening is None
    shows_the_end = History((seen(LOST, replace(ROW, end=day(9, 4))),))
    assert say(shows_the_end).opening is not None
    assert say(rebuilt(before, shows_the_end, WINDOW, RULES)).opening is None


def test_a_planned_start_and_urgency_stand() -> None:
    rows = (seen(BASELINE, ROW), seen(day(9, 7), replace(ROW, end=day(9, 4))))
    shows = History((seen(LOST, replace(ROW, end=day(9, 4))),))
    planned = heard(*rows, sayings=[said(What.PLANNED_START, day(9, 21), day(9, 8))])
    assert say(rebuilt(planned, shows, WINDOW, RULES)).opening == left(day(9, 5), planned_start=day(9, 21))
    urgent = heard(*rows, sayings=[said(What.URGENT, day(9, 8))])
    assert say(rebuilt(urgent, shows, WINDOW, RULES)).opening == left(day(9, 5), Urgency.IMMEDIATE)


def test_an_end_of_duty_is_not_moved_to_the_day_of_the_import() -> None:
    died = heard(
        seen(day(9, 7), NEW), seen(day(9, 21), replace(NEW, end=day(9, 18)), status=Status.DECEASED), today=day(9, 21)
    )
    anew = rebuilt(died, History((seen(LOST, replace(NEW, end=day(9, 18)), status=Status.DECEASED),)), WINDOW, RULES)
    assert told(say(anew)) == (died.presences, None, died.duty_ended)


def test_what_a_school_took_back_is_taken_back() -> None:
    """A leaving that no word could have made: the presence began after the baseline."""
    before = heard(seen(day(9, 7), NEW), seen(day(9, 21), replace(NEW, end=day(9, 18))))
    assert before.opening is not None
    assert say(rebuilt(before, History((seen(LOST, NEW),)), WINDOW, RULES)).opening is None


def test_what_may_have_been_a_word_stays_open() -> None:
    before = heard(seen(BASELINE, ROW), seen(day(9, 21), replace(ROW, end=day(9, 18))))
    assert before.opening is not None
    assert say(rebuilt(before, History((seen(LOST, ROW),)), WINDOW, RULES)).opening == left(day(9, 19))


def test_what_left_since_leaves_on_its_own_date() -> None:
    arrival = heard(seen(day(9, 7), NEW))
    anew = rebuilt(arrival, History((seen(LOST, replace(NEW, end=day(10, 7))),)), WINDOW, RULES)
    assert say(anew).opening == left(day(10, 8))
    assert say(anew).presences[0].affirmed_on == day(9, 7)


def test_a_restored_history_is_added_to_and_not_replaced() -> None:
    remembered = (seen(BASELINE, ROW), seen(day(9, 7), ROW))
    before = heard(*remembered, gone(day(9, 28)))
    window = Window(day(9, 21), LOST)
    anew = rebuilt(before, History((*remembered, gone(LOST))), window, RULES)
    assert anew.observations[:2] == remembered
    assert say(anew).opening == left(day(9, 28))


def test_a_retracted_handle_tells_nothing() -> None:
    history = History((seen(LOST, ROW),))
    assert rebuilt(Signal(Handle(bytes(16)), 3, (), retracted=True), history, WINDOW, RULES) == history


def test_whoever_is_unknown_was_there_at_the_baseline() -> None:
    anew = never_said(History((seen(LOST, ROW),)), WINDOW, RULES)
    assert anew.observations[0].as_of == BASELINE
    assert not say(anew).moves
    ended = History((*anew.observations, seen(day(10, 19), replace(ROW, end=day(10, 16)))))
    assert say(ended, day(10, 19)).presences[0].affirmed_on == BASELINE


def test_whoever_came_since_is_an_arrival() -> None:
    history = History((seen(LOST, replace(NEW, start=day(10, 8))),))
    assert never_said(history, WINDOW, RULES) == history
    assert say(history).moves


def test_a_restored_store_knows_its_baseline_by_itself() -> None:
    history = History((seen(LOST, ROW),))
    assert never_said(history, Window(day(9, 21), LOST), RULES) == history


def test_an_old_leaving_of_whom_the_registry_knows_nothing_was_accounted_for() -> None:
    rules = Rules(ImportFacts(date(2023, 8, 21), (date(2023, 8, 21), LOST)), Policy(), CALENDAR)
    long_gone = replace(ROW, start=date(2023, 8, 21), end=date(2025, 6, 5))
    for row, opens in ((long_gone, False), (replace(long_gone, end=date(2025, 12, 5)), True)):
        anew = never_said(History((seen(LOST, row),)), WINDOW, rules)
        later = History((*anew.observations, seen(day(11, 9), row)), anew.sayings)
        for history, today in ((anew, LOST), (later, day(11, 9))):
            said = statement(history, rules.facts, today, rules.policy, rules.calendar)
            assert (said.opening is not None) == opens


COPIED = Window(day(9, 21), LOST, reported=True)


def test_what_was_cancelled_after_the_copy_was_made_is_no_leaving_of_today() -> None:
    remembered = (seen(day(9, 21), replace(NEW, start=day(9, 17))),)
    cancelled = replace(NEW, start=day(9, 17), cancelled=True)
    before = heard(*remembered, seen(day(9, 28), cancelled))
    assert before.presences == ()
    shows = History((*remembered, seen(LOST, cancelled)))
    assert say(rebuilt(before, shows, COPIED, RULES)) == say(History((*remembered, seen(day(9, 28), cancelled))))


def test_who_was_back_soon_after_the_copy_was_made_was_never_gone() -> None:
    remembered = (seen(BASELINE, ROW), gone(day(9, 21)))
    before = heard(*remembered, seen(day(9, 28), ROW))
    shows = History((*remembered, seen(LOST, ROW)))
    assert before.presences[0].affirmed_on == BASELINE
    assert say(rebuilt(before, shows, COPIED, RULES)).presences == before.presences
