"""The node as a municipality's IT staff meet it: its commands, alone and beside a running node."""

from __future__ import annotations

import json
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509

from federation import settings as settings_files
from federation.admission.words import words_of
from federation.cli import main
from federation.control import socket_path
from federation.demo.scenario import page
from federation.errors import Code, exit_code
from federation.rules.vocabulary import Policy
from federation.tls import public_key_sha256
from node.settings import NodeSettings
from tests.conftest import MakeFederation
from tests.unit.node.exports import content, enrolment, number, person, person_id

DAY = "2026-08-24"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str, given: str | None = None) -> Done:
    """The command as the shell would run it, but in this process: starting Python anew takes longer than most do."""
    result = CliRunner().invoke(main, ["node", *arguments], input=given, env={"COLUMNS": "100", "UPPROP_LANG": "en"})
    return Done(result.exit_code, result.stdout, result.stderr)


class Upprop:
    """Runs `upprop node …` with one node's settings."""

    def __init__(self, config: Path) -> None:
        self.config = config

    def __call__(self, *arguments: str, given: str | None = None) -> Done:
        return run(*arguments, "--config", str(self.config), given=given)

    def ok(self, *arguments: str, given: str | None = None) -> str:
        done = self(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))


@pytest.fixture
def upprop(make_federation: MakeFederation) -> Upprop:
    """A migrated node whose registry and evaluators do not answer."""
    federation = make_federation("0180", today=date(2026, 8, 24), policy=Policy(second_person=True))
    node = Upprop(federation.node("0180"))
    assert node.json("migrate")["before"] is None
    assert "up to date" in node.ok("migrate")
    return node


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.json"
    path.write_bytes(
        content(
            [
                *[person(place) for place in range(12)],
                person(20, civicNo={"value": "20130101TF01"}),
                person(21, enrolment("18/8 2026")),
            ]
        )
    )
    return path


@contextmanager
def serving(upprop: Upprop) -> Iterator[subprocess.Popen[bytes]]:
    data_dir = upprop.config.parent / "data"
    with (upprop.config.parent / "log.jsonl").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "federation.cli", "node", "serve", "--config", str(upprop.config)],
            stderr=log,
            stdout=log,
        )
    try:
        give_up = time.monotonic() + 30
        while not (data_dir / "ports.json").exists() or not socket_path(data_dir).exists():
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.fixture
def join(make_federation: MakeFederation, tmp_path: Path) -> Callable[..., Done]:
    """`upprop node join` with the descriptor and the authority's key of a federation whose registry does not answer."""
    federation = make_federation("0180")
    key = federation.directory / "authority" / "authority.pub"

    def attempt(home: Path, *more: str) -> Done:
        return run(*("join", str(home), "--descriptor", str(federation.descriptor), "--authority-key", str(key)), *more)

    return attempt


