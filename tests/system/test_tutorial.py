"""helm/TUTORIAL.md: a federation from nothing, typed line by line as it stands, and what it says is looked at."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.system_tools import program

PROJECT = Path(__file__).resolve().parents[2]
TUTORIAL = PROJECT / "helm" / "TUTORIAL.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST = 480
"""Seconds after which it is given up: it waits for an offer, for a scrape and for an alert."""

CLEAR_UP = "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\ncurl() { command curl --max-time 5 \"$@\"; }\n"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where the shell finds `upprop` of this interpreter, Prometheus and curl."""
    directory = tmp_path / "bin"
    directory.mkdir()
    command = directory / "upprop"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m federation.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (directory / "prometheus").symlink_to(program("prometheus"))
    return f"{directory}:{os.environ['PATH']}"


def _numbered(blocks: list[str]) -> list[str]:
    """Each block after a line that says which it is."""
    return [f"echo '## {number}'\n{block}" for number, block in enumerate(blocks)]


def test_a_federation_comes_up_from_nothing_finds_a_pupil_and_is_watched(tmp_path: Path, path: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    bash = shutil.which("bash")
    assert bash is not None
    output = tmp_path / "output"
    with output.open("wb") as written:
        # To a file: the daemons inherit it, and a pipe would stay open as long as one of them lives.
        typed = subprocess.Popen(
            [bash, "-euo", "pipefail", "-c", "\n".join((CLEAR_UP, *_numbered(blocks)))],
            cwd=home,
            env={
                **os.environ,
                "PATH": path,
                "PYTHONPATH": str(PROJECT),
                "UPPROP_LANG": "en",
                "UPPROP_RULES": str(PROJECT / "helm" / "upprop" / "files" / "rules"),
            },
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = typed.wait(LONGEST)
        finally:
            # Whatever it has started and not stopped.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(typed.pid, signal.SIGKILL)
    said = output.read_text(encoding="utf-8")
    assert code == 0, said[-4_000:]
    # Both were listed, by every evaluator's administrator too, and both found all well but that they had no import yet.
    assert said.count("is in force here.") == 3
    assert said.count("It works. Warnings:") == 2
    # One pupil is missed; of the other it is said that somebody has him, and not who.
    cases, explained = said.split("Each case begins so:")
    assert "Cilla Exempel" in cases
    assert "Dag Exempel" not in cases
    assert "Answered on" in explained
    assert "1480" not in explained.split("## 11")[0]
    fired, cleared = explained.split("## 13")[1].split("\n", 2)[1:]
    assert '"alertstate":"firing","instance":"127.0.0.1:9469"' in fired
    assert '"0"' in cleared
