"""Who is done with a change of epochs: whoever has nothing that lacks one, and nobody else."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from federation.rules.vocabulary import MemberId
from registry.epochs.progress import QUARTERS, Progress, in_the_way, progress

A, B, GONE = MemberId("0180"), MemberId("1480"), MemberId("1980")
HEARD = date(2026, 10, 19)


@given(st.integers(1, 5_000).flatmap(lambda live: st.tuples(st.just(live), st.integers(0, live))))
def test_one_handle_that_lacks_an_epoch_is_in_the_way(handles: tuple[int, int]) -> None:
    [found] = progress([A], {A: handles}, {})
    assert found.done == (handles[1] == 0)
    assert 0 <= found.quarters <= QUARTERS
    assert in_the_way([found], []) == ([] if found.done else [found])


def test_only_quarters_are_told() -> None:
    told = {lacking: progress([A], {A: (100, lacking)}, {})[0].quarters for lacking in (100, 76, 75, 51, 50, 26, 1, 0)}
    assert told == {100: 0, 76: 0, 75: 1, 51: 1, 50: 2, 26: 2, 1: 3, 0: 4}


def test_a_member_that_has_left_is_in_the_way_by_what_it_said_alone() -> None:
    found = progress([A, B], {A: (10, 0), GONE: (3, 3)}, {A: HEARD})
    assert found == [Progress(A, True, 4, HEARD), Progress(B, True, 4), Progress(GONE, False, 0)]
    assert [each.member for each in in_the_way(found, [A])] == [GONE]
    assert in_the_way(found, [GONE]) == []
