"""Two clocks, and one daemon per data directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from federation.clock import ManualClock, SystemClock
from federation.errors import Code, UppropError
from federation.lock import LOCK_NAME, DaemonLock

ROOT = Path(__file__).resolve().parents[3]


def test_the_business_date_is_that_of_the_federations_zone() -> None:
    """Two zones that never share a date at all hours: one of them is always a day ahead."""
    early, late = SystemClock("Pacific/Kiritimati"), SystemClock("Pacific/Pago_Pago")
    assert timedelta(days=1) <= early.today() - late.today() <= timedelta(days=2)


def test_a_set_business_date_moves_no_other_clock() -> None:
    clock = ManualClock("Europe/Stockholm", date(2026, 8, 1))
    clock.set_today(date(2031, 1, 1))
    assert clock.today() == date(2031, 1, 1)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert clock.now().tzinfo is UTC


def test_a_manual_clock_without_a_date_starts_at_the_systems() -> None:
    zone = "Europe/Stockholm"
    before = SystemClock(zone).today()
    assert before <= ManualClock(zone).today() <= SystemClock(zone).today()


def test_the_lock_is_held_against_other_processes_and_freed_by_their_end(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from federation.lock import DaemonLock\n"
        "DaemonLock(pathlib.Path(sys.argv[1])).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UppropError) as refused:
            DaemonLock(tmp_path).acquire()
        holder.kill()
    assert refused.value.code is Code.STORE_LOCKED
    with DaemonLock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_a_lock_is_not_inherited_by_child_processes(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path)
    lock.acquire()
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        lock.release()
        with DaemonLock(tmp_path):
            child.kill()


def test_the_data_directory_becomes_its_users_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir(mode=0o755)
    with DaemonLock(directory):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
