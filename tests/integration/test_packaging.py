"""The wheel: it holds all that a role needs, installs into an empty environment, and brings no more than asked for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files that are committed or would be, not from what lies about in the work tree."""
    home = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        source, copy = PROJECT / name, home / "source" / name
        if name and source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", str(home)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(home / "source")], check=True, timeout=300)
    (built,) = home.glob("upprop-*.whl")
    return built


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel in it; its `bin`. What the wheel requires is lent to it, not installed."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    options = ["--python", str(python), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *options], check=True, timeout=300)
    site = next(home.glob("lib/python*/site-packages"))
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def _requirements(metadata: Message, extra: str | None) -> Iterator[str]:
    """The names that an install with `extra` brings, extras of extras included."""
    for line in metadata.get_all("Requires-Dist") or ():
        requirement, _, marker = line.partition(";")
        wanted = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
        if (wanted.group(1) if wanted else None) not in (None, extra):
            continue
        name = re.match(r"[\w.-]+", requirement)
        assert name is not None
        own = re.match(r"upprop\[([\w,-]+)\]", requirement)
        if own:
            for each in own.group(1).split(","):
                yield from _requirements(metadata, each)
        else:
            yield name.group().lower()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_generated_contract_is_in_the_wheel_and_tests_are_not(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for module in ("control", "evaluator", "registry", "signal", "statistics"):
        assert {f"federation/v1/{module}_pb2.py", f"federation/v1/{module}_pb2.pyi"} <= names
        assert {f"federation/v1/{module}_pb2_grpc.py", f"federation/v1/{module}_pb2_grpc.pyi"} <= names
    assert any(name.startswith("node/store/migrations/") for name in names)
    assert any(name.startswith("registry/store/migrations/") for name in names)
    assert any(name.startswith("privacy/evaluator/store/migrations/") for name in names)
    assert {"registry/statistics/geography.csv", "registry/dashboard/geo/outlines.json"} <= names
    assert any(name.startswith("registry/dashboard/templates/") for name in names)
    assert any(name.startswith("registry/dashboard/static/") for name in names)
    assert not [name for name in names if name.startswith("tests/")]


def test_extra_brings_what_its_role_needs_and_no_more(metadata: Message) -> None:
    with_psycopg = {
        extra for extra in ("node", "evaluator", "registry", "demo") if "psycopg" in _requirements(metadata, extra)
    }
    assert with_psycopg == {"registry", "demo"}
    noise, pages = {"opendp", "xlsxwriter"}, {"jinja2", "starlette", "uvicorn"}
    brought = {
        extra: (noise | pages) & set(_requirements(metadata, extra)) for extra in ("node", "registry", "statistics")
    }
    assert brought == {"node": pages, "registry": noise, "statistics": pages}


def test_plain_install_brings_no_role(metadata: Message) -> None:
    plain = set(_requirements(metadata, None))
    assert {"psycopg", "rbcl", "personnummer", "urllib3"} & plain == set()
    # The authority has a plain install, and compares the words of a request.
    assert "mnemonic" in plain


WEB = ("jinja2", "starlette", "uvicorn")
CRYPTOGRAPHY = ("rbcl", "personnummer")


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("node.cli", ("psycopg", "registry", "opendp", *WEB)),
        ("privacy.evaluator.cli", ("psycopg", "registry", "opendp", *WEB)),
        ("registry.cli", WEB),
        # Whoever asks or shows statistics has neither the noise nor what writes files.
        ("registry.statistics.cli", ("psycopg", "opendp", "xlsxwriter", *CRYPTOGRAPHY, *WEB)),
        ("registry.dashboard.cli", ("psycopg", "opendp", "xlsxwriter", *CRYPTOGRAPHY)),
    ],
)
def test_role_loads_nothing_that_its_extra_does_not_bring(
    installed: Path, module: str, absent: tuple[str, ...], tmp_path: Path
) -> None:
    loaded = f"[name for name in sys.modules if name.partition('.')[0] in {absent!r}]"
    script = f"import sys, {module}; print({loaded})"
    done = subprocess.run(
        [installed / "python", "-c", script], cwd=tmp_path, env=_environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_installed_wheel_plays_the_demonstration(installed: Path, tmp_path: Path) -> None:
    environment = _environment()
    where = subprocess.run(
        [installed / "python", "-c", "import federation; print(federation.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert str(installed.parent) in where.stdout
    options = ["--members", "2", "--pupils", "20", "--weeks", "8", "--json"]
    done = subprocess.run(
        [installed / "upprop", "demo", *options],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["equals_truth"] is True
