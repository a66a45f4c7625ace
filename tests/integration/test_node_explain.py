"""Why a pupil is, or is not, a gap: asked of nodes that speak to a real registry, and by the command itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from federation.descriptor import parse_file
from federation.rules.vocabulary import Policy
from federation.v1 import control_pb2
from node.client import Answer, as_findings
from node.printing import sentence
from node.wording import Language, words_in
from tests.conftest import MakeFederation
from tests.integration.node_parties import Federation, Node, running
from tests.integration.test_node_cli import Upprop, serving
from tests.unit.node.exports import UNIT, content, enrolment, number, person, person_id

STOCKHOLM, MALMO, OPERATOR = "0180", "1280", "1280-5561234567"
BASELINE, SHOWN = date(2026, 8, 24), date(2026, 9, 7)
LAST_DAY, SINCE, DUE = "2026-09-04", "2026-09-05", date(2026, 9, 18)
PEOPLE = 12


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [STOCKHOLM, MALMO, OPERATOR], BASELINE) as parties:
        parties.day(BASELINE, {STOCKHOLM: roll(0), MALMO: roll(100), OPERATOR: roll(200)})
        yield parties


def roll(first: int, *changed: dict[str, Any]) -> list[dict[str, Any]]:
    """A member's pupils, those changed in place of themselves."""
    ids = {each["id"] for each in changed}
    same = [person(place) for place in range(first, first + PEOPLE)]
    return [each for each in same if each["id"] not in ids] + list(changed)


def left(place: int, **fields: Any) -> dict[str, Any]:
    return person(place, enrolment(end=LAST_DAY), **fields)


def explained(node: Node, place: int) -> dict[str, list[Answer]]:
    """The findings by section."""
    answer = node.app.handlers["Explain"](control_pb2.ExplainRequest(person=number(place)))
    found: dict[str, list[Answer]] = {}
    for finding in as_findings(answer.findings):
        found.setdefault(finding["section"], []).append(finding)
        for language in Language:
            assert sentence(finding, words_in(language))
    return found


def kinds(found: dict[str, list[Answer]], section: str) -> list[str]:
    return [finding["kind"] for finding in found.get(section, [])]


def test_from_the_watch_to_the_answer_and_never_where(federation: Federation) -> None:
    stockholm = federation.nodes[STOCKHOLM]
    federation.set_today(SHOWN)
    stockholm.take(roll(0, left(1)))
    before = explained(stockholm, 1)
    assert (kinds(before, "ANSWER"), kinds(before, "WHY")) == (["GAP"], ["LEFT_ENDED"])
    assert (kinds(before, "CASE"), kinds(before, "NEXT"), kinds(before, "SENT")) == (
        ["NOT_MADE"],
        ["SYNC"],
        ["NOTHING_YET"],
    )
    federation.day(SHOWN, {MALMO: roll(100, person(1, enrolment("2026-09-07")))})
    watched = explained(stockholm, 1)
    [case] = watched["CASE"]
    assert case == {
        "section": "CASE",
        "kind": "WATCH",
        "parameters": {"since": SINCE, "due_on": DUE.isoformat(), "school_days": 9},
    }
    assert (kinds(watched, "SENT"), kinds(watched, "NEXT")) == (["ACKNOWLEDGED"], ["DUE"])
    # Before the due day nothing is told, though another member has the pupil.
    assert kinds(watched, "HEARD") == ["NOTHING"]
    federation.day(DUE, {})
    answered = explained(stockholm, 1)
    assert (kinds(answered, "CASE"), kinds(answered, "HEARD")) == (["ANSWERED"], ["ANSWERED"])
    everything = repr(answered) + " ".join(
        sentence(finding, words_in(language))
        for language in Language
        for section in answered.values()
        for finding in section
    )
    assert MALMO not in everything
    # The other member sees its own pupil, and nothing of the gap.
    assert kinds(explained(federation.nodes[MALMO], 1), "WHY") == ["IN_FORCE"]


