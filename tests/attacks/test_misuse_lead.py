"""A member that takes the lead of a case that is not its own to lead.

What it gets: the notice LEAD, which says that another member has an open gap about a pupil of whom it has one itself,
and no more than LINKED says: neither who nor since when. What it does not get: nobody else's gap, clock or case file
changes, and no gap is closed by anybody but by an answer or by its own member. Statuses that a lead sets, SUSPENDED
among them, do not cross the registry yet: a lead can do nothing with its lead but keep it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from federation.rules.vocabulary import GapState, Notice, OpeningKind, Presence, Signal
from registry.model import Gap, ref_of
from registry.store import gaps
from tests.store.registry.scene import DUE, SINCE, A, B, C, Scene, again, arrival, day, leaving, pupil

DAY = timedelta(days=1)


def gap(scene: Scene, member: str, signal: Signal) -> Gap:
    named = {ref_of(member, signal.handle): (member, signal.handle)}  # type: ignore[arg-type]
    [found] = scene.database.view("test_gaps", lambda tx: gaps.load(tx, named)).values()  # type: ignore[arg-type]
    return found


def leads(news: list[Notice]) -> list[str]:
    return [notice.kind.value for notice in news if notice.kind.value in ("LEAD", "LINKED")]


def test_a_later_since_takes_the_lead_and_nothing_else(limited: Scene) -> None:
    mine = leaving(pupil("p"))
    limited.submit(A, mine)
    limited.close(DUE)
    before = gap(limited, A, mine)
    assert (before.state, before.leads) == (GapState.OPEN, True)
    limited.news(A)
    thief = replace(leaving(pupil("p"), since=day("09-02")), presences=())
    limited.submit(B, thief, on=DUE + DAY)
    limited.close(DUE + 5 * DAY)
    assert leads(limited.news(A)) == ["LINKED"]
    assert leads(limited.news(B)) == ["LINKED", "LEAD"]
    after = gap(limited, A, mine)
    assert (after.state, after.due_on, after.state_since) == (before.state, before.due_on, before.state_since)
    assert after.case_id == before.case_id
    # The names under which two members know a case are no name that they could compare.
    assert gap(limited, B, thief).case_id == before.case_id


def test_not_placed_takes_the_lead_and_gives_it_back_when_it_goes(limited: Scene) -> None:
    mine = leaving(pupil("p"))
    limited.submit(A, mine)
    thief = replace(leaving(pupil("p"), since=day("08-20"), kind=OpeningKind.NOT_PLACED), presences=())
    limited.submit(B, thief)
    limited.close(DUE)
    assert (leads(limited.news(A)), leads(limited.news(B))) == (["LINKED"], ["LINKED", "LEAD"])
    limited.submit(B, again(thief, opening=None), on=DUE + DAY)
    limited.close(DUE + DAY)
    assert leads(limited.news(A)) == ["LEAD"]
    assert gap(limited, A, mine).state is GapState.OPEN


def test_a_since_in_the_year_2040_leads_nothing_before_it(limited: Scene) -> None:
    """The nearest there is to a lead that suspends a case until 2040: its gap is watched until then, and the lead is
    another's all the time. The others' clocks and cases go on."""
    mine = leaving(pupil("p"))
    limited.submit(A, mine)
    limited.submit(B, replace(leaving(pupil("p"), since=date(2040, 1, 2)), presences=()))
    limited.close(DUE)
    limited.close(DUE + 300 * DAY)
    assert leads(limited.news(A)) == ["LEAD"]
    assert limited.news(B) == []
    assert gap(limited, A, mine).state is GapState.OPEN


def test_a_lead_that_answers_itself_closes_its_own_gap_alone(limited: Scene) -> None:
    """A false presence of the lead's own answers A's gap as any arrival would (test_misuse_arrivals); where it does not
    account for A's pupil, A's case goes on and A leads it."""
    mine = leaving(pupil("p"), since=SINCE, begins=date(2025, 8, 18))
    limited.submit(A, mine)
    thief = replace(leaving(pupil("p"), since=day("09-02")), presences=())
    limited.submit(B, thief)
    limited.close(DUE + 5 * DAY)
    assert leads(limited.news(B)) == ["LINKED", "LEAD"]
    old = Presence(date(2024, 8, 19), None, date(2024, 8, 19))
    limited.submit(B, again(thief, opening=None, presences=(old,)), on=DUE + 6 * DAY)
    limited.close(DUE + 6 * DAY)
    assert leads(limited.news(A)) == ["LINKED", "LEAD"]
    assert gap(limited, A, mine).state is GapState.OPEN
    limited.submit(C, arrival(pupil("p"), begins=DUE + 7 * DAY), on=DUE + 7 * DAY)
    limited.close(DUE + 7 * DAY)
    assert gap(limited, A, mine).state is GapState.ANSWERED
