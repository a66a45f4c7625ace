"""The tables in docs/manual/retention.md, made of the rules that stand beside the tables of the stores.

`python -m tests.harness.retention_manual` writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import MetaData

from federation.retention import as_table
from node.store.whole import metadata as of_node
from privacy.evaluator.store.schema_witness import metadata as of_evaluator
from registry.store.whole import metadata as of_registry

MANUAL = Path(__file__).parents[2] / "docs" / "manual" / "retention.md"
ROLES: dict[str, MetaData] = {"registry": of_registry, "node": of_node, "evaluator": of_evaluator}


def with_tables(text: str) -> str:
    """The manual with the tables as they are now."""
    for role, metadata in ROLES.items():
        begin, end = f"<!-- {role}: made of the schema -->", f"<!-- {role}: end -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        assert found, role
        text = f"{before}{begin}\n\n{as_table(metadata)}\n{end}{after}"
    return text


if __name__ == "__main__":
    MANUAL.write_text(with_tables(MANUAL.read_text(encoding="utf-8")), encoding="utf-8")
