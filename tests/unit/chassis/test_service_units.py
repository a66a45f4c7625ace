"""The units in helm/systemd: what they start is there, they wait as long as a drain takes, and are shut in."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from federation import errors
from federation.cli import main
from federation.errors import Code, exit_code
from federation.rpc.server import DRAIN_SECONDS
from federation.web.serving import DRAIN_SECONDS as DASHBOARD_DRAIN_SECONDS

UNITS = Path(__file__).parents[3] / "helm" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
DAEMONS = [UNITS / f"upprop-{role}.service" for role in ("node", "registry", "evaluator", "dashboard")]
TIMERS = sorted(UNITS.glob("*.timer"))
PROGRAM = "/opt/upprop/bin/upprop"

PARTS = 4
"""Of a daemon that drain one after the other at most: two servers, the control socket, the workers."""

SANDBOX = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
    "LimitCORE": "0",
}


def parsed(path: Path) -> dict[str, dict[str, list[str]]]:
    """section → key → values, in their order."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
            continue
        key, equals, value = line.partition("=")
        assert equals, line
        section.setdefault(key, []).append(value)
    return found


def commands(path: Path) -> list[list[str]]:
    """The arguments of upprop in each command of a unit, shell wrapped around it or not."""
    return [
        shlex.split(found.group(1))
        for line in parsed(path)["Service"]["ExecStart"]
        if (found := re.search(rf"{PROGRAM} ([a-z -]+)", line)) is not None
    ]


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_what_a_unit_starts_is_a_command(path: Path) -> None:
    for arguments in commands(path):
        command: click.Command = main
        for word in arguments:
            assert isinstance(command, click.Group), (arguments, word)
            found = command.get_command(click.Context(command), word)
            assert found is not None, (arguments, word)
            command = found
    if path.stem != "upprop-registry-aside":
        assert commands(path)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_every_unit_is_shut_in(path: Path) -> None:
    service = parsed(path)["Service"]
    for key, value in SANDBOX.items():
        assert service.get(key) == [value], key
    assert service["SystemCallFilter"] == ["@system-service", "~@privileged"]
    [families] = service["RestrictAddressFamilies"]
    assert set(families.split()) <= {"AF_INET", "AF_INET6", "AF_UNIX"}
    [user] = service["User"]
    assert user != "root"
    assert service["Group"] == [user]


@pytest.mark.parametrize("path", DAEMONS, ids=lambda path: path.stem)
def test_a_daemon_is_given_longer_than_its_drain(path: Path) -> None:
    [seconds] = parsed(path)["Service"]["TimeoutStopSec"]
    assert float(seconds) > PARTS * DRAIN_SECONDS
    assert float(seconds) > 2 * DASHBOARD_DRAIN_SECONDS
    assert parsed(path)["Service"]["KillSignal"] == ["SIGTERM"]


@pytest.mark.parametrize("path", DAEMONS, ids=lambda path: path.stem)
def test_what_no_restart_mends_is_not_restarted(path: Path) -> None:
    service = parsed(path)["Service"]
    assert service["Restart"] == ["on-failure"]
    [listed] = service["RestartPreventExitStatus"]
    codes = {int(code) for code in listed.split()}
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert codes <= known
    for code in (
        Code.CONFIG_INVALID,
        Code.SECRET_MODE,
        Code.SCHEMA_NEWER,
        Code.LEDGER_BROKEN,
        Code.DIRECTORY_UNWRITABLE,
    ):
        assert exit_code(code) in codes
    # These pass by themselves: a database that starts, a port that is let go, a clock that is set.
    for code in (Code.STORE_UNREACHABLE, Code.PORT_TAKEN, Code.CLOCK_WRONG, Code.PEER_UNREACHABLE, Code.INTERNAL):
        assert exit_code(code) not in codes


@pytest.mark.parametrize("path", DAEMONS, ids=lambda path: path.stem)
def test_a_daemon_reads_the_settings_that_its_variable_names(path: Path) -> None:
    service = parsed(path)["Service"]
    [environment] = service["Environment"]
    [directory] = service["WorkingDirectory"]
    variable, _, config = environment.split()[0].partition("=")
    assert config == f"{directory}/config.toml"
    assert directory == f"/var/lib/{service['StateDirectory'][0]}"
    [arguments] = commands(path)
    command: click.Command = main
    for word in arguments:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None
        command = found
    assert variable in {option.envvar for option in command.params}


@pytest.mark.parametrize("path", TIMERS, ids=lambda path: path.stem)
def test_a_timer_has_its_service(path: Path) -> None:
    assert path.with_suffix(".service").exists()
    assert parsed(path)["Install"]["WantedBy"] == ["timers.target"]
    assert parsed(path)["Timer"]["OnCalendar"]


def test_users_and_directories_of_the_units_are_made() -> None:
    users = {line.split()[1] for line in (UNITS / "sysusers.conf").read_text().splitlines() if line.startswith("u ")}
    made = {
        line.split()[1]: line.split()[3]
        for line in (UNITS / "tmpfiles.conf").read_text().splitlines()
        if line.startswith("d ")
    }
    for path in SERVICES:
        service = parsed(path)["Service"]
        [user] = service["User"]
        assert user in users
        assert made[service["WorkingDirectory"][0]] == user
        for directory in service.get("ReadWritePaths", []):
            assert made[directory.removeprefix("-")] == user


def test_a_running_node_may_write_the_copies_that_its_timer_asks_for() -> None:
    """The command hands the path over to it."""
    node, backup = (parsed(UNITS / f"upprop-node{of}.service")["Service"] for of in ("", "-backup"))
    assert {path.removeprefix("-") for path in node["ReadWritePaths"]} == set(backup["ReadWritePaths"])
    assert all(path in backup["ExecStart"][0] for path in backup["ReadWritePaths"])
