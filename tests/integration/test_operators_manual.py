"""What an operator is shown is what the manual says, named as the ecosystem names it; nothing else is logged."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tests.harness.operators_manual import (
    LOGS,
    METRICS,
    Series,
    by_role,
    event_table,
    events,
    metrics_tables,
    with_tables,
)

WRITE = "run: python -m tests.harness.operators_manual"
UNITS = ("seconds", "bytes", "ratio", "days")
COUNTED = re.compile(r"count|number|total|gaps?|cases?|notices?|signals|pupils?|children|persons?|rows?|handles?")


@pytest.fixture(scope="module")
def roles() -> Mapping[str, set[Series]]:
    return by_role()


def test_the_manual_lists_the_metrics_that_there_are(roles: Mapping[str, set[Series]]) -> None:
    text = METRICS.read_text(encoding="utf-8")
    assert with_tables(text, metrics_tables(roles)) == text, WRITE


def test_the_manual_lists_the_events_that_there_are() -> None:
    text = LOGS.read_text(encoding="utf-8")
    assert with_tables(text, {"events": event_table()}) == text, WRITE


def test_no_event_has_a_field_that_nobody_looked_at() -> None:
    fields, _, _ = LOGS.read_text(encoding="utf-8").partition("## Events")
    looked_at = set(re.findall(r"^\| `(\w+)` \|", fields, re.MULTILINE))
    declared = {field for event in events() for field in event.fields}
    assert declared == looked_at, "say in the table of fields what it holds, or take it out there"
    assert not {field for field in declared if COUNTED.fullmatch(field)}


def test_names_follow_the_conventions(roles: Mapping[str, set[Series]]) -> None:
    names = [each.name for series in roles.values() for each in series]
    assert len(names) == len(set(names))
    for each in (each for series in roles.values() for each in series):
        assert re.fullmatch(r"(upprop|grpc_server|grpc_client)_[a-z0-9_]+", each.name), each
        assert each.name.endswith("_total") == (each.type == "counter"), each
        assert each.type != "histogram" or each.name.endswith("_seconds"), each
        assert "timestamp" not in each.name or each.name.endswith("_timestamp_seconds"), each
        # A unit stands at the end, and is a base unit.
        assert not re.search(r"(milliseconds|minutes|hours|percent|kilobytes|megabytes)", each.name), each
        assert all(unit == each.name.rpartition("_")[2] for unit in UNITS if f"_{unit}_" in f"{each.name}_"), each
        assert len(each.documentation) > 15, each
        assert each.documentation.endswith("."), each


def test_labels_name_no_school_pupil_or_case(roles: Mapping[str, set[Series]]) -> None:
    labels = {label: each.name for series in roles.values() for each in series for label in each.labels}
    assert labels.keys() <= {
        *("grpc_type", "grpc_service", "grpc_method", "grpc_code"),
        *("version", "python", "name", "outcome", "worker", "state"),
        *("disposition", "member", "span", "epoch", "table", "year", "role"),
        *("system", "evaluator", "face", "status"),
    }
