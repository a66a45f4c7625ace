"""`upprop node subject erase --wait`: syncs until the registry has taken back what was said, and the pupil is erased.

Invariant: it only waits. What was begun goes on with the node's own syncs, however the waiting ends.
"""

from __future__ import annotations

import enum
import time

import click

from federation.control import Stub
from federation.errors import EXIT_INPUT, EXIT_INTERRUPTED, EXIT_PEER
from node import printing
from node.client import Answer, Client
from node.subject import client
from node.subject.texts import SubjectText
from node.wording import Words

pause = time.sleep
PAUSE_SECONDS = 10
FAILURES = 3
"""So many syncs in a row that met a problem and got nowhere: a registry that is restarted is back by then."""


class Outcome(enum.Enum):
    """What came of it: its sentence and exit code."""

    DONE = SubjectText.ERASED, 0
    BEGUN = SubjectText.BEGUN, 0
    COME_BACK = SubjectText.COME_BACK, EXIT_INPUT
    NOT_TAKEN = SubjectText.NOT_TAKEN, EXIT_PEER
    UNREACHED = SubjectText.UNREACHED, EXIT_PEER
    INTERRUPTED = SubjectText.INTERRUPTED, EXIT_INTERRUPTED

    @property
    def text(self) -> SubjectText:
        return self.value[0]

    @property
    def exit_code(self) -> int:
        return self.value[1]

    @classmethod
    def of(cls, line: Answer) -> Outcome:
        """As the request's line shows it."""
        if line["state"] == "PENDING":
            return cls.NOT_TAKEN if "not_taken" in line else cls.BEGUN
        return cls.DONE if line["state"] == "DONE" else cls.COME_BACK


def wait(stub: Stub, request_id: int, words: Words, *, quiet: bool) -> Outcome:
    """Sync until it is done, cannot be, or the person interrupts. Raises UppropError."""
    begun, failures, told = time.monotonic(), 0, set[str]()
    try:
        while True:
            report = printing.watch(Client(stub).sync(notices_only=False), quiet=quiet, words=words)
            for problem in report["problems"]:
                if problem not in told:
                    click.echo(f"! {problem}", err=True)
            told.update(report["problems"])
            outcome = Outcome.of(client.request(stub, request_id))
            if outcome is not Outcome.BEGUN:
                return outcome
            # That other signals are parked is said too, and is no failure of this sync.
            failures = failures + 1 if len(report["problems"]) > bool(report["parked"]) else 0
            if failures == FAILURES:
                return Outcome.UNREACHED
            waited = int(time.monotonic() - begun)
            click.echo(words(SubjectText.WAITS, seconds=waited, pause=PAUSE_SECONDS), err=True)
            pause(PAUSE_SECONDS)
    except KeyboardInterrupt:
        return Outcome.INTERRUPTED
