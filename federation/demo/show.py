"""What the demonstration tells at the end, in words for somebody who has never seen the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.table import Table

from federation.demo.generator import Generated
from federation.demo.generator.people import Pupil
from federation.demo.generator.schooldays import Term
from federation.demo.scenario import Case
from federation.demo.simulate import Outcome
from federation.rules.vocabulary import GapState

IN_WORDS = {
    GapState.OPEN: "still missing",
    GapState.ANSWERED: "found at a school",
    GapState.ENDED: "emigrated or died",
    GapState.VOID: "had never left",
    GapState.WATCH: "watched again",
}
MARKS = {"registry": "", "unlinkable": " *", "protected": " **"}
LEGEND = (
    "*  no national number: its municipality watches the pupil alone\n"
    "** protected identity: nothing is sent, and one role alone sees the case"
)


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
    table = Table(
        title="Who was found: away from one school and enrolled at no other",
        title_justify="left",
        caption=LEGEND,
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in ("Pupil", "Municipality", "Away since", "Case opened", "At the end"):
        table.add_column(heading, no_wrap=True)
    for case in sorted(outcome.cases, key=lambda case: (case.opened_on, case.member, case.person_id)):
        pupil = pupils[case.member, case.person_id]
        table.add_row(
            "(withheld)" if case.route == "protected" else f"{pupil.given_name} {pupil.family_name}",
            names[case.member],
            str(case.effective_date),
            str(case.opened_on),
            IN_WORDS[case.state] + MARKS[case.route],
        )
    return table


def summary(outcome: Outcome, generated: Generated, term: Term) -> Table:
    """How it went, and how that compares with what the generator knows."""
    truth = generated.truth
    comparison = compare(outcome.cases, truth.cases)
    waits = [term.between(case.effective_date, case.opened_on) + 1 for case in outcome.cases]
    pupils = {(file.member, file.person_id) for _, story in generated.stories for file in story.files}
    alarmed = {(case.member, case.person_id) for case in outcome.cases}
    quiet = [story for story in generated.quiet_moves if not alarmed & {(f.member, f.person_id) for f in story.files}]
    table = Table(title="How that compares with the truth", title_justify="left", show_header=False, box=SIMPLE)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("Pupils on the rolls during the term", f"{len(pupils)}")
    table.add_row("Moved to another municipality, enrolled there in time", f"{len(generated.quiet_moves)}")
    table.add_row("  of them without an alarm", f"{len(quiet)}")
    table.add_section()
    table.add_row("Cases that the truth asks for", f"{len(truth.cases)}")
    table.add_row("  opened on the right day and with the right outcome", f"{comparison.right}")
    table.add_row("  with another day or outcome", f"{len(comparison.otherwise)}")
    table.add_row("  missed", f"{len(comparison.missed)}")
    table.add_row("False alarms", f"{len(comparison.false)}")
    table.add_section()
    table.add_row("School days from leaving to the case (median)", f"{median(waits or [0]):.0f}")
    table.add_row("Pseudonymised signals sent to the registry", f"{outcome.signals_sent}")
    table.add_row("Faulty rows that municipalities were told of", f"{outcome.rejected_rows}")
    return table


def _pupils(generated: Generated) -> Iterator[tuple[tuple[str, str], Pupil]]:
    for _, story in generated.stories:
        for file in story.files:
            yield (file.member, file.person_id), file.pupil
