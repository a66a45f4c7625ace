"""The yearly report as it may be published: no small number, no protected identity, whoever asks."""

from __future__ import annotations

import html
import json
from pathlib import Path

from click.testing import CliRunner

from federation.cli import main
from node.casework.actor import Role
from tests.harness.console import actor, client
from tests.integration.console.conftest import MEMBER
from tests.integration.node_parties import Federation, Node


def test_what_is_published_shows_no_small_number_and_counts_no_protected_identity(
    federation: Federation, node: Node, tmp_path: Path
) -> None:
    asked = client(node.app.desk, actor(Role.CASEWORKER, Role.PROTECTED))
    whole, told = (asked.get(f"/sv/arsrapport/2026/json{rest}").json() for rest in ("", "?publish=1"))
    assert (whole["protected_identities"], whole["small_numbers_hidden"], whole["files"]["opened"]) == (True, False, 2)
    assert (told["protected_identities"], told["small_numbers_hidden"]) == (False, True)
    assert (told["files"]["opened"], told["files"]["closed"]) == ("..", 0)
    assert told["outcomes"] == [{"classification": "UNDETERMINED", "outcome": None, "files": ".."}]
    swedish, english = asked.get("/sv/arsrapport").text, asked.get("/en/yearly-report").text
    assert "För publicering, utan tal under 5" in swedish
    assert "To be published, without numbers under 5" in english
    assert asked.get("/en/yearly-report/2026/csv?publish=1").text.count(";..") > 1
    assert asked.get("/sv/arsrapport/2026/pdf?publish=1").content.startswith(b"%PDF-")

    def run(*arguments: str) -> tuple[int, str]:
        command = ["node", "report", *arguments, "--config", str(federation.dev.node(MEMBER))]
        done = CliRunner().invoke(main, command)
        return done.exit_code, done.output

    node.close()
    try:
        out = tmp_path / "rapport.json"
        assert run("--as", "json", "--publish", "--out", str(out))[0] == 0
        found = json.loads(out.read_text())
        assert (found["small_numbers_hidden"], found["outcomes"], found.keys()) == (True, [], told.keys())
        assert run("--publish")[0] == run("--as", "csv", "--publish", "--protected")[0] == 2
    finally:
        node.open()


def test_an_administrator_is_shown_and_given_what_may_be_published_and_nothing_else(node: Node) -> None:
    worker, asked = (client(node.app.desk, actor(role)) for role in (Role.CASEWORKER, Role.ADMINISTRATOR))
    shown = html.unescape(asked.get("/sv/arsrapport").text)
    assert "Tal under 5 visas som två punkter" in shown
    assert '<td class="num">..</td>' in shown
    assert '<td class="num">..</td>' not in worker.get("/sv/arsrapport").text
    assert '<svg class="chart"' not in shown
    assert "Hämta rapporten" not in shown
    published = worker.get("/sv/arsrapport/2026/json?publish=1").json()
    for asked_for in ("", "?publish=0", "?publish=1"):
        assert asked.get(f"/sv/arsrapport/2026/json{asked_for}").json() == published
