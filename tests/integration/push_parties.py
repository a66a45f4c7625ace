"""A node that takes pushes, as a process of its own, and school systems that call it over real mutual TLS."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from federation.control import socket_path
from federation.v1 import enrolment_pb2
from tests.harness.push_client import PushClient, code_of
from tests.integration.test_node_cli import Upprop

TODAY = date(2026, 9, 21)
"""A Monday, some weeks into the term."""
DAY = timedelta(days=1)
UNKNOWN = enrolment_pb2.WITHDRAWAL_REASON_UNKNOWN_WHEREABOUTS
MOVED = enrolment_pb2.WITHDRAWAL_REASON_MOVED

COMMAND = "import sys; from federation.cli import main; main()"


class PushNode:
    """One node whose settings open a port for school systems."""

    def __init__(self, config: Path) -> None:
        config.write_text(config.read_text() + 'enrolment_listen = "127.0.0.1:0"\n')
        self.upprop = Upprop(config)
        self.data_dir = config.parent / "data"
        self.log_path = config.parent / "log.jsonl"
        self.upprop.ok("migrate")

    def add(self, name: str, *options: str) -> Path:
        """Credentials of a client."""
        directory = self.data_dir.parent / f"{name}{len(list(self.data_dir.parent.glob(f'{name}*')))}"
        self.upprop.ok("client", "add", name, "--out", str(directory), *options)
        return directory

    @contextmanager
    def serving(self, command: str = COMMAND, *, ends_with: int = 0) -> Iterator[subprocess.Popen[bytes]]:
        """The node as a process. `ends_with`: its return code, where it is not told to stop."""
        with self.log_path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", command, "node", "serve", "--config", str(self.upprop.config)],
                stderr=log,
                stdout=log,
            )
        try:
            give_up = time.monotonic() + 60
            while not self.is_up(process):
                assert process.poll() is None, self.log_path.read_text()
                assert time.monotonic() < give_up
                time.sleep(0.05)
            yield process
        finally:
            if ends_with == 0:
                process.send_signal(signal.SIGTERM)
            assert process.wait(30) == ends_with, self.log_path.read_text()

    def is_up(self, process: subprocess.Popen[bytes]) -> bool:
        # Whoever was killed leaves both files; the ports are written last.
        ports = self.data_dir / "ports.json"
        lock = self.data_dir / "daemon.lock"
        return (
            lock.exists()
            and lock.read_text().strip() == str(process.pid)
            and ports.exists()
            and ports.stat().st_mtime >= lock.stat().st_mtime
            and socket_path(self.data_dir).exists()
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{json.loads((self.data_dir / 'ports.json').read_text())['enrolment']}"

    def client(self, directory: Path, **options: Any) -> PushClient:
        return PushClient(self.address, directory, **options)

    def cases(self) -> list[dict[str, Any]]:
        """After what can be done without the other parties."""
        self.upprop("sync")
        listed: list[dict[str, Any]] = self.upprop.json("cases")["cases"]
        return listed

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(grpc.RpcError) as error:
        yield
    assert code_of(error.value) == code


def stored(node: PushNode, query: str) -> list[Any]:
    with sqlite3.connect(node.data_dir / "node.sqlite") as connection:
        return connection.execute(query).fetchall()


def content_of(node: PushNode) -> list[Any]:
    """All that pushes change, as far as equality goes."""
    tables = ("records", "pupils", "sayings", "imports", "pushes", "roster_parts")
    return [stored(node, f"select * from {table} order by 1, 2") for table in tables]
