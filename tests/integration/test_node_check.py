"""A preview shows what the import and the sync after it then do, and leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from federation.v1 import control_pb2
from node.model import What
from tests.conftest import MakeFederation
from tests.integration.node_parties import Federation, Node, running
from tests.integration.test_node_cli import Upprop
from tests.unit.node.exports import OTHER_UNIT, UNIT, content, enrolment, number, person, person_id

STOCKHOLM, MALMO = "0180", "1280"
BASELINE, SHOWN = date(2026, 8, 24), date(2026, 9, 7)
LAST_DAY, SINCE, DUE = "2026-09-04", "2026-09-05", "2026-09-18"
PEOPLE = 30


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(), MALMO: roll(100)})
        parties.set_today(SHOWN)
        yield parties


@pytest.fixture
def node(federation: Federation) -> Node:
    return federation.nodes[STOCKHOLM]


def roll(first: int = 0, *changed: dict[str, Any]) -> list[dict[str, Any]]:
    ids = {each["id"] for each in changed}
    same = [person(place) for place in range(first, first + PEOPLE)]
    return [each for each in same if each["id"] not in ids] + list(changed)


def left(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY), **fields)


def check(node: Node, persons: list[dict[str, Any]], **asked: Any) -> control_pb2.CheckReport:
    """The report of a preview; asserts that it wrote nothing."""
    path = node.settings.data_dir / "preview.json"
    path.write_text(json.dumps({"data": persons, "pageToken": None}), encoding="utf-8")
    protected = asked.pop("protected", False)
    request = control_pb2.ImportRequest(path=str(path), as_of=node.clock.today().isoformat(), **asked)
    before = node.dump()
    *_, last = node.app.handlers["Check"](control_pb2.CheckRequest(request=request, protected=protected))
    assert node.dump() == before
    path.unlink()
    report: control_pb2.CheckReport = last.report
    return report


def people(lines: Any) -> list[str]:
    return [line.person_id for line in lines]


def gaps_after(node: Node) -> list[tuple[str, str]]:
    """(person, since) of what is stated, by what an explanation of each says."""
    found = []
    for place in range(PEOPLE):
        answer = node.app.handlers["Explain"](control_pb2.ExplainRequest(person=number(place)))
        found += [
            (answer.person_id, finding.texts["since"])
            for finding in answer.findings
            if (finding.section, finding.kind) == ("CASE", "WATCH")
        ]
    return sorted(found)


def test_a_preview_says_what_the_import_then_says(node: Node) -> None:
    new = person(50, enrolment("2026-09-07"))
    persons = roll(0, left(1), left(2), new)
    seen = check(node, persons)
    assert (seen.new_pupils, seen.report.changed, seen.report.vanished, seen.report.baseline) == (1, 3, 0, False)
    [one, two] = seen.gaps
    assert (one.person_id, one.number, one.effective_date, one.kind, one.urgency, one.due_on, one.route) == (
        person_id(1),
        number(1),
        SINCE,
        "LEFT",
        "NORMAL",
        DUE,
        "registry",
    )
    assert gaps_after(node) == []
    node.take(persons)
    node.sync()
    assert gaps_after(node) == [(one.person_id, SINCE), (two.person_id, SINCE)]
    # What has been said is not said again.
    assert not check(node, [*persons, person(51)]).gaps


def test_who_vanishes_is_listed_as_of_the_export(node: Node) -> None:
    seen = check(node, roll()[1:])
    assert [(line.person_id, line.effective_date) for line in seen.gaps] == [(person_id(0), SHOWN.isoformat())]
    assert seen.report.vanished == 1


def test_an_opening_that_the_import_takes_back_is_listed(federation: Federation, node: Node) -> None:
    federation.day(SHOWN, {STOCKHOLM: roll(0, left(1)), MALMO: roll(100)})
    federation.set_today(date(2026, 9, 8))
    seen = check(node, roll())
    assert people(seen.taken_back) == [person_id(1)]
    assert not seen.gaps


def test_an_end_of_duty_is_listed(federation: Federation, node: Node) -> None:
    emigrated = person(1, enrolment(end=LAST_DAY), personStatus="Utvandrad")
    node.take(roll(0, left(2)))
    node.sync()
    federation.set_today(date(2026, 9, 8))
    deceased = person(2, enrolment(end=LAST_DAY), personStatus="Avliden")
    seen = check(node, roll(0, emigrated, deceased))
    # Of a pupil who stayed since the baseline nothing is known elsewhere: the end of duty is told to nobody.
    assert [(line.person_id, line.effective_date) for line in seen.duty_ended] == [(person_id(2), SINCE)]
    assert not seen.gaps


def test_leavings_that_would_wait_are_listed_with_their_unit(node: Node) -> None:
    persons = [left(place) if place < 12 else person(place) for place in range(PEOPLE)]
    seen = check(node, persons)
    assert not seen.gaps
    assert people(seen.held) == [person_id(place) for place in range(12)]
    assert [(held.unit, held.pupils) for held in seen.report.held] == [(UNIT, 12)]
    node.take(persons)
    node.sync()
    # What waits is let through by a second import that confirms it, and so is it foreseen.
    confirmed = check(node, persons, confirm_leavings=True)
    assert people(confirmed.gaps) == [person_id(place) for place in range(12)]
    assert not confirmed.held


def test_numbers_that_cannot_be_used_are_remarked(node: Node) -> None:
    seen = check(node, roll(0, person(60, civicNo={"value": "20130101TF01"}), person(61, enrolment("18/8 2026"))))
    assert [(row.field) for row in seen.report.unlinkable] == ["civicNo"]
    assert [(row.field) for row in seen.report.rejected] == ["enrolments.startDate"]


def test_protected_pupils_are_neither_listed_nor_counted(node: Node) -> None:
    marked = "Sekretessmarkering"
    persons = [left(place, **({"securityMarking": marked} if place == 3 else {})) for place in range(12)]
    persons += [person(place) for place in range(12, PEOPLE)]
    seen = check(node, roll(0, left(1), left(2, securityMarking=marked), person(70, securityMarking=marked)))
    assert (people(seen.gaps), seen.new_pupils) == ([person_id(1)], 0)
    theirs = check(
        node, roll(0, left(1), left(2, securityMarking=marked), person(70, securityMarking=marked)), protected=True
    )
    assert (people(theirs.gaps), theirs.new_pupils) == ([person_id(1), person_id(2)], 1)
    assert [line.route for line in theirs.gaps] == ["registry", "protected"]
    # The number of those who wait is that of those listed: nobody is told of by a difference.
    waiting = check(node, persons)
    assert [held.pupils for held in waiting.report.held] == [len(waiting.held)] == [11]


def test_the_same_export_again_would_change_nothing(node: Node) -> None:
    node.take(roll(0, left(1)))
    node.sync()
    seen = check(node, roll(0, left(1)))
    assert seen.report.already_imported
    assert [*seen.gaps, *seen.held, *seen.taken_back, *seen.duty_ended] == []


def test_words_count_in_a_preview(node: Node) -> None:
    node.app.sayings.say(number(1), What.URGENT.value, said_by="Ada Berg")
    node.sync()
    [line] = check(node, roll(0, left(1))).gaps
    assert (line.urgency, line.due_on) == ("IMMEDIATE", SINCE)


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def upprop(make_federation: MakeFederation) -> Upprop:
    """A migrated node whose registry and evaluators do not answer."""
    node = Upprop(make_federation(STOCKHOLM, today=SHOWN).node(STOCKHOLM))
    node.ok("migrate")
    return node


def test_the_command_previews_in_both_languages_and_refuses_as_the_import_does(upprop: Upprop, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(content(roll()))
    first = upprop.ok("check", str(path), "--as-of", "2026-08-24", "--lang", "sv")
    assert "som första inläsning" in first
    assert f"{PEOPLE} nya elever" in first
    upprop.ok("import", str(path), "--as-of", "2026-08-24")
    path.write_bytes(content(roll(0, left(1))))
    swedish = upprop.ok("check", str(path), "--as-of", "2026-09-07", "--lang", "sv")
    assert "Skulle uppges sakna skolplacering: 1 elev" in swedish
    assert "varken med namn eller antal" in swedish
    assert "Förnamn1 Efternamn1" in swedish
    english = upprop.ok("check", str(path), "--as-of", "2026-09-07")
    assert "Would be said to be gaps: 1 pupil" in english
    assert upprop.json("check", str(path), "--as-of", "2026-09-07")["gaps"][0]["due_on"] == DUE
    assert upprop.json("cases", "--all")["cases"] == []
    path.write_bytes(content([person(place, enrolment(enroledAt={"id": OTHER_UNIT})) for place in range(5)]))
    refused, imported = (upprop(command, str(path), "--as-of", "2026-09-07") for command in ("check", "import"))
    assert refused == imported
    assert refused.returncode == 4
    assert "EXPORT_SHRUNK" in refused.stderr
    assert upprop("check", "--as-of", "2026-09-07").returncode == 2
