"""Finding the pupil whom somebody names by a national number or by a school system's id."""

from __future__ import annotations

from datetime import date

from node.records.person import qualified
from node.store import Transaction
from node.store.imports import Imports
from node.store.pupils import Pupils
from privacy.identifiers import Sound, parse


def find_person(tx: Transaction, person: str, today: date, pupils: Pupils, imports: Imports) -> bytes | None:
    """The pupil_id; None where nobody is known by it, or several are by the id of several school systems."""
    parsed = parse(person, today)
    if isinstance(parsed, Sound):
        index = pupils.number_index(parsed)
        found = pupils.by_numbers(tx, [index]).get(index)
        if found is not None:
            return found
    name = person.strip()
    spelt = {name, *(qualified(system, name) for system in imports.newest_of_each(tx))}
    by_index = pupils.by_person_ids(tx, [pupils.person_index(each) for each in sorted(spelt)])
    known = set(by_index.values())
    return known.pop() if len(known) == 1 else None
