"""Runs one `upprop` command that never outlives the process that started it.

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

GRACE_SECONDS = 5.0


def main() -> None:
    threading.Thread(target=_hold, name="leash", daemon=True).start()
    # Imported only now: loading the commands takes a second in which the supervisor may die.
    from federation.cli import main as upprop

    upprop(sys.argv[1:])


def _hold() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
