"""What holds for every history: repetition, order and the time of a run change nothing a member says."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import OpeningKind, Policy
from node.model import History, ImportFacts, Observation, Row, Saying, Statement, Status, What
from node.presence import statement

BASELINE = date(2026, 5, 25)
CALENDAR = SchoolCalendar([Break(date(2026, 6, 13), date(2026, 8, 17)), Break(date(2026, 10, 26), date(2026, 10, 30))])
DATES = st.integers(-30, 200).map(lambda days: BASELINE + timedelta(days=days))
ROWS = st.builds(
    Row,
    st.sampled_from(["one", "two"]),
    st.sampled_from(["GR", "GR", "SAM", "FS", "NEWFORM"]),
    st.none() | DATES,
    st.none() | DATES,
    st.sampled_from([False, False, False, True]),
    st.sampled_from([5, 9]),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, ImportFacts]:
    dates = sorted({BASELINE, *(BASELINE + timedelta(days=7 * draw(st.integers(0, 25))) for _ in range(5))})
    observations: list[Observation] = []
    for as_of in dates[draw(st.integers(0, 1)) :]:
        rows = draw(st.none() | st.lists(ROWS, max_size=2).map(tuple))
        if rows is None and not observations:
            continue
        status = draw(st.sampled_from([Status.ACTIVE, Status.ACTIVE, Status.EMIGRATED, Status.DECEASED]))
        seen = Observation(as_of, rows, status, draw(st.sampled_from(["Ingen", "Ingen", "Sekretessmarkering"])))
        if not observations or replace(observations[-1], as_of=as_of) != seen:
            observations.append(seen)
    sayings = draw(
        st.lists(
            st.builds(Saying, st.sampled_from(What), DATES, DATES, st.none(), st.none() | DATES, st.booleans()),
            max_size=3,
        )
    )
    return History(tuple(observations), tuple(sayings)), ImportFacts(BASELINE, tuple(dates))


def say(history: History, facts: ImportFacts, today: date) -> Statement:
    return statement(history, facts, today, Policy(), CALENDAR)


def without_ageing(told: Statement) -> Statement:
    """Ageing of `begins` alone makes no new version; `recheck_on` and the forms are not said."""
    recent = tuple(replace(presence, begins=None) for presence in told.presences)
    return replace(told, presences=recent, recheck_on=None, unknown_forms=frozenset())


@settings(max_examples=400)
@given(histories(), DATES, st.integers(1, 60))
def test_nothing_changes_before_recheck(story: tuple[History, ImportFacts], today: date, later: int) -> None:
    history, facts = story
    day = today + timedelta(days=later)
    facts = replace(facts, imports=tuple(as_of for as_of in facts.imports if as_of <= today))
    history = History(
        tuple(o for o in history.observations if o.as_of <= today),
        tuple(s for s in history.sayings if s.said_on <= today),
    )
    before = say(history, facts, today)
    if before.recheck_on is None or day < before.recheck_on:
        assert without_ageing(say(history, facts, day)) == without_ageing(before)


@given(histories(), DATES)
def test_an_export_that_shows_nothing_new_changes_nothing(story: tuple[History, ImportFacts], today: date) -> None:
    history, facts = story
    repeated = tuple(
        again for seen in history.observations for again in (seen, replace(seen, as_of=seen.as_of + timedelta(days=1)))
    )
    twice = History(repeated, history.sayings)
    if any(later.as_of > today for later in repeated if later not in history.observations):
        return
    assert replace(say(twice, facts, today), recheck_on=None) == replace(say(history, facts, today), recheck_on=None)


@given(histories(), DATES)
def test_what_comes_later_changes_nothing_said_of_today(story: tuple[History, ImportFacts], today: date) -> None:
    history, facts = story
    so_far = History(
        tuple(seen for seen in history.observations if seen.as_of <= today),
        tuple(saying for saying in history.sayings if saying.said_on <= today),
    )
    now = say(history, facts, today)
    assert replace(say(so_far, facts, today), recheck_on=None) == replace(now, recheck_on=None)


def lies_ahead(told: Statement, today: date) -> bool:
    """Whether the opening is that of a withdrawal that was asked for of a coming day: until then the pupil is here."""
    return told.opening is not None and told.opening.kind is OpeningKind.HELD and told.opening.since > today


@given(histories(), DATES)
def test_a_statement_is_well_formed(story: tuple[History, ImportFacts], today: date) -> None:
    told = say(*story, today)
    assert len(told.presences) <= 8
    for presence in told.presences:
        assert presence.begins is None or presence.begins <= today
        assert presence.until is None or presence.until <= today
        assert presence.begins is None or presence.until is None or presence.begins < presence.until
        assert presence.affirmed_on is None or presence.affirmed_on <= today
    for earlier, later in zip(told.presences, told.presences[1:], strict=False):
        assert earlier.until is not None
        assert later.begins is not None
        assert earlier.until <= later.begins
    if told.opening is not None:
        assert told.opening.since <= today or lies_ahead(told, today)
        assert not told.in_force or lies_ahead(told, today)
        assert told.moves
    assert told.recheck_on is None or told.recheck_on > today


@given(histories(), DATES)
def test_a_covered_pupil_is_never_a_gap_and_a_leaver_never_in_force(
    story: tuple[History, ImportFacts], today: date
) -> None:
    told = say(*story, today)
    if told.in_force:
        assert told.opening is None or lies_ahead(told, today)
        assert told.presences[-1].until is None


@given(histories(), DATES, DATES, st.sampled_from([What.GONE, What.NO_SHOW]))
def test_a_persons_word_stands_until_found_or_until_a_presence_follows(
    story: tuple[History, ImportFacts], on: date, today: date, what: What
) -> None:
    history, facts = story
    sayings = tuple(saying for saying in history.sayings if saying.what not in (What.FOUND, What.DUTY_ENDED))
    word = Saying(what, on, on, reviewed=True)
    active = tuple(replace(seen, status=Status.ACTIVE) for seen in history.observations)
    # Who had completed the last year was not due any more.
    active = tuple(
        replace(seen, rows=tuple(replace(row, school_year=5) for row in seen.rows)) if seen.rows else seen
        for seen in active
    )
    told = say(History(active, (*sayings, word)), facts, today)
    if today > on and told.opening is None:
        assert told.presences[-1].until is None or told.presences[-1].until > on
