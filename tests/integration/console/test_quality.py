"""The yearly report before the people who ask for it, and by command: what is counted, and for whom."""

from __future__ import annotations

import csv
import functools
import html
import io
import json
import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.cli import main
from federation.errors import EXIT_CONFIGURATION, EXIT_INPUT
from federation.rules.vocabulary import CaseOutcome, CaseStatus
from federation.web.i18n import Language
from node.casework.actor import Actor, Role
from node.casework.files.model import CaseFile, Classification
from node.casework.quality.documents import Form
from node.casework.quality.model import Report
from node.casework.quality.reporting import NoSuchYearError
from node.casework.routines.checklist import LineName
from node.console.wording import texts
from tests.harness.console import actor, client
from tests.integration.console.conftest import BASELINE, DUE_PAST, MEMBER
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import number, person

WHO: Actor = actor(Role.CASEWORKER, Role.PROTECTED)
AUDITOR: Actor = actor(Role.AUDITOR)
CONTACTED, REPORTED = date(2026, 9, 23), date(2026, 9, 30)


def opened(node: Node, who: Actor) -> list[CaseFile]:
    desk = node.app.desk
    board = desk.database.view("test_board", lambda tx: desk.showing.board(tx, who))
    return [each.line.file for each in board if each.line.file is not None]


@pytest.fixture
def file(node: Node) -> CaseFile:
    """One that an ordinary caseworker sees, contacted in time and closed; a protected one stands beside it."""
    [found] = [file for file in opened(node, WHO) if not file.protected]
    routines, files = node.app.desk.routines, node.app.desk.case_files
    node.clock.set_today(CONTACTED)
    for step, outcome in (("folkbokforing", "inget-hinder"), ("kontakter", "onabar")):
        name, said = LineName(1, step), "Prövat."
        work = functools.partial(
            routines.finish, file_id=found.file_id, name=name, outcome_id=outcome, actor=WHO, note=said
        )
        node.app.database.run("t", work)
    node.clock.set_today(REPORTED)
    stands = node.app.database.view("t", lambda tx: files.see(tx, found.file_id, WHO))
    done = files.classify(found.file_id, stands.revision, Classification.MISSING_UNREACHABLE, WHO, why="Ingen svarar.")
    return files.set_status(
        found.file_id, done.revision, CaseStatus.CLOSED, WHO, why="Hittad.", outcome=CaseOutcome.RETURNED
    )


def report(node: Node, who: Actor = AUDITOR, year: int = 2026) -> Report:
    return node.app.desk.reporting.report(year, who)


def test_a_year_is_counted_and_protected_identities_for_their_role_alone(node: Node, file: CaseFile) -> None:
    assert file.opened_on == DUE_PAST
    found, secret = report(node), report(node, WHO)
    assert (found.opened, found.closed, found.open, found.with_protected) == (1, 1, 0, False)
    assert found.outcomes == {(Classification.MISSING_UNREACHABLE, CaseOutcome.RETURNED): 1}
    # Two school days after it was opened, and closed five after that.
    assert (found.first_contact.taken.median, found.first_contact.in_time, found.closing.median) == (2, 1, 7)
    # Protected pupils are due at once: their case file is the second one.
    assert (secret.worked, secret.open, secret.with_protected) == (2, 1, True)
    assert secret.outcomes[Classification.UNDETERMINED, None] == 1
    assert "skyddade-uppgifter" in secret.by_routine
    assert "skyddade-uppgifter" not in found.by_routine
    # Of what was due before today (mentor, letter and what else the closed one left) nothing is held against nobody.
    assert found.steps.due == found.steps.in_time + found.steps.late + found.steps.undone
    assert found.steps.done == 2


