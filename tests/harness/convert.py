"""Exports in the shape of SS 12000 turned into what other sources deliver, by the manual's tables."""

from __future__ import annotations

import csv
import io
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

MODIFIED = "2026-08-24T06:00:00.000Z"
_NAMESPACE = uuid.UUID("6f1c2c7e-0c55-4d0e-9a0a-4b5a2f2f1d10")
_SEX = {"Kvinna": "female", "Man": "male"}
Table = list[dict[str, str]]

FILES_OF_ONEROSTER = (
    *("academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics"),
    *("enrollments", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales", "orgs", "resources"),
    *("resultLearningObjectiveIds", "results", "resultScoreScales", "roles", "scoreScales", "userProfiles"),
    *("userResources", "users"),
)


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ",", columns: Sequence[str] = ()) -> str:
    text = io.StringIO(newline="")
    present = columns or list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, present, delimiter=delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# -- OneRoster --------------------------------------------------------------------------------------------------------


def oneroster_tables(persons: Iterable[dict[str, Any]]) -> dict[str, Table]:
    """The rows of a whole delivery."""
    tables: dict[str, Table] = {"users": [], "roles": [], "demographics": []}
    units: set[str] = set()
    for person in persons:
        enrolments = person["enrolments"]
        units |= {row["enroledAt"]["id"] for row in enrolments}
        tables["users"].append(_user(person))
        tables["roles"] += [_role(person["id"], row) for row in enrolments]
        tables["demographics"].append(
            {**_base(person["id"]), "birthDate": person["birthDate"], "sex": _SEX.get(person["sex"], "unspecified")}
        )
    tables["orgs"] = [
        {**_base(unit), "name": f"Skola {place}", "type": "school", "identifier": "", "parentSourcedId": ""}
        for place, unit in enumerate(sorted(units))
    ]
    return tables


def write_oneroster(path: Path, tables: Mapping[str, Table], modes: Mapping[str, str] | None = None) -> None:
    """A zip file: bulk, or in the modes given."""
    stated = modes or dict.fromkeys(tables, "bulk")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", manifest(stated))
        for name, rows in tables.items():
            archive.writestr(f"{name}.csv", as_csv(rows, columns=COLUMNS.get(name, ())))


def manifest(modes: Mapping[str, str]) -> str:
    stated = {"manifest.version": "1.0", "oneroster.version": "1.2"}
    stated |= {f"file.{name}": modes.get(name, "absent") for name in FILES_OF_ONEROSTER}
    return as_csv([{"propertyName": name, "value": value} for name, value in stated.items()])


def delta_tables(before: Mapping[str, Table], after: Mapping[str, Table], when: str) -> dict[str, Table]:
    """The rows that differ: new and changed ones active, those that are no more tobedeleted."""
    delta: dict[str, Table] = {}
    for name in ("orgs", "users", "roles", "demographics"):
        old = {row["sourcedId"]: row for row in before[name]}
        new = {row["sourcedId"]: row for row in after[name]}
        changed = [{**row, "status": "active"} for key, row in new.items() if old.get(key) != row]
        changed += [{**row, "status": "tobedeleted"} for key, row in old.items() if key not in new]
        delta[name] = [{**row, "dateLastModified": when} for row in changed]
    return delta


def _base(sourced_id: str) -> dict[str, str]:
    return {"sourcedId": sourced_id, "status": "", "dateLastModified": ""}


def _user(person: dict[str, Any]) -> dict[str, str]:
    years = [str(row["schoolYear"]) for row in person["enrolments"]]
    return {
        **_base(person["id"]),
        "enabledUser": "true",
        "username": "",
        "userIds": f"{{Fed:{person['id'][:8]}}},{{civicNo:{person['civicNo']['value']}}}",
        "givenName": person.get("givenName", "Förnamn"),
        "familyName": person.get("familyName", "Efternamn, med komma"),
        "grades": years[-1] if years else "",
        "metadata.securityMarking": person["securityMarking"],
        "metadata.personStatus": person["personStatus"],
    }


def _role(user: str, row: dict[str, Any]) -> dict[str, str]:
    unit, start, end = row["enroledAt"]["id"], row.get("startDate", ""), row.get("endDate", "")
    role_id = uuid.uuid5(_NAMESPACE, f"{user} {unit} {row['schoolType']} {start}")
    return {
        **_base(str(role_id)),
        "userSourcedId": user,
        "roleType": "primary",
        "role": "student",
        "beginDate": start,
        # An end that is not included: of what never came to be, the beginning.
        "endDate": start if row["cancelled"] else _day_after(end),
        "orgSourcedId": unit,
        "metadata.schoolType": row["schoolType"],
    }


def _day_after(text: str) -> str:
    return str(date.fromisoformat(text) + timedelta(days=1)) if text else ""


_EMPTY: dict[str, Any] = {
    "id": "",
    "civicNo": {"value": ""},
    "securityMarking": "",
    "personStatus": "",
    "enrolments": [],
}
COLUMNS = {
    "orgs": ["sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"],
    "users": list(_user(_EMPTY)),
    "roles": list(_role("", {"enroledAt": {"id": ""}, "schoolType": "", "cancelled": False})),
    "demographics": ["sourcedId", "status", "dateLastModified", "birthDate", "sex"],
}


# -- plain CSV --------------------------------------------------------------------------------------------------------


def plain_rows(persons: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """A row for each enrolment, and one for a person who has none."""
    return [
        {
            "person_id": person["id"],
            "personnummer": person["civicNo"]["value"],
            "förnamn": person.get("givenName", "Förnamn"),
            "efternamn": person.get("familyName", "Efternamn"),
            "födelsedatum": person["birthDate"],
            "kön": person["sex"],
            "skolenhet": row["enroledAt"]["id"] if row else "",
            "skolform": row["schoolType"] if row else "",
            "årskurs": str(row["schoolYear"]) if row else "",
            "startdatum": row.get("startDate", ""),
            "slutdatum": row.get("endDate", ""),
            "inställd": "ja" if row.get("cancelled") else "",
            "skyddad": person["securityMarking"],
            "status": person["personStatus"],
        }
        for person in persons
        for row in (person["enrolments"] or [{}])
    ]


def write_plain(
    path: Path, rows: Sequence[Mapping[str, str]], encoding: str = "utf-8-sig", delimiter: str = ";"
) -> None:
    path.write_text(as_csv(rows, delimiter), encoding=encoding, newline="")
