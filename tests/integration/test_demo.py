"""`upprop demo`: it ends with the truth found, and however it ends, it leaves no process behind."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from federation.demo.generator import Recipe, generate, write
from federation.demo.office import STAFF, Worker
from federation.web.i18n import Language
from node.casework.actor import Role
from node.console.wording import texts

MARK = "UPPROP_TEST_MARK"
GONE_SECONDS = 20.0
SMALL = ("demo", "--members", "2", "--pupils", "20", "--weeks", "8")


@contextmanager
def _started(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """An `upprop` process, and the mark that every process it starts inherits."""
    mark = secrets.token_hex(8)
    process = subprocess.Popen(
        [sys.executable, "-m", "federation.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, MARK: mark, "COLUMNS": "80"},
    )
    try:
        yield process, mark
    finally:
        process.kill()
        for each in _marked(mark):
            each.kill()
        process.communicate()


def _marked(mark: str) -> list[psutil.Process]:
    """The processes that bear `mark`, dead ones left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _left_behind(mark: str) -> list[int]:
    """The marked processes that are still there after a while."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return [process.pid for process in left]


def _wait_for_parties(mark: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(_marked(mark)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_small_demo_finds_what_the_generator_knows() -> None:
    with _started(*SMALL) as (process, mark):
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        text = output.decode()
        assert "Who was found" in text
        assert "still missing" in text
        counts = dict(re.findall(r"^ +(\S.*?) {2,}(\d+) *$", text, re.MULTILINE))
        assert counts["Cases that the truth asks for"] != "0"
        assert counts["opened on the right day and with the right outcome"] == counts["Cases that the truth asks for"]
        assert counts["missed"] == counts["False alarms"] == "0"
        assert max(len(line) for line in text.splitlines()) <= 80
        assert _left_behind(mark) == []


def test_a_demo_that_serves_shows_cases_that_people_have_worked_until_it_is_told_to_end() -> None:
    with _started(*SMALL, "--serve") as (process, mark):
        assert process.stdout is not None
        told = ""
        while "They end with Ctrl-C." not in told:
            line = process.stdout.readline().decode()
            assert line, process.communicate()[1].decode()
            told += line
        assert "Who was found" in told
        board = Worker(re.findall(r"http://127\.0\.0\.1:\d+", told)[0], "Sam", (Role.CASEWORKER,))
        paths = [link for link in board.read("/sv/").links if link.startswith("/sv/arenden/")]
        names = [name for name, _ in STAFF]
        assert any(name in board.read(path).text for path in paths for name in names)
        # Nor is any other page empty: both members miss one pupil, and each asks to withdraw one.
        sv = texts(Language.SWEDISH)
        for page, nothing in (("kontakter", "contacts.none"), ("sparrar", "holds.none"), ("uppgifter", "tasks.none")):
            assert sv(nothing) not in board.read(f"/sv/{page}").text
        assert sv("tasks.absence") in board.read("/sv/uppgifter").text
        assert sv("tasks.not-placed") in board.read("/sv/uppgifter").text
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert _left_behind(mark) == []


def test_json_demo_states_that_it_equals_the_truth() -> None:
    with _started(*SMALL, "--seed", "7", "--json") as (process, _):
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        assert json.loads(output)["equals_truth"] is True


@pytest.mark.parametrize(
    ("parties", "sent"),
    [
        *((parties, signal.SIGINT) for parties in (1, 2, 5, 7)),
        *(pytest.param(parties, signal.SIGTERM, marks=pytest.mark.long) for parties in (1, 2, 5)),
        (7, signal.SIGTERM),
    ],
)
def test_interrupt_leaves_no_process_behind(sent: signal.Signals, parties: int) -> None:
    """With one party only the demonstration itself runs, with five its servers are starting, with seven all are."""
    with _started(*SMALL) as (process, mark):
        _wait_for_parties(mark, parties)
        if parties == 1:
            time.sleep(0.4)  # Python itself needs a moment before it can be asked anything
        process.send_signal(sent)
        # What Python is told while it collects garbage or starts is lost: whoever sits there presses Ctrl-C again.
        while parties == 1 and process.poll() is None:
            time.sleep(1)
            process.send_signal(sent)
        process.communicate(timeout=60)
        # On a busy machine Python may still be starting, and ends in its own way.
        assert process.returncode in (1, 130, -sent) if parties == 1 else process.returncode == 130
        assert _left_behind(mark) == []


def test_second_interrupt_does_not_stop_the_stopping() -> None:
    with _started(*SMALL) as (process, mark):
        _wait_for_parties(mark, 7)
        for _ in range(5):
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        process.communicate(timeout=60)
        assert _left_behind(mark) == []


@pytest.mark.parametrize("parties", [3, 7])
def test_killed_demo_leaves_no_process_behind(parties: int) -> None:
    with _started(*SMALL) as (process, mark):
        _wait_for_parties(mark, parties)
        process.kill()
        process.wait()
        assert _left_behind(mark) == []


def test_killed_simulation_leaves_no_host_of_nodes_behind(tmp_path: Path) -> None:
    write(generate(Recipe(seed=1, members=2, weeks=6, pupils=5, kinds={"lost": 1})), tmp_path / "scenario")
    command = ("simulate", str(tmp_path / "scenario"), "--out", str(tmp_path / "out.json"), "--node-processes", "1")
    with _started(*command) as (process, mark):
        _wait_for_parties(mark, 6)
        process.kill()
        process.wait()
        assert _left_behind(mark) == []
