"""What is published of the yearly report: nothing small is shown, and nothing small follows from what is."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import CaseOutcome
from federation.web.i18n import Language
from node.casework.files.model import Absence, Classification, OpenedFor
from node.casework.quality.counting import report
from node.casework.quality.masking import HIDDEN, SMALLEST, _counts, _sums, masked
from node.casework.quality.model import CountedFile, CountedStep, Report
from node.casework.quality.tables import Table, tables
from node.casework.routines.model import CountsAs
from node.console.wording import texts

YEAR, TODAY = 2026, date(2027, 1, 4)
COUNT = SchoolCalendar().count
FEW = (Classification.ADMIN_LAG, Classification.MOVED_ABROAD_UNREGISTERED, Classification.UNDETERMINED)


def file(
    classification: Classification = Classification.ADMIN_LAG,
    outcome: CaseOutcome | None = CaseOutcome.PLACED,
    contact: date | None = date(2026, 9, 9),
) -> CountedFile:
    step = CountedStep(
        "saknad-elev", CountsAs.FIRST_CONTACT, date(2026, 9, 7), date(2026, 9, 10), contact, date(2026, 10, 1)
    )
    closed = None if outcome is None else date(2026, 10, 1)
    return CountedFile(
        OpenedFor.GAP,
        date(2026, 9, 7),
        closed,
        outcome,
        classification,
        Absence.MISSING,
        protected=False,
        steps=(step,),
    )


def made(files: list[CountedFile]) -> tuple[Report, tuple[Table, ...]]:
    counted = report(files, YEAR, TODAY, COUNT, with_protected=False)
    return counted, tables(counted, texts(Language.ENGLISH), str)


def shown(files: list[CountedFile]) -> dict[tuple[str, str, int], object]:
    return {
        (table.name, row.code, nth): cell
        for table in masked(*made(files))
        for row in table.rows
        for nth, cell in enumerate(row.cells)
    }


def test_one_child_among_many_does_not_show_and_does_not_follow_from_the_sums() -> None:
    found = shown([file()] * 20 + [file(outcome=CaseOutcome.DECEASED)])
    assert found["files", "worked", 0] == 21
    assert [
        cell for (table, code, nth), cell in found.items() if (table, code) == ("outcomes", "ADMIN_LAG") and nth
    ] == [
        HIDDEN,
        HIDDEN,
    ]
    assert (found["files", "closing-median", 0], found["files", "closing-longest", 0]) == (18, HIDDEN)


def test_who_was_contacted_late_does_not_follow_from_those_in_time() -> None:
    found = shown([file()] * 20 + [file(contact=date(2026, 9, 30))])
    assert found["contact", "in-time", 0] == HIDDEN
    assert found["steps", "all", 2] == HIDDEN


def test_medians_of_few_are_not_shown() -> None:
    found = shown([file()] * 4)
    assert found["files", "closing-median", 0] == found["contact", "days-median", 0] == HIDDEN
    assert found["contact", "waiting", 0] == 0


FILES = st.builds(
    file,
    st.sampled_from(FEW),
    st.sampled_from((CaseOutcome.PLACED, CaseOutcome.EMIGRATED, CaseOutcome.DECEASED, None)),
    st.sampled_from((date(2026, 9, 9), date(2026, 9, 30), None)),
)


@given(st.lists(st.tuples(FILES, st.integers(1, 9)), max_size=8))
def test_nothing_small_can_be_worked_out(drawn: list[tuple[CountedFile, int]]) -> None:
    counted, whole = made([each for each, times in drawn for _ in range(times)])
    counts = dict(_counts(whole))
    told = dict(_counts(masked(counted, whole)))
    assert all(count == 0 or count >= SMALLEST for count in told.values())
    assert told.items() <= counts.items()
    hidden = [place for place in counts if place not in told]
    rows = []
    for each in _sums(whole, counts):
        terms = Counter(dict.fromkeys(each.parts, 1))
        terms[each.total] -= 1
        rows.append([Fraction(terms[place]) for place in hidden])
    for place in determined(rows):
        assert counts[hidden[place]] == 0 or counts[hidden[place]] >= SMALLEST, hidden[place]


def determined(rows: list[list[Fraction]]) -> set[int]:
    """The unknowns that equations give one value each, whatever the others are."""
    width, done = len(rows[0]) if rows else 0, 0
    for column in range(width):
        pivot = next((nth for nth in range(done, len(rows)) if rows[nth][column]), None)
        if pivot is None:
            continue
        rows[done], rows[pivot] = rows[pivot], rows[done]
        rows[done] = [each / rows[done][column] for each in rows[done]]
        for nth in range(len(rows)):
            if nth != done and rows[nth][column]:
                factor = rows[nth][column]
                rows[nth] = [a - factor * b for a, b in zip(rows[nth], rows[done], strict=True)]
        done += 1
    return {next(nth for nth, each in enumerate(row) if each) for row in rows if sum(1 for each in row if each) == 1}