def test_join_writes_settings_and_secret_keys_once(join: Callable[..., Done], tmp_path: Path) -> None:
    home = tmp_path / "node"
    made = join(home, "--member", "1480", "--name", "Göteborg")
    assert made.returncode == 0, made.stderr
    assert f"upprop node join {home}" in made.stdout
    for name in ("record.key", "tls.key"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    assert len((home / "record.key").read_bytes()) == 32
    request = x509.load_pem_x509_csr((home / "tls.csr").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["upprop://node/1480"]
    words = [line.split()[1::2] for line in made.stdout.splitlines() if re.match(r"^ +\d+\. ", line)]
    assert " ".join(word for line in words for word in line) == words_of(public_key_sha256(request.public_key()))
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    assert join(home, "--member", "1480").returncode == 17
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    assert join(tmp_path / "b", "--member", "Åre").returncode == 5
    assert not (tmp_path / "b").exists()
    # The settings are understood: what is missing is what comes with the admission.
    asked = Upprop(home / "config.toml")("cases")
    assert (asked.returncode, "tls.crt" in asked.stderr) == (3, True)


def test_every_setting_that_join_proposes_is_understood(join: Callable[..., Done], tmp_path: Path) -> None:
    home = tmp_path / "node"
    assert join(home, "--member", "1480").returncode == 0
    config = home / "config.toml"
    written = settings_files.load(config, NodeSettings)
    config.write_text(re.sub(r"^# (?=\w+ = |\[)", "", config.read_text(), flags=re.MULTILINE))
    proposed = settings_files.load(config, NodeSettings)
    # Those are the defaults; the rest is an example.
    assert (proposed.sync_seconds, proposed.drill_days) == (written.sync_seconds, written.drill_days) == (900, 30)
    assert (proposed.enrolment_listen, proposed.enrolment_names) == ("10.0.0.5:7450", ("upprop.example.se",))
    assert (proposed.school_systems["main"].at, written.school_systems) == ("05:30", {})


@pytest.mark.parametrize("running", [False, True])
def test_from_the_first_import_to_a_case_file(upprop: Upprop, export: Path, running: bool) -> None:
    if not running:
        play(upprop, export)
        return
    with serving(upprop):
        play(upprop, export)


def play(upprop: Upprop, export: Path) -> None:
    report = upprop.json("import", str(export), "--as-of", DAY)
    assert (report["baseline"], report["persons"], report["changed"], report["already_imported"]) == (
        True,
        14,
        14,
        False,
    )
    assert [(row["row"], row["field"]) for row in report["rejected"]] == [(14, "enrolments.startDate")]
    assert [(row["row"], row["field"]) for row in report["unlinkable"]] == [(13, "civicNo")]
    assert "imported already" in upprop.ok("import", str(export), "--as-of", DAY)

    assert upprop.ok("cases") == "No open case files.\n"
    said = upprop.json("say", person_id(3), "gone", "--on", "2026-08-20", "--by", "Ada Berg")
    assert said == {"saying_id": 1, "waits_for_review": True}
    assert "second person" in upprop("review", "1", "--by", "Ada Berg").stderr
    assert [one["saying_id"] for one in upprop.json("review")] == [1]
    assert upprop.json("review", "1", "--by", "Bo Ek") == []

    synced = upprop("sync")
    assert synced.returncode == 6
    assert "1 waiting" in synced.stdout
    # A new store asks the registry before it asks the evaluators anything.
    assert "registry a cannot be reached" in synced.stderr
    cases = upprop.json("cases")["cases"]
    assert [(case["person_id"], case["effective_date"], case["state"], case["opened_by"]) for case in cases] == [
        (person_id(3), "2026-08-21", "OPEN", "immediate")
    ]
    assert number(3) in upprop.ok("cases")


def test_input_that_is_refused_ends_with_a_sentence_and_code_4(upprop: Upprop, export: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    half = export.with_name("half.json")
    half.write_bytes(export.read_bytes()[:-10])
    for path, as_of, code in (
        (half, DAY, "EXPORT_UNREADABLE"),
        (export.with_name("none.json"), DAY, "EXPORT_UNREADABLE"),
        (export, "2026-08-20", "EXPORT_OLDER"),
        (export, "2026-08-25", "INPUT_REFUSED"),
    ):
        refused = upprop("import", str(path), "--as-of", as_of)
        assert (refused.returncode, code in refused.stderr) == (4, True)
        assert refused.stdout == ""
    assert upprop("import", str(export), "--as-of", "24/8").returncode == 2
    assert upprop("say", number(3), "met", "--by", "").returncode == 4
    assert upprop("say", number(3), "sing", "--by", "Ada Berg").returncode == 2
    assert upprop("review", "7").returncode == 2


def test_changes_are_imported_as_such_and_nothing_else(upprop: Upprop, export: Path) -> None:
    changes = export.with_name("changes.json")
    changes.write_bytes(page([person(3, enrolment(end=DAY))], deleted=[person_id(4)]))
    assert upprop("import", "--changes", str(changes), "--as-of", DAY).returncode == 4
    upprop.ok("import", str(export), "--as-of", DAY)
    assert upprop("import", str(changes), "--as-of", DAY).returncode == 4
    assert upprop("import", "--changes", str(export), "--as-of", DAY).returncode == 4
    assert upprop("import", str(export), "--changes", str(changes), "--as-of", DAY).returncode == 2
    report = upprop.json("import", "--changes", str(changes), "--as-of", DAY)
    assert (report["persons"], report["vanished"]) == (1, 1)


def test_a_person_can_be_named_without_a_trace_in_the_shells_history(upprop: Upprop, export: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    assert "Noted as 1" in upprop.ok("say", "-", "met", "--by", "Ada Berg", given=f"{number(3)}\n")


def test_what_a_person_wrote_is_shown_as_it_was_written(upprop: Upprop, export: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    upprop.ok("say", number(3), "gone", "--reason", "[red]told[/red]", "--by", "Ada Berg")
    assert "[red]told[/red]" in upprop.ok("review")


def test_protected_pupils_are_listed_on_demand_alone(upprop: Upprop, export: Path) -> None:
    persons = [person(place) for place in range(12)]
    persons.append(person(30, enrolment(end="2026-08-21"), securityMarking="Skyddad folkbokföring"))
    export.write_bytes(content(persons))
    upprop.ok("import", str(export), "--as-of", DAY)
    upprop("sync")
    assert upprop.json("cases")["cases"] == []
    assert upprop.json("cases", "--all")["cases"] == []
    assert [case["route"] for case in upprop.json("cases", "--protected")["cases"]] == ["protected"]
    assert [case["route"] for case in upprop.json("cases", "--protected", "--all")["cases"]] == ["protected"]


def test_a_node_does_not_start_on_another_record_key_or_an_open_one(upprop: Upprop, export: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    key = upprop.config.parent / "record.key"
    original = key.read_bytes()
    key.chmod(0o644)
    opened = upprop("cases")
    assert (opened.returncode, "chmod 600" in opened.stderr) == (10, True)
    key.chmod(0o600)
    for wrong, told in ((bytes(32), "begun with"), (b"short", "32")):
        key.write_bytes(wrong)
        refused = upprop("cases")
        assert (refused.returncode, told in refused.stderr) == (3, True)
        assert wrong == bytes(32) or wrong.decode() not in refused.stderr
    key.write_bytes(original)
    upprop.ok("cases")


def test_a_store_of_no_version_is_refused(make_federation: MakeFederation) -> None:
    node = Upprop(make_federation("0180").node("0180"))
    refused = node("cases")
    assert (refused.returncode, "upprop node migrate" in refused.stderr) == (7, True)


def test_nothing_a_node_writes_names_a_person(upprop: Upprop, export: Path) -> None:
    with serving(upprop):
        upprop.ok("import", str(export), "--as-of", DAY)
        upprop.ok("say", number(5), "gone", "--on", DAY, "--reason", "seen at the airport", "--by", "Ada Berg")
        upprop.ok("say", number(77), "not-placed", "--by", "Ada Berg")
        upprop("say", number(78), "met", "--by", "Ada Berg")
        upprop.ok("review", "1", "--by", "Bo Ek")
        upprop("sync")
        upprop.ok("explain", number(5))
        upprop("explain", number(79))
        upprop.ok("check", str(export), "--as-of", DAY)
        export.write_bytes(b"{")
        upprop("check", str(export), "--as-of", DAY)
        upprop("import", str(export), "--as-of", DAY)
        files = [path for path in upprop.config.parent.rglob("*") if path.is_file()]
        assert {"node.sqlite", "node.sqlite-wal", "log.jsonl"} <= {path.name for path in files}
        written = {path.name: path.read_bytes() for path in files}
    assert b"export_imported" in written["log.jsonl"]
    assert b"export_refused" in written["log.jsonl"]
    secrets = [text for place in range(80) for text in (number(place), number(place)[2:], person_id(place))]
    secrets += ["20130101TF01", "Förnamn", "Efternamn", "Ada Berg", "Bo Ek", "airport"]
    found = [(name, secret) for name, stored in written.items() for secret in secrets if secret.encode() in stored]
    assert not found


@pytest.mark.parametrize(
    "command",
    ["", "join", "serve", "migrate", "import", "check", "sync", "cases", "explain", "say", "affirm", "review", "drill"],
)
def test_every_command_explains_itself(command: str) -> None:
    told = run(*command.split(), "--help")
    assert told.returncode == 0
    assert len(told.stdout.splitlines()) > 5


def test_a_narrow_terminal_cuts_no_name_number_or_id(upprop: Upprop, export: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    upprop.ok("say", number(3), "gone", "--on", DAY, "--by", "Ada Berg")
    shown = upprop.ok("review")
    cells = [line.split("│")[4].strip() for line in shown.splitlines() if line.startswith("│")]
    assert "".join(cells) == person_id(3)


def test_confirming_what_waits_says_so(upprop: Upprop, tmp_path: Path) -> None:
    there, gone = tmp_path / "there.json", tmp_path / "gone.json"
    there.write_bytes(content([person(place) for place in range(30)]))
    gone.write_bytes(content([person(place, enrolment(end="2026-08-21")) for place in range(30)]))
    upprop.ok("import", str(there), "--as-of", "2026-08-20")
    assert "They wait" in upprop.ok("import", str(gone), "--as-of", DAY)
    assert "nothing has changed" in upprop.ok("import", str(gone), "--as-of", DAY)
    confirmed = upprop.ok("import", str(gone), "--as-of", DAY, "--confirm-leavings")
    assert "what waited of it is let through" in confirmed
    assert "They wait" not in confirmed


def test_attendance_and_residents_are_taken_in_by_command(upprop: Upprop, export: Path, tmp_path: Path) -> None:
    upprop.ok("import", str(export), "--as-of", DAY)
    table = tmp_path / "table.csv"
    table.write_text(f"person_id;datum;närvaro\n{person_id(1)};2026-08-24;ja\nx;2026-08-24;ja\n", encoding="utf-8")
    said = upprop.ok("attendance", "import", str(table))
    assert "2026-08-24" in said
    assert "1 row names nobody" in said
    assert upprop("attendance", "import").returncode == exit_code(Code.CONFIG_INVALID)
    table.write_text(f"personnummer;skyddad\n{number(500)};nej\n{number(501)};ja\nfel;nej\n", encoding="utf-8")
    report = upprop.json("residents", "import", str(table), "--as-of", DAY)
    assert (report["rows"], report["unknown"], report["tasks"]) == (3, 2, 1)
    assert [(row["row"], row["field"]) for row in report["rejected"]] == [(4, "personnummer")]
    assert upprop("residents", "import", str(table)).returncode == 2
    for command in ("attendance", "residents"):
        assert "personnummer" in upprop.ok(command, "import", "--template")
