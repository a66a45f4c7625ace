"""Forms of the console that no page of it would send: what cannot be read is said, and nothing breaks."""

from __future__ import annotations

from datetime import date

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from node.casework.actor import Role
from node.casework.files.model import Classification, FileId
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import federation, node, played
from tests.integration.console.test_case_pages import files
from tests.integration.node_parties import Node

__all__ = ["federation", "node", "played"]

NO_NUMBERS = ["²", "9" * 5000, "9" * 30, "-1", "٣", "1\x00"]
"""Digits to `str.isdigit`, or more of them than a row can bear."""


def test_a_number_that_is_none_is_answered_by_a_page(node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    browser = client(node.app.desk, actor())
    path = f"/sv/arenden/{known}"
    for text in NO_NUMBERS:
        sent = {
            path: {"do": "take", "revision": text},
            f"{path}/journal": {"do": "correct", "corrects": text, "text": "Rättat."},
            f"{path}/checklista": {"run": text, "round": text, "step": "x", "outcome": "y"},
            f"{path}/kontakt": {"do": "write", "contact": "0" * 32, "sequence": text, "text": "x"},
        }
        for address, form in sent.items():
            answer = browser.post(address, data={"csrf_token": TOKEN, **form})
            assert answer.status_code in (400, 404, 409), (address, text)


def test_what_is_written_into_a_shredded_case_file_is_refused_by_a_page(node: Node) -> None:
    [known] = files(node, Role.CASEWORKER)
    desk, who, file_id = node.app.desk, actor(), FileId(bytes.fromhex(known))
    found = desk.database.view("test_see", lambda tx: desk.case_files.see(tx, file_id, who))
    done = desk.case_files.classify(file_id, found.revision, Classification.ADMIN_LAG, who, why="Sen.")
    desk.case_files.set_status(
        file_id, done.revision, CaseStatus.CLOSED, who, why="Klart.", outcome=CaseOutcome.RETURNED
    )
    node.clock.set_today(date(2031, 9, 23))
    [worker] = [each for each in node.app.workers if each.name == "shredding"]
    worker.run()
    closed = desk.database.view("test_see", lambda tx: desk.case_files.see(tx, file_id, who))
    browser, path = client(desk, who), f"/sv/arenden/{known}"
    assert browser.get(path).status_code == 200
    on_case = [
        {"do": "status", "status": "REOPENED"},
        {"do": "classify", "classification": "UNDETERMINED"},
        {"do": "absence", "absence": "MISSING"},
        {"do": "take"},
    ]
    sent = [
        *((path, form) for form in on_case),
        (f"{path}/journal", {"do": "note"}),
        (f"{path}/utlamna", {"to": "Skolinspektionen", "as": "json"}),
        (f"{path}/checklista", {"begin": "saknad-elev"}),
    ]
    common = {"csrf_token": TOKEN, "revision": str(closed.revision), "why": "x", "text": "x"}
    for address, form in sent:
        answer = browser.post(address, data={**common, **form})
        assert answer.status_code == 410, (address, form)
        assert "gallrade" in answer.text
    upload = {"file": ("brev.txt", b"x")}
    assert browser.post(f"{path}/journal", data={**common, "do": "attach"}, files=upload).status_code == 410
