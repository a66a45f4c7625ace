"""Runs `upprop` commands, one after the other, that never outlive the process that started them.

The supervisor holds the other end of standard input. When that end closes, however the supervisor ended — SIGKILL
included — the command is told to stop, and stopped for good if it does not. PR_SET_PDEATHSIG would do so on Linux
alone, and would fire when the thread that started the command ends, not only when the process does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

GRACE_SECONDS = 5.0
THEN = "--then"
"""Stands between two commands; the second runs if the first succeeded."""


def main(arguments: Sequence[str]) -> None:
    threading.Thread(target=_hold, name="leash", daemon=True).start()
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


def _hold() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
