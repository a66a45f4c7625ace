"""What the demonstration tells at the end, in words for somebody who has never seen the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from federation.demo.generator import Generated
from federation.demo.generator.people import Pupil
from federation.demo.generator.schooldays import Term
from federation.demo.scenario import Case
from federation.demo.simulate import Outcome
from federation.rules.vocabulary import GapState

IN_WORDS = {
    GapState.OPEN: "still missing: nobody has the pupil",
    GapState.ANSWERED: "found: enrolled again",
    GapState.ENDED: "explained: emigrated or deceased",
    GapState.VOID: "never left: the school corrected its records",
    GapState.WATCH: "watched again: the school changed the date",
}
ROUTES = {
    "registry": "",
    "unlinkable": "no national number: watched by its own municipality alone",
    "protected": "protected identity: seen by one role alone",
}


@dataclass(frozen=True)
class Comparison:
    """What was found against what the generator knows."""

    right: int
    missed: tuple[Case, ...]
    false: tuple[Case, ...]
    otherwise: tuple[Case, ...]
    """Found, but with another date or state than the truth has."""

    @property
    def equal(self) -> bool:
        return not (self.missed or self.false or self.otherwise)


def compare(found: tuple[Case, ...], truth: tuple[Case, ...]) -> Comparison:
    """A case is the same child at the same member since the same day; everything else about it has to agree too."""
    by_name = {_name(case): case for case in found}
    expected = {_name(case): case for case in truth}
    return Comparison(
        right=sum(by_name.get(name) == case for name, case in expected.items()),
        missed=tuple(case for name, case in expected.items() if name not in by_name),
        false=tuple(case for name, case in by_name.items() if name not in expected),
        otherwise=tuple(case for name, case in by_name.items() if name in expected and expected[name] != case),
    )


def _name(case: Case) -> tuple[object, ...]:
    return case.member, case.person_id, case.effective_date


def cases(outcome: Outcome, generated: Generated) -> Table:
    """One line for each case that was opened, in the order in which they were."""
    names = {member.id: member.name for member in generated.scenario.members}
    pupils = dict(_pupils(generated))
    table = Table(title="Pupils who left and were enrolled nowhere when the watch ended", title_justify="left")
    for heading in ("Pupil", "Municipality", "Away since", "Case opened", "On the last day", ""):
        table.add_column(heading)
    for case in sorted(outcome.cases, key=lambda case: (case.opened_on, case.member, case.person_id)):
        pupil = pupils[case.member, case.person_id]
        hidden = case.route == "protected"
        table.add_row(
            "(name withheld)" if hidden else f"{pupil.given_name} {pupil.family_name}",
            names[case.member],
            str(case.effective_date),
            str(case.opened_on),
            IN_WORDS[case.state],
            ROUTES[case.route],
        )
    return table


def summary(outcome: Outcome, generated: Generated, term: Term) -> Table:
    """How it went, and how that compares with what the generator knows."""
    truth = generated.truth
    comparison = compare(outcome.cases, truth.cases)
    waits = [term.between(case.effective_date, case.opened_on) + 1 for case in outcome.cases]
    table = Table(title="What came of it", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    pupils = {(file.member, file.person_id) for _, story in generated.stories for file in story.files}
    table.add_row("Pupils on the rolls during the term", f"{len(pupils)}")
    table.add_row("Pupils who moved between municipalities and raised no alarm", f"{generated.moved_quietly}")
    table.add_row("Cases the generator knows should be opened", f"{len(truth.cases)}")
    table.add_row("  opened on the right day, with the right outcome", f"{comparison.right}")
    table.add_row("  opened, but with another date or outcome", f"{len(comparison.otherwise)}")
    table.add_row("  missed", f"{len(comparison.missed)}")
    table.add_row("False alarms", f"{len(comparison.false)}")
    table.add_row("School days from the last day in school to the case, in the middle", f"{median(waits or [0]):.0f}")
    table.add_row("Signals that left the municipalities, all pseudonymised", f"{outcome.signals_sent}")
    table.add_row("Rows with an invalid or missing number or date, reported", f"{outcome.rejected_rows}")
    return table


def _pupils(generated: Generated) -> Iterator[tuple[tuple[str, str], Pupil]]:
    for _, story in generated.stories:
        for file in story.files:
            yield (file.member, file.person_id), file.pupil
