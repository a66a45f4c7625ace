"""Whether the whole journal is as it was written, with what is attached; and that it was not set back.

What was seen last, the newest row and its place in the chain, is kept in a file beside the store, sealed under the
record key and in no copy: a store in whose place an older one was put is found out at the next look. `upprop node
restore` takes the file away, for then people know.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from federation import files
from federation.clock import Clock
from federation.database import Database
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from node.casework.journal.known import KnownFlaw, KnownFlaws
from node.casework.journal.model import Entry, Flaw, FlawKind
from node.store import Transaction
from node.store.attachments import Attachments
from node.store.case_keys import CaseKeys
from node.store.chain import Chain, Seen, was_emptied
from node.store.journal import Journal
from node.store.sealing import Sealer, SealError

SEEN = "journal.seen"
LOOK_SECONDS = 12 * 3_600.0

JOURNAL_FLAWED = Event("journal_flawed", ("flaws",), Level.ERROR)
JOURNAL_ACKNOWLEDGED = Event("journal_flaws_acknowledged", ("flaws",), Level.WARNING)


class JournalMetrics:
    """What an operator sees of the journal: that rows of it were touched, never whose."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.flaws = Gauge(
            "upprop_journal_flawed_rows",
            "Rows of the journal that are not as they were written, those that are acknowledged left out: "
            "upprop node journal verify names them.",
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows were looked at, what is wrong, and what of it is known to everybody concerned."""

    rows: int
    flaws: tuple[Flaw, ...]
    known: Mapping[Flaw, KnownFlaw] = field(default_factory=dict)

    @property
    def new(self) -> tuple[Flaw, ...]:
        return tuple(flaw for flaw in self.flaws if flaw not in self.known)


class _Kept(msgspec.Struct, frozen=True):
    position: int
    chain: bytes


class Looking:
    """At the rows alone, and at what was seen of them last."""

    def __init__(self, sealer: Sealer, data_dir: Path) -> None:
        self._sealer, self._chain = sealer, Chain(sealer)
        self._path = data_dir / SEEN

    def look(self, tx: Transaction) -> tuple[Seen, list[Flaw]]:
        """The last row, and every row that is not as it was written; nothing is kept of it."""
        flaws, before = list(self._chain.flaws(tx)), self._last()
        if before is None or not self._chain.holds(tx, before):
            flaws.append(Flaw(1 if before is None else before.position, FlawKind.SET_BACK))
        return self._chain.seen(tx), flaws

    def keep(self, seen: Seen) -> None:
        """Hold every later look against this one."""
        content = msgspec.json.encode(_Kept(seen.position, seen.chain))
        files.replace(self._path, self._sealer.seal(*_PLACE, content), mode=files.SECRET_MODE)

    def _last(self) -> Seen | None:
        """None where the file was touched; of nothing seen the place before the first row."""
        if not self._path.exists():
            return Seen(0, bytes(32))
        try:
            kept = msgspec.json.decode(self._sealer.open(*_PLACE, self._path.read_bytes()), type=_Kept)
        except SealError:
            return None
        return Seen(kept.position, kept.chain)


class Verifying:
    """Looks through the journal of a node."""

    def __init__(self, database: Database, keys: CaseKeys, sealer: Sealer, data_dir: Path) -> None:
        self._database, self._keys = database, keys
        self._known = KnownFlaws(sealer, data_dir)
        self._looking, self._journal, self._attachments = (
            Looking(sealer, data_dir),
            Journal(keys, sealer),
            Attachments(keys),
        )

    def verify(self) -> Verified:
        """Every row, in the order of the positions, and every attachment; what was seen is kept."""
        seen, flaws = self._database.view("journal_verify", self._looking.look)
        if all(flaw.what is not FlawKind.SET_BACK for flaw in flaws):
            self._looking.keep(seen)
        return self._against_known(seen, (*flaws, *self._attached()))

    def acknowledge(self, by: str, on: date) -> Verified:
        """As `verify`; what is found is known from now on, and a journal that was set back is followed as it is.

        Returns what was new.
        """
        seen, flaws = self._database.view("journal_verify", self._looking.look)
        verified = self._against_known(seen, (*flaws, *self._attached()))
        lasting = [flaw for flaw in verified.new if flaw.what is not FlawKind.SET_BACK]
        self._database.view("journal_acknowledge", lambda tx: self._known.note(tx, lasting, by, on))
        self._looking.keep(seen)
        return verified

    def _against_known(self, seen: Seen, flaws: tuple[Flaw, ...]) -> Verified:
        known = self._database.view("journal_known", lambda tx: self._known.of(tx, flaws))
        return Verified(seen.position, flaws, known)

    def _attached(self) -> list[Flaw]:
        """Attachments that are not what their entries say. One at a time: they are large."""
        told = self._database.view("journal_attachments", self._journal.attached)
        return [
            Flaw(entry.position, FlawKind.ATTACHMENT, entry.file_id)
            for entry in told
            if not self._database.view("journal_attachment", functools.partial(self._fits, entry=entry))
        ]

    def _fits(self, tx: Transaction, entry: Entry) -> bool:
        body = entry.body or {}
        try:
            found = self._attachments.load(tx, bytes.fromhex(body["attachment"]))
        except SealError:
            return False
        if found is None:
            # Shredded since the entries were read, or shredded but for its key.
            return not self._keys.known(entry.file_id) or was_emptied(tx, entry.file_id, entry.position)
        attachment, content = found
        return attachment.file_id == entry.file_id and hashlib.sha256(content).hexdigest() == body["sha256"]


class Watching:
    """Verifies from time to time, and says it aloud where something is wrong that nobody has acknowledged."""

    def __init__(self, verifying: Verifying, metrics: JournalMetrics, clock: Clock, log: Log) -> None:
        self._verifying, self._metrics, self._clock, self._log = verifying, metrics, clock, log

    def run(self) -> Verified:
        verified = self._verifying.verify()
        self._metrics.flaws.set(len(verified.new))
        if verified.new:
            self._log(JOURNAL_FLAWED, flaws=len(verified.new))
        return verified

    def acknowledge(self, by: str) -> int:
        """A person says that everybody concerned knows; returns how many flaws were new. UppropError(INPUT_REFUSED)."""
        if not by.strip():
            raise UppropError(Code.INPUT_REFUSED, "Give your name: what was touched is acknowledged by a person.")
        new = self._verifying.acknowledge(by.strip(), self._clock.today()).new
        self._log(JOURNAL_ACKNOWLEDGED, flaws=len(new))
        self._metrics.flaws.set(0)
        return len(new)


_PLACE = ("journal", b"seen", "newest")
