"""Who is who in an export, what is observed, what is refused, what waits: by example and by property."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Code, UppropError
from federation.rules.calendar import Break, SchoolCalendar
from federation.rules.vocabulary import Policy
from node.identity import Identity, Route
from node.model import Observation, Row
from node.records import intake
from node.records.intake import Leaving
from node.records.person import PersonRecord
from node.records.resolving import Claim, Known, NumberChange, Resolution, Resolver
from node.store.records import pack, unpack
from privacy.identifiers import CanonicalNumber, NumberKind, Sound
from tests.unit.node.exports import number

DAY = date(2026, 9, 7)
CALENDAR = SchoolCalendar([Break(date(2026, 6, 13), date(2026, 8, 17))])
ROW = Row("unit", "GR", date(2025, 8, 18), school_year=4)

PERSONNUMMER = Sound(NumberKind.PERSONNUMMER, CanonicalNumber(number(1)))
OTHER = Sound(NumberKind.PERSONNUMMER, CanonicalNumber(number(2)))
COORDINATION = Sound(NumberKind.SAMORDNINGSNUMMER, CanonicalNumber(number(3, coordination=True)))


def index(sound: Sound) -> bytes:
    return sound.number.encode()


def claim(person: str, sound: Sound | None = None, *rows: Row, **fields: str) -> Claim:
    record = PersonRecord(person, sound.number if sound else None, "", "", "", "", rows=rows or (ROW,), **fields)  # type: ignore[arg-type]
    packed = pack(record)
    return Claim("main", packed, person.encode(), sound, index(sound) if sound else None, bool(record.rows), packed)


def record_of(one: Claim) -> PersonRecord:
    return unpack(one.packed)


def known(pupil: str, sound: Sound | None, *persons: str) -> Known:
    return Known(pupil.encode(), sound, tuple(person.encode() for person in persons))


def resolve(before: list[Known], *claims: Claim) -> Resolution:
    fresh: Iterator[bytes] = (f"new {place}".encode() for place in itertools.count(1))
    resolver = Resolver(
        by_number={index(one.number): one.pupil_id for one in before if one.number},
        by_person={person: one.pupil_id for one in before for person in one.persons},
        known={one.pupil_id: one for one in before}.__getitem__,
        new_pupil_id=lambda: next(fresh),
    )
    return resolver.resolve(claims)


def whose(resolution: Resolution) -> dict[str, tuple[str, NumberChange]]:
    """person id → (pupil, change)."""
    return {
        record_of(found).person_id: (assignment.pupil_id.decode(), assignment.change)
        for assignment in resolution.assignments
        for found in assignment.claims
    }


def test_a_new_id_with_a_known_number_is_the_same_pupil() -> None:
    found = resolve([known("ann", PERSONNUMMER, "id-1")], claim("id-2", PERSONNUMMER))
    assert whose(found) == {"id-2": ("ann", NumberChange.NONE)}


def test_two_persons_with_one_number_are_one_pupil() -> None:
    found = resolve([], claim("id-1", PERSONNUMMER), claim("id-2", PERSONNUMMER))
    assert [len(assignment.claims) for assignment in found.assignments] == [2]


def test_a_known_person_with_a_broken_number_is_the_same_pupil() -> None:
    found = resolve([known("ann", PERSONNUMMER, "id-1")], claim("id-1"))
    assert whose(found) == {"id-1": ("ann", NumberChange.NONE)}


def test_without_a_number_the_id_decides() -> None:
    found = resolve([known("ann", None, "id-1")], claim("id-1"), claim("id-2"), claim("id-2"))
    assert whose(found) == {"id-1": ("ann", NumberChange.NONE), "id-2": ("new 1", NumberChange.NONE)}


def test_a_first_sound_number_stays_with_the_pupil() -> None:
    found = resolve([known("ann", None, "id-1")], claim("id-1", PERSONNUMMER))
    assert whose(found) == {"id-1": ("ann", NumberChange.GAINED)}


def test_a_personnummer_is_added_to_a_samordningsnummer() -> None:
    found = resolve([known("ann", COORDINATION, "id-1")], claim("id-1", PERSONNUMMER))
    assert whose(found) == {"id-1": ("ann", NumberChange.GAINED)}


@pytest.mark.parametrize("after", [OTHER, COORDINATION])
def test_any_other_change_of_number_is_a_replacement(after: Sound) -> None:
    found = resolve([known("ann", PERSONNUMMER, "id-1")], claim("id-1", after))
    assert whose(found) == {"id-1": ("ann", NumberChange.REPLACED)}


def test_a_replacement_that_reached_one_of_two_records_is_a_replacement() -> None:
    before = [known("ann", PERSONNUMMER, "id-1", "id-2")]
    found = resolve(before, claim("id-1", OTHER), claim("id-2", PERSONNUMMER))
    assert whose(found) == {"id-1": ("new 1", NumberChange.REPLACED), "id-2": ("ann", NumberChange.NONE)}


def test_a_replacement_that_reaches_the_second_record_makes_them_one() -> None:
    before = [known("ann", PERSONNUMMER, "id-2"), replace(known("renumbered", OTHER, "id-1"), renumbered=True)]
    found = resolve(before, claim("id-1", OTHER), claim("id-2", OTHER))
    assert whose(found) == dict.fromkeys(("id-1", "id-2"), ("renumbered", NumberChange.NONE))
    assert found.merged == {b"ann": b"renumbered"}


def test_an_id_given_to_somebody_else_replaces_no_number() -> None:
    found = resolve([known("ann", PERSONNUMMER, "1")], claim("1", OTHER), claim("2", PERSONNUMMER))
    assert whose(found) == {"1": ("new 1", NumberChange.NONE), "2": ("ann", NumberChange.NONE)}


def test_swapped_ids_change_nobody() -> None:
    before = [known("ann", PERSONNUMMER, "1"), known("bo", OTHER, "2")]
    found = resolve(before, claim("2", PERSONNUMMER), claim("1", OTHER))
    assert whose(found) == {"2": ("ann", NumberChange.NONE), "1": ("bo", NumberChange.NONE)}
    assert not found.merged


def test_a_pupil_without_a_number_that_turns_out_to_be_known_is_merged() -> None:
    before = [known("ann", PERSONNUMMER, "id-1"), known("unknown", None, "id-2")]
    found = resolve(before, claim("id-2", PERSONNUMMER))
    assert whose(found) == {"id-2": ("ann", NumberChange.NONE)}
    assert found.merged == {b"unknown": b"ann"}


def test_two_pupils_with_numbers_of_their_own_are_never_merged() -> None:
    before = [known("ann", PERSONNUMMER, "id-1"), known("bo", OTHER, "id-2")]
    found = resolve(before, claim("id-2", PERSONNUMMER), claim("id-1", PERSONNUMMER))
    assert found.merged == {}


@given(
    before=st.lists(st.sampled_from([PERSONNUMMER, OTHER, COORDINATION, None]), max_size=3, unique=True),
    shown=st.lists(
        st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from([PERSONNUMMER, OTHER, COORDINATION, None])),
        max_size=6,
    ),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_records_does_not_decide_whose_they_are(
    before: list[Sound | None], shown: list[tuple[str, Sound | None]], seed: object
) -> None:
    pupils = [known(f"pupil {place}", sound, str(place)) for place, sound in enumerate(before, start=1)]
    claims = [claim(person, sound) for person, sound in shown]
    shuffled = list(claims)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]

    def grouping(resolution: Resolution) -> set[tuple[str, frozenset[tuple[str, bytes | None]], bool]]:
        return {
            (
                assignment.pupil_id.decode() if not assignment.new else "new",
                frozenset((record_of(one).person_id, one.number_index) for one in assignment.claims),
                assignment.new,
            )
            for assignment in resolution.assignments
        }

    one, other = resolve(pupils, *claims), resolve(pupils, *shuffled)
    assert grouping(one) == grouping(other)
    assert sum(len(assignment.claims) for assignment in one.assignments) == len(claims)
    # A number is one pupil's.
    numbers = [one.number_index for found in one.assignments for one in found.claims[:1] if one.number_index]
    assert len(numbers) == len(set(numbers))


def identity(before: Identity | None, *claims: Claim) -> Identity:
    return intake.identity_of([(one, record_of(one)) for one in claims], before)


def test_the_last_sound_number_is_kept_and_typing_errors_are_dropped() -> None:
    before = Identity(("id-0",), (COORDINATION, PERSONNUMMER))
    after = identity(before, claim("id-1"))
    assert after.numbers == (COORDINATION, PERSONNUMMER)
    renumbered = identity(after, claim("id-1", OTHER))
    assert renumbered.number == OTHER
    corrected = renumbered.without_typing_errors()
    assert (corrected.numbers, corrected.dropped) == ((COORDINATION, OTHER), (PERSONNUMMER,))


def test_an_id_bears_the_name_of_any_school_system_but_the_default_one() -> None:
    other = replace(claim("id-1", PERSONNUMMER), system="resursskolan")
    assert identity(None, claim("id-1", PERSONNUMMER), other).person_ids == ("id-1", "resursskolan:id-1")


# -- observations ---------------------------------------------------------------------------------------------------


def test_only_what_differs_is_observed() -> None:
    first = Observation(DAY, (ROW,))
    same = Observation(DAY + timedelta(days=7), (ROW,))
    other = Observation(DAY + timedelta(days=14), ())
    seen = intake.with_observation(intake.with_observation((first,), same), other)
    assert seen == (first, other)


def test_a_second_export_of_a_day_takes_the_place_of_the_first() -> None:
    first, wrong = Observation(DAY, (ROW,)), Observation(DAY + timedelta(days=7), ())
    assert intake.with_observation((first, wrong), replace(first, as_of=wrong.as_of)) == (first,)


def test_one_who_vanishes_is_observed_once() -> None:
    before = (Observation(DAY, (ROW,), "Utvandrad", "Sekretessmarkering"),)
    gone = intake.vanished(before, DAY + timedelta(days=7))
    assert gone[-1] == Observation(DAY + timedelta(days=7), None, "Utvandrad", "Sekretessmarkering")
    assert intake.vanished(gone, DAY + timedelta(days=14)) == gone


def test_records_of_one_pupil_that_disagree_account_for_nobody() -> None:
    ended = replace(ROW, end=date(2026, 9, 1))
    claims = [
        claim("id-1", PERSONNUMMER, ROW, status="Utvandrad"),
        claim("id-2", PERSONNUMMER, ended, status="Aktiv", marking="Sekretessmarkering"),
    ]
    seen = intake.observation_of([record_of(one) for one in claims], DAY)
    assert set(seen.rows or ()) == {ROW, ended}
    assert (seen.status, seen.marking) == ("Aktiv", "Sekretessmarkering")


def test_merged_histories_show_on_each_day_what_both_showed() -> None:
    week = timedelta(days=7)
    other_row = replace(ROW, unit="other")
    one = (Observation(DAY, (ROW,)), Observation(DAY + 2 * week, None))
    other = (Observation(DAY + week, (other_row,)),)
    assert intake.merged_observations(one, other) == (
        Observation(DAY, (ROW,)),
        Observation(DAY + week, (other_row, ROW)),
        Observation(DAY + 2 * week, (other_row,)),
    )


# -- routes ---------------------------------------------------------------------------------------------------------

LOCAL, SAME = Policy(), Policy(protected="same")
MARKED = "Skyddad folkbokföring"


@pytest.mark.parametrize(
    ("sound", "marking", "policy", "before", "replaced", "expected"),
    [
        (PERSONNUMMER, "Ingen", LOCAL, None, False, (Route.REGISTRY, False)),
        (None, "Ingen", LOCAL, None, False, (Route.UNLINKABLE, False)),
        (PERSONNUMMER, "Ingen", LOCAL, Route.UNLINKABLE, False, (Route.REGISTRY, False)),
        (PERSONNUMMER, MARKED, LOCAL, Route.REGISTRY, False, (Route.PROTECTED, True)),
        (None, MARKED, LOCAL, None, False, (Route.PROTECTED, True)),
        (PERSONNUMMER, "Något nytt", LOCAL, Route.REGISTRY, False, (Route.PROTECTED, True)),
        # The marking is gone, but nobody of the protected-identity role has released the pupil.
        (PERSONNUMMER, "Ingen", LOCAL, Route.PROTECTED, False, (Route.PROTECTED, True)),
        (PERSONNUMMER, MARKED, SAME, Route.REGISTRY, False, (Route.REGISTRY, True)),
        (PERSONNUMMER, "Ingen", SAME, Route.REGISTRY, False, (Route.REGISTRY, False)),
        (PERSONNUMMER, "Ingen", LOCAL, Route.REGISTRY, True, (Route.RENUMBERED, True)),
        (PERSONNUMMER, "Ingen", SAME, Route.REGISTRY, True, (Route.RENUMBERED, True)),
        (PERSONNUMMER, "Ingen", LOCAL, Route.RENUMBERED, False, (Route.RENUMBERED, True)),
    ],
)
def test_the_route_of_a_pupil(
    sound: Sound | None,
    marking: str,
    policy: Policy,
    before: Route | None,
    replaced: bool,
    expected: tuple[Route, bool],
) -> None:
    assert intake.route_of(sound, marking, policy, before, replaced=replaced) == expected


# -- refusals -------------------------------------------------------------------------------------------------------


def test_an_export_of_tomorrow_or_older_than_the_last_is_refused() -> None:
    intake.check_days(DAY, DAY, DAY)
    with pytest.raises(UppropError) as after:
        intake.check_days(DAY + timedelta(days=1), None, DAY)
    assert after.value.code is Code.INPUT_REFUSED
    with pytest.raises(UppropError) as older:
        intake.check_days(DAY - timedelta(days=1), DAY, DAY)
    assert older.value.code is Code.EXPORT_OLDER


@pytest.mark.parametrize(
    ("roster", "recurring", "persons", "known_persons", "foreign"),
    [
        (100, 0, 100, 0, True),
        (100, 9, 100, 9, True),
        (100, 10, 100, 10, False),
        # A fragment of our own export, and the first year of a growing school.
        (100, 3, 3, 3, False),
        (20, 20, 400, 20, False),
        # Too few to tell.
        (19, 0, 100, 0, False),
        (100, 0, 0, 0, False),
    ],
)
def test_an_export_that_shares_next_to_nobody_is_anothers(
    roster: int, recurring: int, persons: int, known_persons: int, foreign: bool
) -> None:
    if not foreign:
        intake.check_foreign(roster, recurring, persons, known_persons)
        return
    with pytest.raises(UppropError) as caught:
        intake.check_foreign(roster, recurring, persons, known_persons)
    assert caught.value.code is Code.EXPORT_FOREIGN


def test_an_export_that_lacks_half_the_roster_is_refused_unless_accepted() -> None:
    intake.check_shrunk(10, 4, accept_shrink=False)
    intake.check_shrunk(11, 5, accept_shrink=False)
    intake.check_shrunk(10, 10, accept_shrink=True)
    with pytest.raises(UppropError) as caught:
        intake.check_shrunk(10, 5, accept_shrink=False)
    assert caught.value.code is Code.EXPORT_SHRUNK
    assert "--accept-shrink" in caught.value.sentence


# -- bulk leavings and mass starts ------------------------------------------------------------------------------------


def leavings(pupils: int, since: date = DAY, unit: str = "unit") -> list[Leaving]:
    return [Leaving(frozenset({unit}), since)] * pupils


def test_more_than_ten_pupils_and_a_fifth_of_one_unit_wait() -> None:
    def held(pupils: int, size: int) -> bool:
        return bool(intake.bulk_leavings(leavings(pupils), {"unit": size}, CALENDAR))

    assert held(11, 55)
    assert not held(10, 10)
    assert not held(11, 56)
    assert held(200, 1000)


def test_leavings_of_different_units_do_not_add_up() -> None:
    apart = [*leavings(8), *leavings(8, unit="other")]
    assert intake.bulk_leavings(apart, {"unit": 8, "other": 8}, CALENDAR) == ()


def test_leavings_dated_in_the_summer_break_wait_longer() -> None:
    summer = intake.bulk_leavings(leavings(11, date(2026, 6, 13)), {"unit": 11}, CALENDAR)
    term = intake.bulk_leavings(leavings(11), {"unit": 11}, CALENDAR)
    assert [bulk.wait_school_days for bulk in (*summer, *term)] == [20, 5]


def test_unchanged_rows_may_have_left_only_where_a_school_day_shows_it_since_the_last_import() -> None:
    def may(end: date, since: date, as_of: date, *more: Row) -> bool:
        return intake.may_have_left((replace(ROW, end=end), *more), since, as_of, CALENDAR)

    friday = date(2026, 9, 4)
    assert may(friday, friday, DAY)
    assert not may(friday, DAY, DAY + timedelta(days=7))
    assert not may(friday, friday, friday + timedelta(days=2))
    # The end of the spring term shows on the first day of the autumn term.
    assert may(date(2026, 6, 12), date(2026, 6, 8), date(2026, 8, 18))
    assert not may(date(2026, 6, 12), date(2026, 6, 8), date(2026, 8, 17))
    assert not may(friday, friday, DAY, replace(ROW, start=DAY))


def test_mass_start_days_are_those_on_which_over_a_third_of_the_roster_starts() -> None:
    term, later = date(2026, 8, 18), date(2026, 9, 1)
    assert intake.mass_start_days({term: 5, later: 2}, 9) == (term,)
    assert intake.mass_start_days({term: 2, later: 2, DAY: 1}, 6) == ()
