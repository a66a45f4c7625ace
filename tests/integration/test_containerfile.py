"""The image, as far as it can be tried without a container engine: what its file says, and what its steps come to.

No image is built here. The steps that make its content are run as they stand: the wheel is built, put into an empty
environment and started as the image would, by another user, without a home, on what it may not write.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.errors import EXIT_CONFIGURATION
from tests.integration.test_packaging import wheel

__all__ = ["wheel"]

PROJECT = Path(__file__).resolve().parents[2]
TEXT = (PROJECT / "Containerfile").read_text(encoding="utf-8")
IGNORED = (PROJECT / ".containerignore").read_text(encoding="utf-8").splitlines()
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
USER = 10_001


def _steps() -> list[tuple[str, str]]:
    """(instruction, rest) in their order; comments and continued lines joined away."""
    lines = [line for line in TEXT.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined if line)]


STEPS = _steps()
LAST = STEPS[max(place for place, (word, _) in enumerate(STEPS) if word == "FROM") :]


def test_every_instruction_is_one() -> None:
    known = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "LABEL", "RUN", "STOPSIGNAL", "USER", "WORKDIR"}
    assert {word for word, _ in STEPS} <= known


def test_the_image_runs_as_one_who_is_not_root_and_without_a_shell() -> None:
    said = dict(LAST)
    assert said["USER"] == f"{USER}:{USER}"
    assert json.loads(said["ENTRYPOINT"]) == ["/opt/upprop/bin/upprop"]
    assert json.loads(said["CMD"]) == ["--help"]
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert [word for word, _ in LAST if word == "RUN"] == []


def test_the_base_can_be_named_by_digest() -> None:
    assert [rest for word, rest in STEPS if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert "BASE=python:3.13-slim-bookworm@sha256:" in TEXT


def test_the_build_has_all_that_it_copies_and_nothing_else() -> None:
    copied = {
        source
        for word, rest in STEPS
        if word == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    }
    assert all((PROJECT / source).exists() for source in copied)
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} == copied
    assert set(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied


def test_its_extras_are_those_of_every_role() -> None:
    [extras] = [rest.removeprefix("EXTRAS=") for word, rest in STEPS if word == "ARG" and rest.startswith("EXTRAS=")]
    offered = PYPROJECT["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(offered)
    assert offered["demo"] == [f"upprop[{extras}]"]


def test_labels_say_the_version_that_it_holds() -> None:
    assert f'org.opencontainers.image.version="{PYPROJECT["project"]["version"]}"' in TEXT
    assert f'org.opencontainers.image.licenses="{PYPROJECT["project"]["license"]}"' in TEXT


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Iterator[Path]:
    """What `/opt/upprop` of the image is: an empty environment without pip, with the wheel; others may read it."""
    home = Path(tempfile.mkdtemp(prefix="upprop-image-"))
    home.chmod(0o755)
    made = home / "upprop"
    venv.create(made, symlinks=True, with_pip=False)
    options = ["--python", str(made / "bin" / "python"), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *options], check=True, timeout=300)
    site = next(made.glob("lib/python*/site-packages"))
    # What the wheel requires is lent to it.
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (home / "work").mkdir(mode=0o555)
    yield made
    shutil.rmtree(home)


def _somebody_else(program: Path) -> int | None:
    """User 10001, where this process may become it and that one may read interpreter and libraries; else None."""
    if os.geteuid() != 0:
        return None
    try:
        tried = subprocess.run([program, "--version"], env={}, capture_output=True, check=False, user=USER, group=USER)
    except PermissionError:
        return None
    return USER if tried.returncode == 0 else None


def _run(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = environment / "bin" / "upprop"
    said = {name: value for name, _, value in (each.partition("=") for each in dict(LAST)["ENV"].split())}
    # As the image, but for where it lies.
    variables = {**said, "PATH": said["PATH"].replace("/opt/upprop", str(environment))}
    other = _somebody_else(program)
    return subprocess.run(
        [program, *arguments],
        cwd=environment.parent / "work",
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        user=other,
        group=other,
    )


def test_the_entry_point_starts_as_another_user_on_what_it_may_not_write(environment: Path) -> None:
    done = _run(environment, "--version")
    assert done.returncode == 0, done.stderr
    assert PYPROJECT["project"]["version"] in done.stdout
    for role in ("node", "registry", "evaluator"):
        shown = _run(environment, role, "--help")
        assert shown.returncode == 0, shown.stderr
    assert not list((environment.parent / "work").iterdir())


def test_a_role_without_settings_says_so_and_ends(environment: Path) -> None:
    done = _run(environment, "node", "serve", "--config", "/var/lib/upprop/config.toml")
    assert done.returncode == EXIT_CONFIGURATION
    assert "/var/lib/upprop/config.toml cannot be read" in done.stderr
