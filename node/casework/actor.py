"""Who works at the municipality: a person with a name and roles. Pure.

Roles say what a person may do; what a person may see follows from them and from the case file (`sees`). A command of
the machine's own terminal is run by whoever may read the record key: it acts under the name that is stated.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass, field


class Role(enum.StrEnum):
    """As an OpenID provider's groups are mapped to them (`[console.roles]`)."""

    CASEWORKER = "caseworker"
    """Works case files, holds, tasks and contacts; never those of protected identities."""
    PROTECTED = "protected-identity"
    """Works those of protected identities too, and takes step 0 of every case file."""
    PRINCIPAL = "principal"
    """Answers whether pupils were seen, asks to withdraw one, tells of a worry: of pupils of their own school units
    alone, and of none without a unit. No case file."""
    ADMINISTRATOR = "administrator"
    """Sets duty roster, routines, directory of help; sees the health of imports; no case file."""
    AUDITOR = "auditor"
    """Reads everything but protected identities, the log of views too, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One person at work. `person_id` is the OpenID subject (with its issuer), stable over name changes.

    `units`: the school units of a principal, by the ids of the school system.
    """

    person_id: str
    name: str
    roles: frozenset[Role]
    units: frozenset[str] = field(default=frozenset(), repr=False)

    def __repr__(self) -> str:
        return f"Actor(roles={sorted(self.roles)})"

    def has(self, *roles: Role) -> bool:
        """Whether the actor has one of them."""
        return not self.roles.isdisjoint(roles)

    @property
    def works_cases(self) -> bool:
        return self.has(Role.CASEWORKER, Role.PROTECTED)

    @property
    def reads_cases(self) -> bool:
        return self.works_cases or self.has(Role.AUDITOR)

    @property
    def by_units(self) -> bool:
        """Whether the actor knows pupils of their own school units alone, and no case file."""
        return self.has(Role.PRINCIPAL) and not self.reads_cases

    @property
    def lacks_units(self) -> bool:
        """Whether the actor may know of no pupil at all because no unit is known of them."""
        return self.by_units and not self.units


SYSTEM = Actor("upprop", "Upprop", frozenset())
"""Whose entries are the node's own."""


def sees(actor: Actor, *, protected: bool) -> bool:
    """Whether the actor may see that a case file exists at all, `protected` being whether it is that role's alone."""
    return actor.has(Role.PROTECTED) if protected else actor.reads_cases


def knows(actor: Actor, units: Collection[str], *, protected: bool) -> bool:
    """Whether the actor may know of a pupil outside of case files: in tasks and holds.

    `units`: the pupil's school units (`node.casework.school_units`); a pupil of none is no principal's.
    """
    return sees(actor, protected=protected) or (not protected and of_own_units(actor, units))


def of_own_units(actor: Actor, units: Collection[str]) -> bool:
    """Whether a pupil of these units, or such a unit, is a principal's own."""
    return actor.has(Role.PRINCIPAL) and not actor.units.isdisjoint(units)


def roles_of(groups: Collection[str], mapping: dict[str, str]) -> frozenset[Role]:
    """The roles that an OpenID provider's groups stand for; a group that is mapped to nothing gives none.

    `mapping`: group → role. Raises ValueError for a role that there is not.
    """
    return frozenset(Role(role) for group, role in mapping.items() if group in groups)


def units_of(told: Collection[str], mapping: dict[str, str]) -> frozenset[str]:
    """The school units that an OpenID provider's values stand for: `mapping`'s, else the value is the id itself."""
    return frozenset(mapping.get(each, each) for each in told if each)