def test_the_report_says_the_same_after_shredding(node: Node, file: CaseFile) -> None:
    desk = node.app.desk
    before = {
        form: desk.reporting.document(form, report(node), texts(Language.SWEDISH)) for form in (Form.CSV, Form.JSON)
    }
    node.clock.set_today(date(2032, 1, 12))
    [worker] = [each for each in node.app.workers if each.name == "shredding"]
    worker.run()
    shredded = desk.database.view("t", lambda tx: desk.case_files.see(tx, file.file_id, WHO))
    assert (shredded.shredded_on, shredded.pupil_id) == (date(2032, 1, 12), None)
    after = report(node)
    assert after.until == date(2026, 12, 31)
    told = json_report(desk.reporting.document(Form.JSON, after, texts(Language.SWEDISH)))
    assert {**told, "until": None} == {**json_report(before[Form.JSON]), "until": None}


def json_report(content: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(content)
    return found


def test_the_page_shows_tables_and_a_chart_and_names_nobody(node: Node, file: CaseFile) -> None:
    for who in (AUDITOR, WHO):
        asked = client(node.app.desk, who)
        for path, title in (("/sv/arsrapport", "Årsrapport 2026"), ("/en/yearly-report", "Yearly report 2026")):
            shown = html.unescape(asked.get(path).text)
            assert title in shown
            assert '<svg class="chart"' in shown
            for place in range(4):
                assert person(place)["familyName"] not in shown
                assert number(place) not in shown
            assert file.reference not in shown
    shown = html.unescape(client(node.app.desk, AUDITOR).get("/sv/arsrapport").text)
    assert re.search(r"Saknad, går inte att nå</th><td class=\"num\">1</td><td class=\"num\">1</td>", shown)
    assert "Ärenden med skyddade uppgifter är inte med." in shown
    for year in ("2025", "2027", "x", "0"):
        assert client(node.app.desk, AUDITOR).get(f"/sv/arsrapport?year={year}").status_code == 404
    assert client(node.app.desk, actor(Role.PRINCIPAL)).get("/sv/arsrapport").status_code == 403
    with pytest.raises(NoSuchYearError):
        report(node, year=2025)


def test_the_files_say_what_the_page_says(node: Node, file: CaseFile) -> None:
    asked = client(node.app.desk, AUDITOR)
    table = asked.get("/sv/arsrapport/2026/csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["tabell", "rad", "kolumn", "antal"]
    assert ["Bedömning och utfall", "Saknad, går inte att nå", "Har kommit tillbaka", "1"] in rows
    told = asked.get("/en/yearly-report/2026/json").json()
    assert told["outcomes"] == [{"classification": "MISSING_UNREACHABLE", "outcome": "RETURNED", "files": 1}]
    assert (told["contact"]["in-time"], told["protected_identities"]) == (1, False)
    paper = asked.get("/sv/arsrapport/2026/pdf")
    assert paper.content.startswith(b"%PDF-")
    assert 'filename="upprop-2026.pdf"' in paper.headers["content-disposition"]
    assert asked.get("/sv/arsrapport/2026/exe").status_code == 404


def test_the_report_is_made_by_command(federation: Federation, node: Node, file: CaseFile, tmp_path: Path) -> None:
    config, out = federation.dev.node(MEMBER), tmp_path / "rapport.pdf"
    # A manual clock begins each command on the day that the settings say.
    config.write_text(config.read_text().replace(f"today = {BASELINE}", f"today = {file.closed_on}"))

    def run(*arguments: str, expect: int = 0) -> str:
        done = CliRunner().invoke(main, ["node", "report", *arguments, "--config", str(config)])
        assert done.exit_code == expect, (done.output, done.exception)
        return done.output

    node.close()
    try:
        assert "Handlagda under året: 1" in run()
        assert "Handlagda under året: 2" in run("--protected")
        assert "Worked in the year: 1" in run("--lang", "en")
        assert json.loads(run("--json", "--year", "2026"))["year"] == 2026
        run("--as", "pdf", expect=2)
        run("--as", "pdf", "--out", str(out))
        assert out.read_bytes().startswith(b"%PDF-")
        assert out.stat().st_mode & 0o777 == 0o600
        # Nothing is written over.
        run("--as", "csv", "--out", str(out), expect=EXIT_CONFIGURATION)
        run("--year", "2020", expect=EXIT_INPUT)
    finally:
        node.open()
