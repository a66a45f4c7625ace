"""The gaps of a handle that was handed back: pure, from its openings and the notices about them.

What the member was told of a gap it can list anew, notice by notice; so nobody has to repeat it, and nobody can learn
from a recovery what was not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from federation.rules.calendar import due_on
from federation.rules.vocabulary import GapState, Handle, Notice, Opening
from node.gaps import Gap, Judge, told
from node.identity import Route
from node.recovery.stated import Stated


def retold(
    known: Sequence[Gap], stated: Stated, notices: Sequence[Notice], judge: Judge, since: date
) -> tuple[Gap, ...]:
    """All gaps of the handle. `known` are those that the store has; `notices` all about the handle, by their numbers.

    The registry's numbers count: a gap to which the store gave a number meanwhile, from `since` on, is what is stated
    now, or none; and what it was told then is told anew.
    """
    signal = stated.signal
    openings = {opening.number: opening for opening in stated.openings}
    if signal.opening is not None:
        openings[signal.opening.number] = signal.opening
    current = None if signal.opening is None else signal.opening.number
    by_number = {gap.number: gap for gap in known}
    after = {gap.number: replace(gap, stated=gap.stated and current is None) for gap in known}
    for number, opening in sorted(openings.items()):
        gap = by_number.get(number)
        if gap is None or gap.said_on >= since:
            gap = _watched(signal.handle, opening, judge)
            for notice in notices:
                if (notice.handle, notice.opening_number) == (gap.handle, number):
                    gap = told(gap, notice)
        after[number] = replace(gap, opening=opening, stated=number == current)
    meanwhile = [gap for gap in known if gap.stated and gap.said_on >= since]
    return taken_in(tuple(after[number] for number in sorted(after)), meanwhile)


def taken_in(gaps: Sequence[Gap], provisional: Sequence[Gap]) -> tuple[Gap, ...]:
    """`gaps` with the case files that the store opened meanwhile, under another handle or number: `provisional`.

    What is stated is one leaving: its file keeps the day on which it was first opened.
    """
    after = {gap.number: gap for gap in gaps}
    for opened in provisional:
        if opened.opened_on is None:
            continue
        standing = next((gap for gap in after.values() if gap.stated), None)
        if standing is None:
            number = 1 + max(after, default=0)
            after[number] = replace(opened, opening=replace(opened.opening, number=number))
        elif standing.opened_on is None or opened.opened_on < standing.opened_on:
            standing = replace(standing, opened_on=opened.opened_on, opened_by=opened.opened_by)
            if standing.state is GapState.WATCH and opened.state is GapState.OPEN:
                standing = replace(standing, state=opened.state, state_since=opened.state_since)
            after[standing.number] = standing
    return tuple(after[number] for number in sorted(after))


def _watched(handle: Handle, opening: Opening, judge: Judge) -> Gap:
    """A gap of which nothing was heard. The day it was said is lost; the earliest lets it be watched the shortest."""
    return Gap(
        handle=handle,
        opening=opening,
        route=Route.REGISTRY,
        stated=False,
        due_on=due_on(opening, judge.policy, judge.calendar),
        said_on=opening.since,
        state=GapState.WATCH,
        state_since=opening.since,
    )
