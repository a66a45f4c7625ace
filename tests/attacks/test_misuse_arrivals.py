"""A member that states presences it has not, so that nobody looks for a pupil any more.

What the attacker learns: nothing; its own gaps apart, nobody is told anything of a presence. What it does is silence a
gap of another member, for as long as it keeps the lie up, and in its own name: attributable, not prevented (TRUST.md).
Whatever a careless or clever lie leaves in doubt answers nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from federation.rules.vocabulary import DutyEnded, OpeningKind, Presence, Urgency
from federation.v1 import signal_pb2
from registry import wire
from registry.model import Rejection
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, leaving, pupil

DAY = timedelta(days=1)
FAR = date(2030, 1, 1)


def told_with(scene: Scene, presence: Presence, duty_ended: DutyEnded | None = None, **opening: object) -> list[str]:
    """What A is told at the due day of a pupil who left, where B states this presence."""
    scene.submit(A, leaving(pupil("p"), **opening))  # type: ignore[arg-type]  # fields of an opening
    scene.submit(B, replace(arrival(pupil("p")), presences=(presence,), duty_ended=duty_ended))
    scene.close(SINCE)
    scene.close(DUE)
    return scene.kinds(A)


@pytest.mark.parametrize(
    "presence",
    [
        Presence(FAR, None, FAR),
        Presence(None, None, FAR),
        Presence(date(2024, 8, 19), None, FAR),
        Presence(date(2024, 8, 19), None, FAR, FAR),
    ],
    ids=["begins in 2030", "affirmed in 2030", "old and affirmed in 2030", "seen in 2030"],
)
def test_what_is_dated_in_the_year_2030_answers_nothing_before_it(limited: Scene, presence: Presence) -> None:
    assert told_with(limited, presence) == ["OPENED"]


def test_nobody_was_seen_in_school_on_a_day_to_come(limited: Scene) -> None:
    seen = Presence(SINCE, None, SINCE, FAR)
    assert told_with(limited, seen, urgency=Urgency.IMMEDIATE) == ["OPENED"]


def test_a_stay_of_one_day_with_an_end_of_duty_answers_nothing(limited: Scene) -> None:
    one_day = Presence(SINCE, SINCE + DAY, SINCE)
    assert told_with(limited, one_day, DutyEnded(SINCE + DAY)) == ["OPENED"]


def test_a_stay_of_a_month_with_an_end_of_duty_answers(limited: Scene) -> None:
    """A pupil who came, stayed and then left the country is no gap of the school before."""
    month = Presence(SINCE - 3 * DAY, SINCE + 40 * DAY, SINCE)
    limited.submit(A, leaving(pupil("p")))
    limited.submit(B, replace(arrival(pupil("p")), presences=(month,), duty_ended=DutyEnded(SINCE + 40 * DAY)))
    limited.close(SINCE + 50 * DAY)
    assert limited.kinds(A) == ["ANSWERED"]


def test_a_row_from_before_the_pupils_own_time_here_answers_nothing(limited: Scene) -> None:
    """Never closed at B, where the pupil was before it came to A."""
    assert told_with(limited, Presence(date(2024, 8, 19), None, date(2024, 8, 19))) == ["OPENED"]


def test_a_stale_row_of_a_silent_member_answers_nothing(limited: Scene) -> None:
    limited.report(A, B, C, as_of=SINCE - 20 * DAY)
    limited.submit(A, leaving(pupil("p")))
    limited.submit(B, arrival(pupil("p"), begins=SINCE - 30 * DAY))
    limited.report(A, C, as_of=DUE)
    limited.close(DUE, all_current=False)
    assert limited.kinds(A) == ["OPENED"]


def test_a_false_arrival_silences_a_gap_for_as_long_as_it_is_kept_up(limited: Scene) -> None:
    """Not prevented; and when the lie is taken back, or its member falls silent for good, the case is there again."""
    lie = arrival(pupil("p"))
    limited.submit(A, leaving(pupil("p")))
    limited.submit(B, lie)
    limited.close(DUE)
    limited.submit(B, again(lie, presences=()), on=DUE + DAY)
    limited.close(DUE + DAY)
    assert limited.kinds(A) == ["ANSWERED", "REOPENED"]


def test_not_placed_is_answered_by_nobody_who_has_let_the_pupil_go(limited: Scene) -> None:
    gone = Presence(SINCE, SINCE + 5 * DAY, SINCE)
    assert told_with(limited, gone, kind=OpeningKind.NOT_PLACED) == ["OPENED"]


# -- dates that no signal may bear ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "presences",
    [
        [{"begins": "2026-09-01", "until": "2026-08-31"}],
        [{"begins": "2026-09-01", "until": "2026-09-01"}],
        [{"begins": "2026-09-01"}, {"begins": "2026-10-01"}],
        [{"begins": "2026-09-01", "until": "2026-10-01"}, {"begins": "2026-09-15"}],
        [{"begins": "0001-01-01"}],
        [{"begins": "2026-09-01", "affirmed_on": "9999-12-31"}],
        [{"begins": "2026-09-01", "met_on": "2026-09-31"}],
        [{"begins": "2026-02-30"}],
    ],
    ids=["ends before", "ends at once", "two in force", "overlapping", "year 1", "year 9999", "31 September", "no day"],
)
def test_absurd_presences_are_not_taken(presences: list[dict[str, str]]) -> None:
    message = signal_pb2.Signal(
        handle=bytes(16),
        version=1,
        pseudonyms=[signal_pb2.Pseudonym(epoch=1, value=bytes(32))],
        presences=[signal_pb2.Presence(**each) for each in presences],
        nonce=bytes(16),
    )
    refused = wire.parse_signal(message)
    assert isinstance(refused, Rejection)
    assert refused.code == "SIGNAL_MALFORMED"
