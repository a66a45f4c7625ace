"""What follows from findings, and how they look."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from federation.doctor import printing
from federation.doctor.english import DOCTOR
from federation.doctor.findings import Level, Says, Topic, exit_code_of, failed, refused, warning, well
from federation.errors import EXIT_CLOCK, EXIT_PEER, EXIT_SECRET, Code, UppropError

WELL = well(Topic.DISK, Says.DISK_ROOM, free="1 GiB", size="2 GiB")
WARNED = warning(Topic.STORE, Says.STORE_ABSENT, role="node")
AWAY = failed(Topic.REGISTRY, Code.PEER_UNREACHABLE, Says.PEER_SILENT, "a", address="10.0.0.1:7450")
KEYLESS = refused(Topic.SECRET, UppropError(Code.SECRET_MISSING, "The secret x cannot be read: no such file."), "x")
LATE = failed(Topic.CLOCK, Code.CLOCK_WRONG, Says.CLOCK_FAR_BEHIND, name="a", seconds=600)


def test_warnings_alone_are_no_failure() -> None:
    assert exit_code_of([]) == exit_code_of([WELL, WARNED]) == 0


def test_the_exit_code_is_that_of_what_keeps_the_most_from_working() -> None:
    assert exit_code_of([AWAY, WARNED]) == EXIT_PEER
    assert exit_code_of([AWAY, LATE]) == EXIT_CLOCK
    assert exit_code_of([AWAY, LATE, KEYLESS]) == EXIT_SECRET


@pytest.mark.parametrize("says", Says)
def test_every_warning_and_failure_says_what_to_do(says: Says) -> None:
    fine = {
        Says.REFUSED,
        Says.SETTINGS_READ,
        Says.SECRET_SAFE,
        Says.DIRECTORY_WRITABLE,
        Says.DIRECTORY_TO_COME,
        Says.DAEMON_RUNS,
        Says.DISK_ROOM,
        Says.DESCRIPTOR_IN_FORCE,
        Says.CERTIFICATE_IN_FORCE,
        Says.CLOCK_RIGHT,
        Says.CLOCK_ALONE,
        Says.PEER_ANSWERS,
        Says.STORE_CURRENT,
    }
    assert ("\n" in DOCTOR[says]) == (says not in fine)


def test_what_is_shown_fits_the_terminal_and_breaks_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "64")
        code = printing.report([WELL, WARNED, AWAY, LATE], printing.english(), as_json=False)
    shown = capsys.readouterr().out
    assert code == EXIT_CLOCK
    *findings, _, last = shown.splitlines()
    assert max(map(len, findings)) <= 64
    assert "upprop node migrate" in shown
    assert last.startswith("Failed: 2. Warnings: 1.")


def test_a_terminal_that_knows_no_unicode_gets_plain_signs() -> None:
    @click.command()
    def command() -> None:
        printing.report([WELL, AWAY], printing.english(), as_json=False)

    shown = CliRunner(charset="ascii").invoke(command).stdout
    assert "ok Disk" in shown
    assert "-> " in shown


def test_every_topic_and_level_has_a_name() -> None:
    assert set(Topic) | set(Level) | set(Says) == set(DOCTOR)
