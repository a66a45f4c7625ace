"""Ports for servers of tests that are stopped and started again at one address.

They lie below those that the system gives to whoever asks for any, and each of several test processes takes from a
range of its own: a port that is free stays so until the test uses it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator

FIRST = 20_000
RANGE = 3_000
WORKERS = 4


def _candidates() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    first = FIRST + worker * RANGE
    # Two runs on one machine do not walk in step.
    start = os.getpid() % RANGE
    return (first + (start + step) % RANGE for step in itertools.count())


_candidate = _candidates()


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = next(_candidate)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found
