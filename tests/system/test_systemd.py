"""The units in helm/systemd as systemd itself reads them: needs Debian's systemd, which need not run."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "helm" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
EXPOSED_AT_MOST = 1.5
"""Of 10, as systemd reckons it: below 2 is what it calls OK; what is left is the network."""


def _analyze(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = shutil.which("systemd-analyze")
    assert command is not None, "Install Debian's systemd: apt-get install systemd"
    return subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they lie on a server; in place of the program one that is on every machine."""
    for path in UNITS.glob("upprop-*"):
        text = path.read_text(encoding="utf-8").replace("/opt/upprop/bin/upprop", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_systemd_understands_every_line(installed: Path) -> None:
    done = _analyze("verify", "--man=no", *(f"./{path.name}" for path in installed.iterdir()), cwd=installed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_unit_exposes_next_to_nothing(path: Path, installed: Path) -> None:
    done = _analyze("security", "--offline=true", "--no-pager", f"./{path.name}", cwd=installed)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found.group(1)) <= EXPOSED_AT_MOST


def test_calendars_of_timers_are_times(installed: Path) -> None:
    for path in installed.glob("*.timer"):
        [calendar] = re.findall(r"^OnCalendar=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        done = _analyze("calendar", calendar, cwd=installed)
        assert done.returncode == 0, done.stderr


def test_users_and_directories_are_understood(tmp_path: Path) -> None:
    users = shutil.which("systemd-sysusers")
    assert users is not None
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    made = subprocess.run(
        [users, f"--root={root}", str(UNITS / "sysusers.conf")], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    names = (root / "etc" / "passwd").read_text(encoding="utf-8")
    assert all(f"upprop-{role}:" in names for role in ("node", "registry", "evaluator", "dashboard"))
    files = shutil.which("systemd-tmpfiles")
    assert files is not None
    done = subprocess.run(
        [files, f"--root={root}", "--create", str(UNITS / "tmpfiles.conf")], capture_output=True, text=True, check=False
    )
    # Whoever is not root may give the directories to nobody; what is not understood is said with its line.
    assert not re.search(r"tmpfiles\.conf:\d+", done.stderr), done.stderr
    assert (root / "var/lib/upprop/node").is_dir()
