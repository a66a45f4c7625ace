"""What is shown of transactions and connections, on each kind of store."""

from __future__ import annotations

import math

import pytest
from prometheus_client import CollectorRegistry

from federation.database import Database
from federation.observability import Metrics


@pytest.fixture
def measured() -> Metrics:
    return Metrics(CollectorRegistry())


def test_connections_are_shown_as_they_are(database_url: str, measured: Metrics) -> None:
    database = Database(database_url, measured, pool_size=2)

    def shown(state: str) -> float | None:
        return measured.registry.get_sample_value("upprop_database_connections", {"state": state})

    with database.engine.connect(), database.engine.connect(), database.engine.connect():
        assert [shown(state) for state in ("in_use", "idle", "overflow")] == [3, 0, 1]
    assert [shown(state) for state in ("in_use", "idle", "overflow")] == [0, 2, 0]
    limit = measured.registry.get_sample_value("upprop_database_connections_limit")
    assert limit == (math.inf if database.is_sqlite else 4)
    database.ping()
    database.close()


def test_of_transactions_whose_number_would_tell_failures_alone_are_counted(
    database_url: str, measured: Metrics
) -> None:
    database = Database(database_url, measured, uncounted={"telling"})

    def counted(name: str, outcome: str) -> float | None:
        labels = {"name": name, "outcome": outcome}
        return measured.registry.get_sample_value("upprop_transactions_total", labels)

    for name in ("telling", "plain"):
        database.view(name, lambda tx: tx.exec_driver_sql("SELECT 1").all())
        with pytest.raises(ZeroDivisionError):
            database.view(name, lambda _tx: 1 / 0)
    assert (counted("plain", "committed"), counted("plain", "failed")) == (1, 1)
    assert (counted("telling", "committed"), counted("telling", "failed")) == (None, 1)
    times = "upprop_transaction_seconds_count"
    assert measured.registry.get_sample_value(times, {"name": "plain"}) == 2
    assert measured.registry.get_sample_value(times, {"name": "telling"}) is None
    database.close()
