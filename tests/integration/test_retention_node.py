"""What a node takes back of a pupil who is a child no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.rules.vocabulary import GapState
from registry.store import schema
from tests.integration.node_parties import Federation, NodeStores, running
from tests.integration.test_node_sync import BASELINE, DUE, LEFT_SHOWN, MALMO, STOCKHOLM, left, roll, without

GROWN = date(2034, 1, 1)
"""18 years and 12 months after the date of birth in the export, which is later than that in the number."""


@pytest.fixture
def federation(tmp_path: Path, node_stores: NodeStores) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE, stores=node_stores) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100)})
        yield parties


def test_an_unanswered_gap_is_taken_back_at_eighteen_years_and_twelve_months(federation: Federation) -> None:
    node = federation.nodes[STOCKHOLM]
    federation.day(LEFT_SHOWN, {STOCKHOLM: without(roll(0), left(0)), MALMO: roll(100)})
    federation.day(DUE, {})
    assert [gap.state for gap in node.gaps()] == [GapState.OPEN]
    federation.day(GROWN - timedelta(days=1), {})
    assert [gap.state for gap in node.gaps()] == [GapState.OPEN]
    federation.day(GROWN, {})
    [gap] = node.gaps()
    assert (gap.state, gap.state_since) == (GapState.VOID, GROWN)
    with federation.registry_app.database.read("test") as tx:
        [signal] = tx.execute(sa.select(schema.signals)).all()
        assert signal.retracted
        assert tx.execute(sa.select(schema.pseudonyms)).all() == []
    # And it stays so.
    federation.day(GROWN + timedelta(days=7), {})
    assert [gap.state for gap in node.gaps()] == [GapState.VOID]
    with federation.registry_app.database.read("test") as tx:
        assert tx.execute(sa.select(schema.signals.c.version)).scalar_one() == signal.version
