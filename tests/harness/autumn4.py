"""The scenario autumn-4, kept as what changes from one export to the next; written out whole for a simulation."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from federation.demo.scenario import write_export

SOURCE = Path(__file__).parent.parent / "simulation" / "data" / "autumn-4.json"
CASE_FIELDS = ("member", "person_id", "effective_date", "route", "opened_on", "state", "state_since")


def write_out(directory: Path) -> dict[str, Any]:
    """Write scenario.json, truth.json and the exports; returns the truth."""
    source = json.loads(SOURCE.read_text(encoding="utf-8"))
    scenario = source["scenario"]
    truth = {
        **source["truth"],
        "cases": [dict(zip(CASE_FIELDS, case, strict=True)) for case in source["truth"]["cases"]],
    }
    directory.mkdir(parents=True)
    (directory / "scenario.json").write_text(json.dumps(scenario), encoding="utf-8")
    (directory / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    for index, as_of in enumerate(scenario["as_of"]):
        for member in scenario["members"]:
            persons = [
                _person(person, shown, source["units"])
                for person in source["people"]
                if person[0] == member["id"] and (shown := _shown(person, index)) is not None
            ]
            write_export(directory, date.fromisoformat(as_of), member["id"], persons)
    return truth


def _shown(person: list[Any], index: int) -> list[Any] | None:
    """What the export of date `index` shows of a person; the last entry of the list with a date index up to it."""
    shown = None
    for since, entry in person[4]:
        if since <= index:
            shown = entry
    return shown


def _person(person: list[Any], shown: list[Any], units: list[str]) -> dict[str, Any]:
    _, person_id, birth_date, sex, _ = person
    number, marking, status, rows = shown
    return {
        "id": person_id,
        "civicNo": {"value": number, "nationality": "SE"},
        "birthDate": birth_date,
        "sex": sex,
        "securityMarking": marking,
        "personStatus": status,
        "enrolments": [_enrolment(*row, units=units) for row in rows],
    }


def _enrolment(
    unit: int, form: str, start: str, end: str | None, year: int, cancelled: bool, *, units: list[str]
) -> dict[str, Any]:
    enrolment = {
        "enroledAt": {"id": units[unit]},
        "schoolType": form,
        "startDate": start,
        "schoolYear": year,
        "cancelled": cancelled,
    }
    return enrolment if end is None else {**enrolment, "endDate": end}
