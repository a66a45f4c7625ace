"""What an evaluator demands of a descriptor before it goes by it.

Populations set the quotas, so whoever signs the descriptor could let a member ask for the whole country by stating a
large one. Against that each evaluator holds a figure that the authority does not choose: how many pupils the official
statistics publish. Invariant: no descriptor whose populations sum to more than 1.1 times that figure comes into force.
"""

from __future__ import annotations

from collections.abc import Iterable

from federation.descriptor import Descriptor, Member
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Log
from privacy.evaluator.settings import EvaluatorSettings

TENTHS = 11
"""Of the published figure, in tenths: pupils move between two counts, and independent schools count theirs too."""


def total(members: Iterable[Member]) -> int:
    """Pupils that the members have together, as the descriptor states it."""
    return sum(member.population for member in members)


def check_populations(descriptor: Descriptor, published_pupils: int | None) -> None:
    """Raises UppropError(POPULATION_IMPLAUSIBLE); where no figure is stated nothing is held against it."""
    if published_pupils is None:
        return
    stated = total(descriptor.members)
    if stated * 10 > published_pupils * TENTHS:
        raise UppropError(
            Code.POPULATION_IMPLAUSIBLE,
            f"The members of descriptor {descriptor.serial} have {stated} pupils together, and the country has "
            f"{published_pupils} (published_pupils): quotas would let more be asked for than there are. Do not accept "
            "it; ask the authority which population is wrong.",
        )


def open_descriptors(settings: EvaluatorSettings, log: Log | None = None) -> DescriptorStore:
    """The descriptor of an evaluator: what a registry brings is an offer, and populations are checked."""

    def check(descriptor: Descriptor) -> None:
        check_populations(descriptor, settings.published_pupils)

    return DescriptorStore.of(settings, log, takes_up=False, check=check)