def test_a_gap_that_nobody_answers_is_opened_by_notice(federation: Federation) -> None:
    federation.day(SHOWN, {STOCKHOLM: roll(0, left(1)), MALMO: roll(100), OPERATOR: roll(200)})
    federation.day(DUE, {STOCKHOLM: roll(0, left(1)), MALMO: roll(100), OPERATOR: roll(200)})
    found = explained(federation.nodes[STOCKHOLM], 1)
    assert kinds(found, "HEARD") == ["OPENED", "LEAD"]
    assert kinds(found, "CASE") == ["OPEN", "LEADS", "STEP_POPULATION_REGISTER"]
    assert found["CASE"][0]["parameters"]["opened_by"] == "notice"
    assert kinds(found, "NEXT") == ["NOTHING"]


def test_a_registry_that_cannot_be_reached_is_named_as_what_opened_the_case(federation: Federation) -> None:
    federation.day(SHOWN, {STOCKHOLM: roll(0, left(1))})
    federation.registry.stop()
    stockholm = federation.nodes[STOCKHOLM]
    federation.set_today(DUE)
    stockholm.sync()
    assert kinds(explained(stockholm, 1), "CASE") == ["OVERDUE"]
    federation.set_today(date(2026, 9, 21))
    stockholm.sync()
    found = explained(stockholm, 1)
    assert found["CASE"][0]["parameters"]["opened_by"] == "silent registry"
    assert kinds(found, "HEARD") == ["NOTHING", "UNREACHED"]


def test_an_operators_case_begins_by_telling_the_home_municipality(federation: Federation) -> None:
    members = parse_file(federation.every_epoch).members
    named = [msgspec.structs.replace(each, name="Malmö stad") if each.id == MALMO else each for each in members]
    federation.publish(2, members=named)
    operator, malmo = federation.nodes[OPERATOR], federation.nodes[MALMO]
    gone = {MALMO: roll(100, left(101)), OPERATOR: roll(200, left(201)), STOCKHOLM: roll(0)}
    federation.day(SHOWN, gone)
    federation.day(DUE, gone)
    found = explained(operator, 201)
    assert kinds(found, "CASE") == ["OPEN", "LEADS", "STEP_POPULATION_REGISTER", "STEP_HOME_MUNICIPALITY"]
    assert found["CASE"][-1]["parameters"] == {"home": "Malmö stad (1280)"}
    listed = operator.app.handlers["ListCases"](control_pb2.ListCasesRequest())
    assert [as_findings(line.first_steps) for line in listed.cases] == [found["CASE"][2:]]
    # A municipality answers for the duty to attend itself.
    assert kinds(explained(malmo, 101), "CASE") == ["OPEN", "LEADS", "STEP_POPULATION_REGISTER"]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def upprop(make_federation: MakeFederation) -> Upprop:
    """A migrated operator's node whose registry and evaluators do not answer."""
    federation = make_federation(STOCKHOLM, f"{STOCKHOLM}-5561234567", today=SHOWN, policy=Policy(second_person=True))
    node = Upprop(federation.node(f"{STOCKHOLM}-5561234567"))
    node.ok("migrate")
    return node


def take(upprop: Upprop, tmp_path: Path, as_of: date, persons: list[dict[str, Any]]) -> None:
    path = tmp_path / f"{as_of}.json"
    path.write_bytes(content(persons))
    upprop.ok("import", str(path), "--as-of", as_of.isoformat())


def played(upprop: Upprop, tmp_path: Path) -> None:
    """One who left, one who is protected and left, one whose number was replaced by another."""
    take(upprop, tmp_path, BASELINE, [person(place) for place in range(PEOPLE)])
    marked = left(2, securityMarking="Skyddad folkbokföring")
    renumbered = person(3, civicNo={"value": number(33), "nationality": "SE"})
    take(upprop, tmp_path, SHOWN, roll(0, left(1), marked, renumbered))
    upprop("sync")


