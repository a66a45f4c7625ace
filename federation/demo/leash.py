"""Runs `upprop` commands, one after the other, or hosts nodes, and never outlives the process that started it.

The supervisor holds the other end of standard input. When that end closes, however the supervisor ended — SIGKILL
included — this process is told to stop, and stopped for good if it does not. PR_SET_PDEATHSIG would do so on Linux
alone, and would fire when the thread that started the command ends, not only when the process does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

GRACE_SECONDS = 5.0
THEN = "--then"
"""Stands between two commands; the second runs if the first succeeded."""
HOST = "--host"
"""Stands, in place of a command, before the settings files of nodes that are to run in this process."""


def main(arguments: Sequence[str]) -> None:
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    if arguments[:1] == [HOST]:
        _host([Path(settings) for settings in arguments[1:]])
        return
    # Imported only now: loading the commands takes a second in which the supervisor may die.
    from federation.cli import main as upprop

    command: list[str] = []
    for argument in (*arguments, THEN):
        if argument != THEN:
            command.append(argument)
            continue
        try:
            upprop(command)
        except SystemExit as ended:
            if ended.code not in (None, 0):
                raise
        command = []


def _host(settings: Sequence[Path]) -> None:
    from federation import tls13

    tls13.require()
    from federation.demo.hosting import serve
    from federation.errors import UppropError

    try:
        serve(settings)
    except UppropError as error:
        sys.exit(f"Error: {error.sentence} [{error.code.value}]")


def _hold() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
