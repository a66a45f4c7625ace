"""docs/manual/installing.md: its commands and units are there; its drills, restores and upgrades run as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from federation import throwaway
from privacy.keys import deal_epoch
from tests.integration import test_readme
from tests.integration.test_readme import BLOCK, PROJECT, path

__all__ = ["path"]

TEXT = (PROJECT / "docs" / "manual" / "installing.md").read_text(encoding="utf-8")
# Within a list they are indented.
BLOCKS = BLOCK.findall(re.sub(r"^   ", "", TEXT, flags=re.MULTILINE))
LINES = [line for block in BLOCKS for line in block.splitlines()]
SECTIONS = dict(re.findall(r"^## (.+?)$\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
UNITS = PROJECT / "helm" / "systemd"


def section(title: str) -> str:
    """The commands of a section, one script."""
    return "\n".join(BLOCK.findall(re.sub(r"^   ", "", SECTIONS[title], flags=re.MULTILINE)))


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("as ")])
def test_what_is_typed_as_a_role_is_a_command_of_that_role(line: str) -> None:
    role, command = re.fullmatch(r"as (\w+) (upprop .*)", line).groups()  # type: ignore[union-attr]
    assert f"upprop-{role} " in (UNITS / "sysusers.conf").read_text(encoding="utf-8")
    test_readme.test_commands_and_options_that_the_texts_name_exist(command)


def test_units_and_files_that_are_named_are_there() -> None:
    for name in re.findall(r"upprop-[a-z-]+\.(?:service|timer)", TEXT):
        assert (UNITS / name).exists(), name
    for name in re.findall(r"helm/systemd/([a-z]+\.conf)", TEXT):
        assert (UNITS / name).exists(), name
    extras = set(re.findall(r"upprop\[(\w+)\]", TEXT))
    pyproject = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = ", pyproject, re.MULTILINE) for extra in extras)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A machine's directories with a node, a registry and an evaluator in them, that were begun."""
    federation = throwaway.dev(
        tmp_path / "made",
        [throwaway.DevMember("0180")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(0, (0, 0, 0)),
        today=date(2026, 9, 14),
    )
    home = tmp_path / "server" / "lib"
    home.mkdir(parents=True)
    shutil.copy2(federation.descriptor, home)
    shutil.copytree(federation.directory / "authority", home / "authority")
    for role, name in (("node", "node-0180"), ("registry", "registry"), ("evaluator", "evaluator-1")):
        shutil.copytree(federation.directory / name, home / role)
        (tmp_path / "server" / "backups" / role).mkdir(parents=True)
    (tmp_path / "server" / "backups" / "node-keys").mkdir(mode=0o700)
    return home.parent


def play(server: Path, path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """A script of the manual on this machine, where nobody is root, no systemd runs and nothing is fetched."""
    script = re.sub(r"^sudo (systemctl|/opt/upprop/bin/pip) .*$", "true", script, flags=re.MULTILINE)
    script = script.replace("sudo ", "").replace("/var/lib/upprop", f"{server}/lib")
    script = script.replace("/var/backups/upprop", f"{server}/backups")
    start = (
        f"as() {{ role=$1; shift; (cd {server}/lib/$role; "
        'export "UPPROP_${role^^}_CONFIG=$PWD/config.toml"; "$@"); }'
    )
    done = test_readme._run(f"{start}\n{script}", server, path)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done


BEGUN = "as node upprop node migrate\nas registry upprop registry migrate\nas evaluator upprop evaluator migrate\n"


def test_the_drills_run_as_they_stand(server: Path, path: Path) -> None:
    done = play(server, path, BEGUN + section("A drill"))
    assert "Restored the copy of" in done.stdout
    assert "is whole" in done.stdout
    left = {each.name for role in ("node", "registry") for each in (server / "backups" / role).iterdir()}
    assert left == set()
    assert not (server / "lib" / "drill").exists()


def test_upgrades_moves_and_restores_run_as_they_stand(server: Path, path: Path) -> None:
    play(server, path, BEGUN + section("A new version"))
    first, *second = section("Another machine").split("as node upprop node restore")
    play(server, path, first)
    shutil.rmtree(server / "lib" / "node" / "data")
    play(server, path, "as node upprop node restore".join(["", *second]))
    newest = section("When a node is lost").replace("NEWEST", "before")
    assert "Restored" in play(server, path, f"export UPPROP_LANG=en\n{newest}").stdout
    copy = "as registry upprop registry backup /var/backups/upprop/registry/NEWEST.sqlite\n"
    restored, _, _ = section("When the registry is lost").partition("sudo systemctl start")
    done = play(server, path, copy + restored)
    assert "upprop evaluator witness reset ledger.restored" in done.stdout


def test_the_shortcut_is_one_that_bash_understands() -> None:
    [shortcut] = [line for line in LINES if line.startswith("as() ")]
    checked = subprocess.run(["/bin/bash", "-n", "-c", shortcut], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, ""), sys.platform
