"""What other subjects put on the page of a case file: each part is a template with its own names.

A part is asked in the order of `PARTS`, in the transaction of the page, and left out where it gives None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.casework.files.showing import Shown
from node.console.contact import pages as contact
from node.console.holds import pages as holds
from node.console.journal import pages as journal
from node.console.lead import pages as lead
from node.console.routines import part as routines
from node.console.sources import part as sources
from node.console.visit import Visit
from node.store import Transaction


@dataclass(frozen=True, slots=True)
class Part:
    """`name` is the fragment's id on the page; `template` is included with `values(…)` as `part`."""

    name: str
    template: str
    values: Callable[[Visit, Transaction, Shown], Mapping[str, Any] | None]


PARTS: Sequence[Part] = (
    Part("checklist", "routines/case_part.html", routines.case_part),
    Part("hold", "holds/part.html", holds.part),
    Part("contact", "contact/case_part.html", contact.case_part),
    Part("lead", "lead/part.html", lead.part),
    Part("tasks", "sources/part.html", sources.part),
    Part("journal", "journal/part.html", journal.part),
)
"""Checklist, journal, lead, contact, hold: added by their subjects."""
