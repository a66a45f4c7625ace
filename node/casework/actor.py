"""Who works at the municipality: a person with a name and roles. Pure.

Roles say what a person may do; what a person may see follows from them and from the case file (`sees`). A command of
the machine's own terminal is run by whoever may read the record key: it acts under the name that is stated.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass


class Role(enum.StrEnum):
    """As an OpenID provider's groups are mapped to them (`[console.roles]`)."""

    CASEWORKER = "caseworker"
    """Works case files, holds, tasks and contacts; never those of protected identities."""
    PROTECTED = "protected-identity"
    """Works those of protected identities too, and takes step 0 of every case file."""
    PRINCIPAL = "principal"
    """Answers whether pupils were seen, asks to withdraw one, tells of a worry; sees the case files of it."""
    ADMINISTRATOR = "administrator"
    """Sets duty roster, routines, directory of help; sees the health of imports; no case file."""
    AUDITOR = "auditor"
    """Reads everything but protected identities, the log of views too, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One person at work. `person_id` is the OpenID subject (with its issuer), stable over name changes."""

    person_id: str
    name: str
    roles: frozenset[Role]

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


SYSTEM = Actor("upprop", "Upprop", frozenset())
"""Whose entries are the node's own."""


def sees(actor: Actor, *, protected: bool) -> bool:
    """Whether the actor may see that a case file exists at all, `protected` being whether it is that role's alone."""
    return actor.has(Role.PROTECTED) if protected else actor.reads_cases


def roles_of(groups: Collection[str], mapping: dict[str, str]) -> frozenset[Role]:
    """The roles that an OpenID provider's groups stand for; a group that is mapped to nothing gives none.

    `mapping`: group → role. Raises ValueError for a role that there is not.
    """
    return frozenset(Role(role) for group, role in mapping.items() if group in groups)
