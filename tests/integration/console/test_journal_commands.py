"""The journal at the machine's own terminal: verified, handed out, and its keys copied apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from federation.cli import main
from federation.errors import EXIT_INPUT, EXIT_STORE
from federation.web.i18n import Language
from node.casework.actor import Role
from node.casework.files.model import CaseFile
from node.casework.journal.document import _settable
from node.casework.journal.keeping import Upload
from node.casework.journal.known import KNOWN
from node.casework.journal.model import EntryKind
from node.casework.journal.verifying import Looking
from node.settings import open_sealer
from node.store.chain import Seen
from tests.harness.console import actor
from tests.integration.console.conftest import MEMBER, OPEN
from tests.integration.node_parties import Federation, Node
from tests.unit.node.exports import number

WHO = actor(Role.CASEWORKER, Role.PROTECTED)


class Terminal:
    """Commands of the node that stands, given while none runs."""

    def __init__(self, federation: Federation) -> None:
        self._config = str(federation.dev.node(MEMBER))
        self.node = federation.nodes[MEMBER]

    def run(self, *arguments: str, expect: int | None = 0, language: Language = Language.SWEDISH) -> Result:
        self.node.close()
        try:
            done = CliRunner().invoke(
                main, ["node", *arguments, "--config", self._config], env={"UPPROP_LANG": language.value}
            )
        finally:
            self.node.open()
        assert expect in (None, done.exit_code), (done.output, done.exception)
        return done


@pytest.fixture
def terminal(federation: Federation) -> Terminal:
    return Terminal(federation)


def files(node: Node) -> dict[bool, CaseFile]:
    """By whether it is protected."""
    board = node.app.desk.database.view("test_board", lambda tx: node.app.desk.showing.board(tx, WHO))
    return {each.line.file.protected: each.line.file for each in board if each.line.file is not None}


def test_a_journal_is_verified_and_what_was_touched_is_named_by_row_and_case_file(terminal: Terminal) -> None:
    node = terminal.node
    file = files(node)[False]
    position = node.app.desk.keeping.note(file.file_id, "Mormor ringde.", WHO)
    done = terminal.run("journal", "verify")
    assert f"Alla {position} rader" in done.output
    node.app.database.run(
        "tamper",
        lambda tx: tx.execute(text("UPDATE journal SET kind = 'TASK' WHERE position = :row"), {"row": position}),
    )
    done = terminal.run("journal", "verify", expect=EXIT_STORE)
    assert f"! Nr {position}, ärende {file.reference}: raden är ändrad." in done.output
    assert "Mormor" not in done.output
    done = terminal.run("doctor", expect=None)
    assert f"Någon har ändrat journalen i databasen (1): rad {position}." in done.output
    done = terminal.run("journal", "verify", "--json", expect=EXIT_STORE)
    [flaw] = json.loads(done.output)["flaws"]
    assert (flaw["position"], flaw["what"], flaw["reference"]) == (position, "changed", file.reference)
    assert flaw["known_by"] is None


def test_what_everybody_concerned_knows_stays_named_and_raises_no_alarm_until_it_is_touched_again(
    terminal: Terminal,
) -> None:
    node = terminal.node
    first, second = (node.app.desk.keeping.note(files(node)[False].file_id, said, WHO) for said in ("Ett.", "Två."))

    def touch(position: int, kind: str) -> None:
        values = {"row": position, "kind": kind}
        change = text("UPDATE journal SET kind = :kind WHERE position = :row")
        node.app.database.run("tamper", lambda tx: tx.execute(change, values))

    def alarms() -> float | None:
        [worker] = [each for each in node.app.workers if each.name == "journal"]
        worker.run()
        return node.measured.get_sample_value("upprop_journal_flawed_rows")

    touch(first, "TASK")
    assert alarms() == 1
    terminal.run("journal", "acknowledge", "--by", " ", expect=EXIT_INPUT)
    assert "1 fel" in terminal.run("journal", "acknowledge", "--by", "Bo Ek").output
    done = terminal.run("journal", "verify")
    assert f"  Nr {first}, ärende" in done.output
    assert "raden är ändrad. Känt, säger Bo Ek" in done.output
    assert "Journalen är ändrad i databasen (1), och någon har sagt" in terminal.run("doctor", expect=None).output
    assert alarms() == 0
    # The same row once more, and another one.
    touch(first, "SAYING")
    assert alarms() == 1
    terminal.run("journal", "acknowledge", "--by", "Bo Ek")
    touch(second, "TASK")
    assert alarms() == 1
    assert f"! Nr {second}, ärende" in terminal.run("journal", "verify", expect=EXIT_STORE).output
    # Whoever cannot make the file anew under the record key only brings the alarm back.
    (node.settings.data_dir / KNOWN).write_bytes(b"\x00" * 64)
    assert alarms() == 2


def test_a_journal_that_was_set_back_is_followed_from_there_once_it_is_acknowledged(terminal: Terminal) -> None:
    node = terminal.node
    terminal.run("journal", "verify")
    looking = Looking(open_sealer(node.settings), node.settings.data_dir)
    looking.keep(Seen(999, b"\x01" * 32))
    assert "äldre läge" in terminal.run("journal", "verify", expect=EXIT_STORE).output
    terminal.run("journal", "acknowledge", "--by", "Bo Ek")
    assert "är som de skrevs" in terminal.run("journal", "verify").output


def test_a_case_file_is_handed_out_whole_and_that_it_was_is_journaled(terminal: Terminal, tmp_path: Path) -> None:
    node, out = terminal.node, tmp_path / "case.json"
    file = files(node)[False]
    node.app.desk.keeping.attach(file.file_id, Upload("brev.txt", b"x" * 5_000_000), "", WHO)
    asked = ("journal", "export", file.reference, "--as", "json", "--to", "Socialtjänsten", "--by", "Ulla Ek")
    done = terminal.run(*asked, "--out", str(out))
    assert str(out) in done.output
    assert out.stat().st_mode & 0o777 == 0o600
    told = json.loads(out.read_text())
    assert told["pupil"]["number"] == number(OPEN)
    assert len(told["attachments"][0]["content_base64"]) > 5_000_000
    assert told["journal"][-1]["kind"] == EntryKind.EXPORTED
    assert (told["journal"][-1]["by"], told["journal"][-1]["body"]["text"]) == ("Ulla Ek", "Socialtjänsten")
    # Twice into the same file is once.
    assert "exists already" in terminal.run(*asked, "--out", str(out), expect=3).output
    terminal.run(*asked[:3], "--to", "S", "--by", "U", "--out", str(tmp_path / "case.pdf"), language=Language.ENGLISH)
    assert (tmp_path / "case.pdf").read_bytes().startswith(b"%PDF-")


def test_one_of_a_protected_identity_is_not_there_for_whoever_does_not_say_so(
    terminal: Terminal, tmp_path: Path
) -> None:
    file, rest = files(terminal.node)[True], ("--to", "S", "--by", "U", "--out", str(tmp_path / "case"))
    refused = terminal.run("journal", "export", file.reference, *rest, expect=EXIT_INPUT).output
    unknown = terminal.run("journal", "export", "2026-99999", *rest, expect=EXIT_INPUT).output
    assert refused == unknown
    terminal.run("journal", "export", file.reference, "--protected", *rest)


def test_keys_are_copied_and_restored_by_command(terminal: Terminal, tmp_path: Path) -> None:
    copy, keys = str(tmp_path / "copy"), str(tmp_path / "keys")
    assert "--case-keys" in terminal.run("backup", copy).output
    assert keys in terminal.run("backup", f"{copy}-2", "--case-keys", keys).output
    terminal.run("restore", f"{copy}-2", "--replace", "--case-keys", keys)
    assert files(terminal.node)[False].pupil_id is not None


def test_what_no_font_holds_stands_as_its_code() -> None:
    assert _settable("Łuś Əliyev Ğülə Ђорђе") == "Łuś Əliyev Ğülə Ђорђе"
    assert _settable("ሰላም\x07\u202e") == "[U+1230][U+120B][U+121D]"
