"""Every table says how long its rows are kept, or it does not come into being."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from federation import retention
from federation.database import Database
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.retention import By, kept
from registry.retention.sweeps import SWEEPS
from registry.store.schema import metadata as of_registry
from tests.harness.retention_manual import MANUAL, ROLES, with_tables

SWEPT = {
    "statistics": {"statistics_cases"},
    "handles": {
        "signals",
        "pseudonyms",
        "gaps",
        "confirmations",
        "case_statements",
        "ledger_batches",
        "ledger_signals",
        "ledger_entries",
    },
    "cases": {"cases", "case_names"},
    "notices": {"notices"},
    "batches": {"batches"},
    "closes": {"closes"},
    "contacts": {"contact_requests", "contacts"},
}
"""The tables of the registry that each step of retention takes rows from."""


@pytest.mark.parametrize("role", ROLES)
def test_every_table_has_a_rule(role: str) -> None:
    for name, rule in retention.rules(ROLES[role]).items():
        assert rule.until, name
        assert rule.why, name
        assert not (rule.until + rule.why).endswith("."), name


def test_a_table_without_a_rule_fails_the_migration(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    unruled = sa.MetaData()
    sa.Table("ruled", unruled, sa.Column("a", sa.Integer), info=kept("a day", "a reason", By.WORK))
    sa.Table("forgotten", unruled, sa.Column("a", sa.Integer))
    monkeypatch.setattr("registry.store.whole.metadata", unruled)
    with pytest.raises(UppropError) as refused:
        migrate(database, "registry.store")
    assert refused.value.code is Code.RETENTION_UNSTATED
    assert "forgotten" in refused.value.sentence
    assert "ruled," not in refused.value.sentence
    with database.read("test") as tx:
        assert sa.inspect(tx).get_table_names() == []


def test_the_worker_takes_from_those_tables_whose_rule_names_it_and_from_no_other() -> None:
    assert set(SWEPT) == set(SWEEPS)
    named = {name for name, rule in retention.rules(of_registry).items() if rule.by is By.WORKER}
    assert named == set().union(*SWEPT.values())


def test_the_manual_holds_the_rules() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run: python -m tests.harness.retention_manual"
