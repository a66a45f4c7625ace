"""What every case file begins with (design §5, Protected identity): pure, from the descriptor.

Step 0 comes before any contact with family, school or classmates, since a protected arrival may have answered nobody.
An independent operator has no say over the duty to attend: its cases go on with the municipality that has.
"""

from __future__ import annotations

from federation.descriptor import Descriptor
from federation.rules.vocabulary import MemberId
from node.explain.findings import Case, Finding, finding


def first_steps(descriptor: Descriptor, member: MemberId) -> tuple[Finding, ...]:
    """In the order in which they are to be taken."""
    steps = [finding(Case.STEP_POPULATION_REGISTER)]
    home = descriptor.member(member).home
    if home is not None:
        name = descriptor.member(home).name if descriptor.has_member(home) else ""
        steps.append(finding(Case.STEP_HOME_MUNICIPALITY, home=f"{name} ({home})" if name else home))
    return tuple(steps)
