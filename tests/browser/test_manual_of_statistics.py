"""What docs/manual/statistics.md tells people to type works as it stands, on the statistics as they run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from federation import control
from federation.settings import load
from registry.statistics.publishing import client
from registry.statistics.settings import ReaderSettings
from tests.harness.statistics_site import StatisticsSite

PROJECT = Path(__file__).resolve().parents[2]
MANUAL = (PROJECT / "docs" / "manual" / "statistics.md").read_text(encoding="utf-8")
EXAMPLE = "http://127.0.0.1:7460"
ADDRESSES = re.findall(rf"{EXAMPLE}/api[^'\"\s>]*", MANUAL)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", MANUAL, re.MULTILINE | re.DOTALL)


def fetch(address: str, site: StatisticsSite, body: str | None = None) -> bytes:
    request = urllib.request.Request(
        address.replace(EXAMPLE, site.public),
        None if body is None else body.encode(),
        {"Content-Type": "application/json"} if body is not None else {},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


@pytest.fixture
def drawn(site: StatisticsSite) -> Iterator[None]:
    """Further questions are drawn meanwhile: on a manual clock no worker does it, but whoever publishes."""
    enough = threading.Event()

    def publish() -> None:
        with control.connect(site.registry.data_dir) as stub:
            while not enough.wait(1):
                client.publish(stub, "")

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish)
        yield
        enough.set()
        publishing.result(60)


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("number", [n for n, block in enumerate(blocks("sh")) if "federation " not in block])
def test_commands_work_in_the_order_they_stand(number: int, site: StatisticsSite, tmp_path: Path) -> None:
    command = tmp_path / "bin" / "upprop"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m federation.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    done = subprocess.run(
        [str(shutil.which("bash")), "-euo", "pipefail", "-c", blocks("sh")[number]],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PROJECT),
            "UPPROP_READER_CONFIG": str(site.reader("statistics")),
            "UPPROP_REGISTRY_CONFIG": str(site.federation.registry),
        },
        input="y\n",
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for written in tmp_path.glob("*.*"):
        assert written.stat().st_size > 0


def test_addresses_answer(site: StatisticsSite) -> None:
    assert len(ADDRESSES) >= 5
    for address in ADDRESSES:
        assert fetch(address, site), address


def test_the_question_in_a_body_is_one(site: StatisticsSite) -> None:
    [body] = blocks("json")
    dataset = json.loads(fetch(f"{EXAMPLE}/api/v2/tables/county-month/data", site, body))
    assert dataset["size"] == [21, 12, 3]


def test_the_program_in_python_finds_stockholm(site: StatisticsSite) -> None:
    [program] = blocks("python")
    names: dict[str, Any] = {}
    exec(program.replace(EXAMPLE, site.public), names)
    assert [row["Tid"] for row in names["stockholm"]] == ["2025", "2026"]


def test_the_settings_are_settings(tmp_path: Path) -> None:
    [settings] = blocks("toml")
    config = tmp_path / "config.toml"
    config.write_text(settings, encoding="utf-8")
    assert load(config, ReaderSettings).public_url == "https://statistik.example.se"
