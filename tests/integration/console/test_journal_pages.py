"""The journal of a case file, as the people who keep it and those who watch over it see it."""

from __future__ import annotations

import html
import json
import re
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from node.casework.actor import Role
from node.casework.files.model import FileId
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import OPEN
from tests.integration.node_parties import Node
from tests.unit.node.exports import number

SCRIPT = "<script>alert('Åsa')</script>"


def case(node: Node) -> tuple[TestClient, str]:
    asked = client(node.app.desk, actor())
    [known] = re.findall(r'href="/sv/arenden/([0-9a-f]{32})"', asked.get("/sv/").text)
    return asked, f"/sv/arenden/{known}"


def write(asked: TestClient, path: str, **fields: str) -> tuple[int, str]:
    answer = asked.post(f"{path}/journal", data={"csrf_token": TOKEN, **fields})
    return answer.status_code, html.unescape(answer.text)


def test_a_note_is_written_corrected_and_never_changed(node: Node) -> None:
    asked, path = case(node)
    assert write(asked, path, do="note", text="Mamma svarar inte.", form="a" * 32)[0] == 303
    # Sent twice, it stands once.
    assert write(asked, path, do="note", text="Mamma svarar inte.", form="a" * 32)[0] == 303
    shown = html.unescape(asked.get(f"{path}/journal").text)
    assert shown.count("Mamma svarar inte.") == 1
    [position] = re.findall(r"corrects=(\d+)", shown)
    assert write(asked, path, do="correct", corrects=position, text="Det var pappa.")[0] == 303
    shown = html.unescape(asked.get(path).text)
    assert "Mamma svarar inte." in shown
    assert "Det var pappa." in shown
    assert "Rättad senare" in shown
    # People read their own time of day, and which of two it is when clocks are set back.
    entries = node.app.desk.database.view(
        "test", lambda tx: node.app.desk.journal.of_file(tx, FileId(bytes.fromhex(path.rpartition("/")[2])))
    )
    written = entries[-1].written_at.astimezone(ZoneInfo("Europe/Stockholm"))
    assert f"{written:%Y-%m-%d %H:%M %Z} · Kim Handläggare" in shown


def test_a_script_in_a_note_is_shown_as_text(node: Node) -> None:
    asked, path = case(node)
    write(asked, path, do="note", text=SCRIPT)
    assert SCRIPT not in asked.get(path).text
    assert SCRIPT in html.unescape(asked.get(path).text)


def test_a_note_that_is_too_long_is_said_to_be_and_kept_in_its_form(node: Node) -> None:
    asked, path = case(node)
    status, _ = write(asked, path, do="note", text="å" * 100_000)
    assert status == 303
    status, shown = write(asked, path, do="note", text="ä" * 100_001)
    assert status == 400
    assert "Texten har 100\N{NO-BREAK SPACE}001 tecken, högst 100\N{NO-BREAK SPACE}000 får plats." in shown
    assert "ä" * 100_001 in shown
    assert "is empty" in write(asked, path.replace("/sv/arenden", "/en/cases"), do="note", text="  ")[1]


def test_an_attachment_is_sealed_and_comes_back_as_it_was(node: Node) -> None:
    asked, path = case(node)
    content = b"%PDF-1.7 " + b"Beslut om placering" * 50
    for _ in range(2):
        # Sent twice it is attached once.
        answer = asked.post(
            f"{path}/journal",
            data={"csrf_token": TOKEN, "do": "attach", "text": "Beslut", "form": "a" * 32},
            files={"file": ("../../beslut.pdf", content, "text/html")},
        )
        assert answer.status_code == 303
    [link] = set(re.findall(r'href="(/sv/arenden/[0-9a-f]{32}/bilagor/[0-9a-f]{32})"', asked.get(path).text))
    fetched = asked.get(link)
    assert fetched.content == content
    assert fetched.headers["content-type"] == "application/pdf"
    assert fetched.headers["content-disposition"].startswith("attachment;")
    assert content not in (node.settings.data_dir / "node.sqlite").read_bytes()
    answer = asked.post(
        f"{path}/journal",
        data={"csrf_token": TOKEN, "do": "attach"},
        files={"file": ("sida.html", b"<p>", "text/html")},
    )
    assert answer.status_code == 400


def test_every_view_is_logged_and_the_log_can_be_read(node: Node) -> None:
    asked, path = case(node)
    client(node.app.desk, actor(Role.AUDITOR, name="Gunn Granskare")).get(path)
    shown = html.unescape(asked.get(f"{path}/visningar").text)
    assert shown.count("Gunn Granskare") == 1
    assert "Kim Handläggare" in shown


def test_a_case_file_is_handed_out_as_a_document_and_as_data_and_the_journal_says_so(node: Node) -> None:
    asked, path = case(node)
    write(asked, path, do="note", text=f"Śląsk & {SCRIPT}\n" + "Lång text. " * 2_000)
    fields = {"csrf_token": TOKEN, "to": "Socialnämnden i Malmö"}
    document = asked.post(f"{path}/utlamna", data={**fields, "as": "pdf"})
    assert document.content.startswith(b"%PDF-")
    data = json.loads(asked.post(f"{path}/utlamna", data={**fields, "as": "json"}).content)
    assert data["pupil"]["number"] == number(OPEN)
    assert [entry["kind"] for entry in data["journal"]] == ["OPENED", "NOTE", "EXPORTED", "EXPORTED"]
    assert "Socialnämnden i Malmö" in html.unescape(asked.get(path).text)
    assert asked.post(f"{path}/utlamna", data={"csrf_token": TOKEN, "as": "pdf"}).status_code == 400
