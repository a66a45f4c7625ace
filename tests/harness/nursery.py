"""Processes that start at once, to be killed: forked from one that has all code loaded and has opened nothing.

Started anew, a role takes most of a second to load its code, and two hundred of them minutes. What runs in a fork is
the same command as ever, in a process of its own, with its own files and its own end.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]


class Nursery:
    """A context manager: every process that was started in it has ended when it is left."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.harness.nursery"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)

    def start(self, arguments: Sequence[str], log: Path) -> int:
        """Run `upprop <arguments>`, its words appended to `log`; returns its process id."""
        return int(self._ask(start=list(arguments), log=str(log)))

    def kill(self, pid: int) -> None:
        """End it as a power cut would, and return when it is over."""
        self._ask(kill=pid)

    def _ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _main() -> None:
    from federation.cli import main as upprop

    load()
    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                _become(order["log"])
                upprop(order["start"])
                os._exit(0)
            children.add(pid)
            answer = pid
        else:
            answer = order["kill"]
            _end(answer)
            children.discard(answer)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children:
        _end(pid)


def load() -> None:
    """The code of every role; none of it makes a thread, a channel or a connection while it is loaded."""
    for module in ("alembic.command", "node.app", "node.cli", "privacy.evaluator.cli", "registry.app", "registry.cli"):
        importlib.import_module(module)


def _become(log: str) -> None:
    """A process with its own log, and without the parent's orders."""
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (words, 1), (words, 2)):
        os.dup2(source, number)


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    _main()
