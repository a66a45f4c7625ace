"""What copies of the evaluator's store need to know of it; how they are made and read: `federation.copying`."""

from __future__ import annotations

from federation.copying import Kind
from privacy.evaluator.store.schema import destroyed_shares, requests, usage
from privacy.evaluator.store.schema_witness import metadata, witnessed

EVALUATOR = Kind(
    role="evaluator",
    package="privacy.evaluator.store",
    metadata=metadata,
    marks=frozenset({"usage", "requests"}),
    content=(usage, requests, destroyed_shares, witnessed),
)
