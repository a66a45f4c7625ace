"""The scenario autumn-4 comes to the same truth whatever source the members' school systems deliver by."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from federation.demo.simulate import Outcome, Simulation, prepared
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2, enrolment_pb2
from tests.harness import autumn4, convert
from tests.harness.push_client import PushClient
from tests.harness.school_system import SchoolSystem


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


class FromApi(Simulation):
    """Every member's node fetches from a school system with an SS 12000 API, whose clock is the scenario's."""

    schools: ClassVar[dict[str, SchoolSystem]] = {}
    first: ClassVar = date(2026, 8, 24)

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        school = self.schools[member]
        morning = datetime.combine(self.today, time(6), UTC)
        school.set_clock(morning)
        if self.today > self.first:
            # Everyone is fetched once a week. What has changed since is fetched in the next hour.
            self._fetch(member, school)
        school.set_clock(morning + timedelta(minutes=30))
        school.serve(_persons(export))
        school.set_clock(morning + timedelta(hours=1))
        return self._fetch(member, school)

    def _fetch(self, member: MemberId, school: SchoolSystem) -> control_pb2.ImportReport:
        request = control_pb2.ImportRequest(
            source=control_pb2.SOURCE_SS12000_API, url=school.url, token_file=str(school.token_file)
        )
        report = self.import_from(member, request)
        # Whom a fetch of changes shows, and in which order, is between node and school system.
        del report.rejected[:], report.unlinkable[:]
        return report


class FromPush(Simulation):
    """Every member's school system pushes: its roster in the first week, then what has changed."""

    def take(self, member: MemberId, export: Path) -> control_pb2.ImportReport:
        put: dict[str, list[dict[str, Any]]] = self.__dict__.setdefault("put", {})
        persons, home = _persons(export), self.trial.home / self.trial.nodes[member]
        if member not in put:
            self._let_in(member, home)
        before = {person["id"]: person for person in put.get(member, ())}
        changed = [person for person in persons if person != before.pop(person["id"], None)]
        port = json.loads((home / "data" / "ports.json").read_bytes())["enrolment"]
        with PushClient(f"127.0.0.1:{port}", home / "client") as client:
            if member not in put:
                answers = client.put_roster(persons, self.today)
            else:
                answers = client.put(changed, self.today, deleted=list(before))
        put[member] = persons
        report = control_pb2.ImportReport(as_of=self.today.isoformat())
        for remark in (remark for answer in answers for remark in answer.remarks):
            if remark.kind == enrolment_pb2.REMARK_KIND_REJECTED:
                report.rejected.add(row=remark.person + 1, field=remark.field, why=remark.why)
        return _in_places_of(report, export, [person["id"] for person in changed])

    def _let_in(self, member: MemberId, home: Path) -> None:
        """Open the node's port for school systems, and give this one its credentials."""
        config = home / "config.toml"
        config.write_text(config.read_text() + 'enrolment_listen = "127.0.0.1:0"\n')
        self.restart(self.trial.nodes[member])
        command = ["node", "client", "add", "main", "--out", str(home / "client"), "--config", str(config)]
        subprocess.run([sys.executable, "-m", "federation.cli", *command], check=True, capture_output=True)


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


def _play(kind: type[Simulation], directory: Path) -> tuple[Outcome, dict[str, Any]]:
    truth = autumn4.write_out(directory)
    with prepared(directory, kind=kind) as simulation:
        outcome = simulation.play()
    assert simulation.remarks == []

    def order(case: dict[str, Any]) -> tuple[str, str]:
        return case["member"], case["person_id"]

    cases = [{**case, "state": str(case["state"])} for case in outcome.plain()["cases"]]
    assert sorted(cases, key=order) == sorted(truth["cases"], key=order)
    return outcome, truth


@pytest.mark.parametrize("kind", [FromCsv, FromOneRoster, FromOneRosterDeltas, FromPush])
def test_autumn_4_comes_to_the_same_truth(kind: type[Simulation], tmp_path: Path) -> None:
    outcome, truth = _play(kind, tmp_path / "scenario")
    assert outcome.rejected_rows == truth["rejected_numbers"]


def test_autumn_4_fetched_from_apis_comes_to_the_same_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.ExitStack() as stack:
        members = ("0180", "1280", "1480", "1980")
        schools = {member: stack.enter_context(SchoolSystem(tmp_path, max_limit=40)) for member in members}
        monkeypatch.setattr(FromApi, "schools", schools)
        _play(FromApi, tmp_path / "scenario")
        asked = [request["query"] for school in schools.values() for request in school.requests]
    assert sum("meta.modified.after" in query for query in asked) >= 13 * len(members)
