"""Whose the records of a roster are: numbers first, then the school system's ids.

Invariants
    - A pupil is known by canonical number, not by the school system's id: a new id with a known number is the same
      pupil. The id decides only where there is no sound number, and where a number is new.
    - A sound number is never lost to a broken row.
    - A number that is replaced by another makes the pupil `renumbered`, save samordningsnummer → personnummer.
    - The order of an export's records decides nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from privacy.identifiers import NumberKind, Sound


@dataclass(frozen=True, slots=True)
class Claim:
    """A record with its keyed indexes: `person` of its qualified id, `number_index` of a sound number.

    It is packed: a roster of a large city, unpacked, would not fit into the memory of a small machine.
    """

    system: str
    record_index: bytes
    person: bytes
    number: Sound | None
    number_index: bytes | None
    enrolled: bool
    packed: bytes

    def __repr__(self) -> str:
        return f"Claim(system={self.system})"


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil known before, as far as the question who is who needs it."""

    pupil_id: bytes
    number: Sound | None
    persons: tuple[bytes, ...]
    """Indexes of the ids it had in the newest rosters that showed it."""
    renumbered: bool = False


class NumberChange(enum.Enum):
    NONE = enum.auto()
    GAINED = enum.auto()
    """A first sound number, or the personnummer after a samordningsnummer."""
    REPLACED = enum.auto()


@dataclass(slots=True)
class Assignment:
    """The records of one pupil."""

    pupil_id: bytes
    new: bool
    claims: list[Claim] = field(default_factory=list)
    change: NumberChange = NumberChange.NONE

    @property
    def number(self) -> Sound | None:
        return next((claim.number for claim in self.claims if claim.number is not None), None)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Whose the records are. `merged`: a known pupil → the known pupil that it turned out to be."""

    assignments: tuple[Assignment, ...]
    merged: Mapping[bytes, bytes]


class Resolver:
    """Decides whose each record is, numbers first, then ids. One use per import.

    `by_number` and `by_person` name known pupils, and are written to; `known` tells of one of them what is asked in the
    few cases where numbers and ids do not agree.
    """

    def __init__(
        self,
        by_number: dict[bytes, bytes],
        by_person: dict[bytes, bytes],
        known: Callable[[bytes], Known],
        new_pupil_id: Callable[[], bytes],
    ) -> None:
        self._by_number = by_number
        self._by_person = by_person
        self._known = known
        self._new_pupil_id = new_pupil_id
        self._new_persons: set[bytes] = set()
        self._new_pupils: set[bytes] = set()
        self._assignments: dict[bytes, Assignment] = {}
        self._merged: dict[bytes, bytes] = {}

    def resolve(self, claims: Sequence[Claim]) -> Resolution:
        # Known numbers claim their pupils first: only then can it be told whether an id went to somebody else.
        # By number, because the order of an export's records means nothing.
        of_known: list[Claim] = []
        of_new: dict[bytes, list[Claim]] = {}
        for claim in sorted(claims, key=lambda claim: claim.number_index or b""):
            if claim.number_index in self._by_number:
                of_known.append(claim)
            elif claim.number_index is not None:
                of_new.setdefault(claim.number_index, []).append(claim)
        for claim in of_known:
            assert claim.number_index is not None
            self._assign(self._by_number[claim.number_index], claim)
        for number_index, group in of_new.items():
            self._new_number(number_index, group)
        for claim in claims:
            if claim.number_index is None:
                self._without_number(claim)
        for claim in of_known:
            self._merge_former(claim)
        return Resolution(tuple(self._assignments.values()), self._merged)

    def _assign(self, pupil_id: bytes, claim: Claim) -> Assignment:
        assignment = self._assignments.get(pupil_id)
        if assignment is None:
            assignment = self._assignments[pupil_id] = Assignment(pupil_id, pupil_id in self._new_pupils)
        assignment.claims.append(claim)
        # A record without a number that bears the same id is the same person's.
        if claim.person not in self._by_person:
            self._by_person[claim.person] = pupil_id
            self._new_persons.add(claim.person)
        return assignment

    def _former(self, claim: Claim) -> bytes | None:
        """The known pupil who had the id of the claim before."""
        return None if claim.person in self._new_persons else self._by_person.get(claim.person)

    def _new_pupil(self) -> bytes:
        pupil_id = self._new_pupil_id()
        self._new_pupils.add(pupil_id)
        return pupil_id

    def _new_number(self, number_index: bytes, group: Sequence[Claim]) -> None:
        """A sound number nobody had: a new pupil, a first number, an added one, or a replaced one."""
        number = group[0].number
        assert number is not None
        formers = {former for claim in group if (former := self._former(claim)) is not None}
        pupil_id, change = self._place(number, [self._known(former) for former in sorted(formers)])
        self._by_number[number_index] = pupil_id
        for claim in group:
            assignment = self._assign(pupil_id, claim)
            if change is not NumberChange.NONE:
                assignment.change = change

    def _place(self, number: Sound, formers: Sequence[Known]) -> tuple[bytes, NumberChange]:
        """Whose a new number is, given the known pupils whose ids its records bear; a replacement goes first."""
        replaced = False
        for former in formers:
            if former.number is None or _adds(former.number, number):
                continue
            claimed = self._assignments.get(former.pupil_id)
            if claimed is None:
                return former.pupil_id, NumberChange.REPLACED
            # Another record still shows the former number. If that record had the pupil before too, this is a
            # renumbering that reached one of two duplicates, or one of two school systems; else the school system gave
            # the id to another person. What the others say stands until they follow (`_merge_former`): one school
            # system alone does not make another's pupil a matter of the protected role.
            replaced = replaced or any(other.person in former.persons for other in claimed.claims)
        if replaced:
            return self._new_pupil(), NumberChange.REPLACED
        for former in formers:
            claimed = self._assignments.get(former.pupil_id)
            shown = {claim.number for claim in claimed.claims if claim.number} if claimed else set()
            if (former.number is None or _adds(former.number, number)) and shown <= {former.number}:
                return former.pupil_id, NumberChange.GAINED
        return self._new_pupil(), NumberChange.NONE

    def _without_number(self, claim: Claim) -> None:
        pupil_id = self._by_person.get(claim.person)
        if pupil_id is None:
            pupil_id = self._new_pupil()
        self._assign(pupil_id, claim)

    def _merge_former(self, claim: Claim) -> None:
        """The record's number is one pupil's and its id was another's: are they one?

        They are if the other had no number, or a samordningsnummer that this personnummer follows, or if the number is
        one that replaced another, which has now reached this record too; and if no other record claims the other.
        """
        former_id = self._former(claim)
        if former_id is None or claim.number is None or claim.number_index is None:
            return
        into = self._by_number[claim.number_index]
        taken = former_id == into or former_id in self._assignments or former_id in self._merged
        if taken or into in self._new_pupils:
            return
        former = self._known(former_id)
        if former.number is None or _adds(former.number, claim.number) or self._known(into).renumbered:
            self._merged[former_id] = into


def _adds(before: Sound, number: Sound) -> bool:
    return before.kind is NumberKind.SAMORDNINGSNUMMER and number.kind is NumberKind.PERSONNUMMER
