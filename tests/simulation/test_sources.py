"""The scenario autumn-4 comes to the same truth whatever source the members' school systems deliver by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from federation.demo.simulate import Simulation, prepared
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2
from tests.harness import autumn4, convert


class FromCsv(Simulation):
    """Every member's export comes as a plain CSV as Swedish spreadsheets write it, rows of a pupil wherever."""

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        rows = convert.plain_rows(_persons(export))
        rows = rows[::2] + rows[1::2]
        path = export.with_suffix(".csv")
        convert.write_plain(path, rows, encoding="cp1252")
        report = self.import_from(member, _request(path, control_pb2.SOURCE_CSV))
        return _in_places_of(report, export, [row["person_id"] for row in rows])


class FromOneRoster(Simulation):
    """Every member's export comes as a zip of OneRoster files, bulk."""

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        tables = convert.oneroster_tables(_persons(export))
        return self.take_tables(member, export, tables, "bulk")

    def take_tables(
        self, member: MemberId, export: Path, tables: dict[str, convert.Table], mode: str
    ) -> control_pb2.ImportReport:
        path = export.with_suffix(".zip")
        convert.write_oneroster(path, tables, dict.fromkeys(tables, mode))
        report = self.import_from(member, _request(path, control_pb2.SOURCE_ONEROSTER))
        return _in_places_of(report, export, [row["sourcedId"] for row in tables["users"]])


class FromOneRosterDeltas(FromOneRoster):
    """After the first week only what has changed is delivered."""

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        delivered: dict[str, dict[str, convert.Table]] = self.__dict__.setdefault("delivered", {})
        before, after = delivered.get(member), convert.oneroster_tables(_persons(export))
        if before is None:
            report = self.take_tables(member, export, after, "bulk")
        else:
            delta = convert.delta_tables(before, after, f"{self.today}T06:00:00.000Z")
            report = self.take_tables(member, export, delta, "delta")
        delivered[member] = after
        return report


def _persons(export: Path) -> list[dict[str, Any]]:
    persons: list[dict[str, Any]] = json.loads(export.read_bytes())["data"]
    return persons


def _request(path: Path, source: control_pb2.Source.ValueType) -> control_pb2.ImportRequest:
    return control_pb2.ImportRequest(path=str(path), source=source)


def _in_places_of(report: control_pb2.ImportReport, export: Path, person_ids: list[str]) -> control_pb2.ImportReport:
    """Rows of what was delivered, whose header is row 1, as places of their persons in the export, from 1."""
    places = {person["id"]: place for place, person in enumerate(_persons(export), start=1)}
    for remark in (*report.rejected, *report.unlinkable):
        if remark.row:
            remark.row = places.get(person_ids[remark.row - 2], 0)
    return report


@pytest.mark.parametrize("kind", [FromCsv, FromOneRoster, FromOneRosterDeltas])
def test_autumn_4_comes_to_the_same_truth(kind: type[Simulation], tmp_path: Path) -> None:
    truth = autumn4.write_out(tmp_path / "scenario")
    with prepared(tmp_path / "scenario", kind=kind) as simulation:
        outcome = simulation.play()
    assert simulation.remarks == []
    cases = [{**case, "state": str(case["state"])} for case in outcome.plain()["cases"]]

    def order(case: dict[str, Any]) -> tuple[str, str]:
        return case["member"], case["person_id"]

    assert sorted(cases, key=order) == sorted(truth["cases"], key=order)
    assert outcome.rejected_rows == truth["rejected_numbers"]
