"""Exports to import: synthetic persons, whose birth numbers are 980–999 alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

UNIT = "f1cfd992-16df-4486-87ad-ec26793d0e45"
OTHER_UNIT = "43000de0-1b2e-440e-93ad-dccb2c33be0a"


def check_digit(nine: str) -> str:
    """The Luhn digit of nine digits."""
    total = 0
    for position, digit in enumerate(nine):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value // 10 + value % 10
    return str(-total % 10)


def number(place: int, *, coordination: bool = False) -> str:
    """The `place`-th synthetic number: 12 digits, sound."""
    day, rest = divmod(place, 20)
    month, day = divmod(day, 28)
    year, month = divmod(month, 12)
    shown = day + 1 + (60 if coordination else 0)
    nine = f"{(2012 + year) % 100:02}{month + 1:02}{shown:02}{980 + rest}"
    return f"20{nine}{check_digit(nine)}"


def person_id(place: int) -> str:
    return f"00000000-0000-4000-8000-{place:012}"


def enrolment(start: str | None = "2025-08-18", end: str | None = None, **fields: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"enroledAt": {"id": UNIT}, "schoolType": "GR", "schoolYear": 4, "cancelled": False}
    if start is not None:
        row["startDate"] = start
    if end is not None:
        row["endDate"] = end
    return {**row, **fields}


def person(place: int, *rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The `place`-th person; without rows: enrolled since last August."""
    return {
        "id": person_id(place),
        "givenName": f"Förnamn{place}",
        "familyName": f"Efternamn{place}",
        "civicNo": {"value": number(place), "nationality": "SE"},
        "birthDate": "2015-01-01",
        "sex": "Kvinna",
        "securityMarking": "Ingen",
        "personStatus": "Aktiv",
        "enrolments": list(rows) or [enrolment()],
        **fields,
    }


def content(persons: list[Any], token: str | None = None) -> bytes:
    return json.dumps({"data": persons, "pageToken": token}, ensure_ascii=False).encode()


def write(directory: Path, as_of: date, persons: list[Any]) -> Path:
    path = directory / f"{as_of}.json"
    path.write_bytes(content(persons))
    return path
