"""Alarms about the registry's ledger: raised once for each thing that was found, and standing until a named person has
seen it.

An alarm stops nothing: signals go on being sent and case files opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Log
from node.ledger.findings import OF_THE_TREE, Finding
from node.ledger.observability import ALARMS_ACKNOWLEDGED, LEDGER_ALARM, LedgerMetrics
from node.ledger.telling import alarm_sentence
from node.store import Transaction
from node.store.ledger import Alarm, AlarmBook, Ledgers
from node.store.sealing import Sealer
from node.wording import Language, words_in


class Alarms:
    """The node's alarms."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock, metrics: LedgerMetrics, log: Log) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._book = AlarmBook(sealer)
        self._ledgers = Ledgers(sealer)

    def raise_in(self, tx: Transaction, findings: Iterable[Finding]) -> tuple[Alarm, ...]:
        """Keep what was not found before, within the caller's transaction; to be told of with `tell` after it."""
        return self._book.raise_new(tx, findings, self._clock.today(), self._clock.now())

    def tell(self, raised: Iterable[Alarm]) -> None:
        """Log new alarms and show how many stand."""
        for alarm in raised:
            self._log(
                LEDGER_ALARM,
                alarm=alarm.alarm_id,
                kind=alarm.kind,
                first=alarm.first,
                last=alarm.last,
                witness=alarm.witness,
            )
        self.show_last()

    def raise_all(self, findings: Iterable[Finding]) -> tuple[Alarm, ...]:
        """Raise what was not found before, and return it."""
        found = tuple(findings)
        if not found:
            return ()
        raised = self._database.run("node_ledger_alarms", lambda tx: self.raise_in(tx, found))
        self.tell(raised)
        return raised

    def standing(self) -> tuple[Alarm, ...]:
        return self._database.view("node_alarms_standing", self._book.standing)

    def number_in(self, tx: Transaction) -> int:
        """How many stand."""
        return len(self._book.standing(tx))

    def all(self) -> tuple[Alarm, ...]:
        return self._database.view("node_alarms", self._book.all)

    def acknowledge(self, by: str) -> tuple[Alarm, ...]:
        """A person has seen all that stand; returns them. Raises UppropError(INPUT_REFUSED) without a name.

        What was found stays on record and is not raised again. Where the tree itself was changed, the node follows the
        ledger from the next checkpoint on as the registry then shows it: it would see no further change otherwise.
        """
        if not by.strip():
            raise UppropError(Code.INPUT_REFUSED, "Give your name: an alarm is acknowledged by a person.")

        def work(tx: Transaction) -> tuple[Alarm, ...]:
            standing = self._book.standing(tx)
            self._book.acknowledge(tx, [alarm.alarm_id for alarm in standing], by.strip(), self._clock.now())
            if any(alarm.kind in OF_THE_TREE for alarm in standing):
                self._ledgers.begin_anew(tx)
            return standing

        seen = self._database.run("node_alarms_acknowledge", work)
        self._log(ALARMS_ACKNOWLEDGED, alarms=len(seen))
        self.show_last()
        return seen

    def show_last(self) -> None:
        """Show in the metrics what stands: at start, and after each change."""
        self._metrics.alarms.set(len(self.standing()))


def fields(alarm: Alarm) -> Mapping[str, Any]:
    """An alarm as the control contract shows it; what is not known is left out."""
    known = {
        "alarm_id": alarm.alarm_id,
        "kind": alarm.kind.value,
        "first_index": alarm.first,
        "last_index": alarm.last,
        "witness": alarm.witness,
        "raised_on": alarm.raised_on.isoformat(),
        "acknowledged_by": alarm.acknowledged_by,
    }
    return {name: value for name, value in known.items() if value is not None}


def sentences(alarms: Iterable[Alarm]) -> list[str]:
    """Alarms among a sync's problems, which are for operators."""
    english = words_in(Language.ENGLISH)
    return [f"ALARM {alarm.alarm_id} about the registry: {alarm_sentence(fields(alarm), english)}" for alarm in alarms]