@pytest.mark.parametrize("served", [False, True])
def test_the_command_explains_in_both_languages_and_for_scripts(upprop: Upprop, tmp_path: Path, served: bool) -> None:
    def ask() -> None:
        shown = upprop.ok("explain", number(1), "--lang", "sv")
        assert "Eleven saknar känd skolplacering sedan 2026-09-05 (har lämnat skolan, ej brådskande)." in shown
        assert "9 skoldagar kvar" in shown
        assert "Förnamn1 Efternamn1" in shown
        assert UNIT in shown  # the export names no units
        # The school system's id names the pupil too, and can be asked for.
        english = upprop.ok("explain", "-", given=f"{person_id(1)}\n")
        assert "The pupil is a gap since 2026-09-05 (left, not urgent)." in english
        found = upprop.json("explain", number(1))
        assert (found["person_id"], found["as_of"]) == (person_id(1), SHOWN.isoformat())
        assert [each["kind"] for each in found["findings"][:2]] == ["GAP", "LEFT_ENDED"]
        assert found["findings"][0]["parameters"] == {"kind": "LEFT", "urgency": "NORMAL", "since": SINCE}

    played(upprop, tmp_path)
    if not served:
        ask()
        return
    with serving(upprop):
        ask()


def test_a_protected_pupil_is_answered_like_one_who_does_not_exist(upprop: Upprop, tmp_path: Path) -> None:
    played(upprop, tmp_path)
    nobody = upprop("explain", number(77))
    assert (nobody.returncode, nobody.stdout) == (4, "")
    assert "not yours to see" in nobody.stderr
    for asked in (number(2), person_id(2), number(3), number(33), person_id(3)):
        for more in ((), ("--json",), ("--lang", "sv")):
            assert upprop("explain", asked, *more) == nobody
    for asked, route in ((number(2), "PROTECTED"), (number(33), "RENUMBERED")):
        found = upprop.json("explain", asked, "--protected")
        assert route in [each["kind"] for each in found["findings"] if each["section"] == "SENT"]
    assert upprop("explain", number(77), "--protected") == nobody


def test_cases_show_what_a_case_begins_with(upprop: Upprop, tmp_path: Path) -> None:
    played(upprop, tmp_path)
    upprop.ok("say", number(1), "urgent", "--by", "Ada Berg")
    upprop("sync")
    swedish = upprop.ok("cases", "--lang", "sv")
    assert "öppet sedan 2026-09-07" in swedish
    assert "0. Fråga folkbokföringen, före varje kontakt med vårdnadshavare" in swedish
    assert "1. Underrätta hemkommunen: 0180." in swedish
    [case] = upprop.json("cases")["cases"]
    assert [step["kind"] for step in case["first_steps"]] == ["STEP_POPULATION_REGISTER", "STEP_HOME_MUNICIPALITY"]


def test_a_word_that_waits_is_said_to_wait(upprop: Upprop, tmp_path: Path) -> None:
    played(upprop, tmp_path)
    upprop.ok("say", number(5), "gone", "--on", LAST_DAY, "--by", "Ada Berg")
    assert "sent only once a second person has agreed: gone though enrolled" in upprop.ok("explain", number(5))
    upprop.ok("review", "1", "--by", "Bo Ek")
    found = upprop.json("explain", number(5))
    assert [each["kind"] for each in found["findings"] if each["section"] == "WHY"] == ["GONE"]


def test_a_resident_known_by_a_word_alone_is_explained(upprop: Upprop, tmp_path: Path) -> None:
    played(upprop, tmp_path)
    upprop.ok("say", number(77), "not-placed", "--by", "Ada Berg")
    upprop.ok("review", "1", "--by", "Bo Ek")
    found = upprop.json("explain", number(77))
    assert [each["kind"] for each in found["findings"] if each["section"] in ("WHY", "ROWS")] == ["NOT_PLACED", "NONE"]
