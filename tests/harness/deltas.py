"""Turns a scenario whose exports hold everyone into one whose later exports hold what has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from federation.demo import scenario as scenarios


def turn(directory: Path) -> int:
    """Rewrite the scenario in `directory`; returns how many members had no change on some date, and have no file."""
    scenario = scenarios.read(directory)
    path = directory / "scenario.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**described, "exports": "delta"}), encoding="utf-8")
    without = 0
    for member in scenario.members:
        before: dict[str, Any] = {}
        for as_of in scenario.as_of:
            export = scenarios.export_path(directory, as_of, member.id)
            now = {person["id"]: person for person in json.loads(export.read_bytes())["data"]}
            if as_of != scenario.as_of[0]:
                changed = [person for person_id, person in now.items() if before.get(person_id) != person]
                gone = [person_id for person_id in before if person_id not in now]
                export.unlink()
                if changed or gone:
                    scenarios.write_export(directory, as_of, member.id, changed, gone)
                else:
                    without += 1
            before = now
    return without
