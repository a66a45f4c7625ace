"""How long the rows of each table are kept, and why: stated beside the table, so that none is without a rule.

Invariant: no store is migrated to a schema that holds a table without a rule (`federation.migration.run`); what a rule
says is what the manual says (`docs/manual/retention.md` is made of them).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from federation.errors import Code, UppropError

if TYPE_CHECKING:
    from sqlalchemy import MetaData

RULE = "retention"
"""The key of a table's rule in `Table.info`."""


class By(enum.StrEnum):
    """Who takes the rows away."""

    WORKER = "the retention worker"
    WORK = "the work itself"
    """Whoever replaces, answers or ends what they are about."""
    NOBODY = "nobody"
    """They stay as long as the store: they tell of no pupil, or the law of the case file decides."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`until`: how long, after "Kept"; `why`: why so long and no longer. Sentences without their full stop."""

    until: str
    why: str
    by: By


def kept(until: str, why: str, by: By = By.WORKER) -> dict[str, Rule]:
    """What a table's `info` holds."""
    return {RULE: Rule(until, why, by)}


def rules(metadata: MetaData) -> dict[str, Rule]:
    """The rule of every table, by its name.

    Raises UppropError(RETENTION_UNSTATED) naming the tables that have none.
    """
    lacking = sorted(table.name for table in metadata.tables.values() if not isinstance(table.info.get(RULE), Rule))
    if lacking:
        raise UppropError(
            Code.RETENTION_UNSTATED,
            f"Nothing says how long rows are kept in: {', '.join(lacking)}. Nothing has been migrated. State it beside "
            "the table: info=kept(until, why).",
        )
    return {name: table.info[RULE] for name, table in sorted(metadata.tables.items())}


def as_table(metadata: MetaData) -> str:
    """The rules as a table of the manual, in Markdown."""
    lines = ["| Table | Rows are kept | Why | Taken away by |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {rule.until} | {rule.why} | {rule.by.value} |" for name, rule in rules(metadata).items()]
    return "\n".join(lines) + "\n"
