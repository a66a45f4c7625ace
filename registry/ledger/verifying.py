"""Comparing the ledger with itself, with what was signed, and with the database. What `upprop ledger verify` does.

In this order:

1. Tree: the leaves have no hole, every node above them follows from them, and so do size and frontier in the sequence
   row; every checkpoint that was kept outside the database is of a tree this one began with.
2. Leaves: each follows from its batch or its hour; a batch's stored digest from its rows, answer and signature, and the
   signature holds; an hour's root from its entries. Content is missing exactly where a purge lists it.
3. What stands: every signal is the newest version that was taken, and says what its digest says; every gap and case
   stands as the newest entry about it has it (where one hour holds several, as one of them); every notice was given,
   and every one that was given is there. What retention has taken away leaves what it says it leaves.

What this cannot see: what was changed before its hour was sealed; and a change of everything, back to a checkpoint that
nobody outside has kept, by whoever holds the ledger's key as well. For that there are members and witnesses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from federation.checkpoint import Checkpoint
from federation.errors import UppropError
from federation.rules.canonical import batch_leaf, content_digest, hourly_leaf
from federation.rules.merkle import Frontier, leaf_hash, root_of
from registry.ledger import contents, leaves
from registry.ledger.claims import SignedBatch
from registry.ledger.entries import Entry, EntryKind, entry_hash
from registry.ledger.flaws import Flaw, FlawKind
from registry.ledger.leaves import StoredSignal
from registry.model import PURGED_DIGEST, Ref, ref_of
from registry.store import Transaction, cases, gaps
from registry.store import ledger_audit as audit
from registry.store.bulk import chunks
from registry.store.ledger_audit import Held

Progress = Callable[[str, int, int], None]
"""Called with the step, and with how much of all there is has been looked at."""

MOST_ENTRIES = 2**24
"""No hour and no batch has more, so that a purge that says it had cannot use up the memory."""

WITH_ROWS = 32
"""Leaves whose rows are looked at together: up to 32 000 signals of batches."""


class Places:
    """Positions by leaf, a bit each: what was purged stays listed for ever, and is held in memory as a whole."""

    def __init__(self) -> None:
        self._bits: dict[int, bytearray] = {}

    def add(self, places: Mapping[int, Sequence[int]]) -> None:
        """Raises ValueError for a position that nothing has."""
        for leaf, positions in places.items():
            if not positions:
                continue
            if min(positions) < 0 or max(positions) >= MOST_ENTRIES:
                raise ValueError("a purge of what is not there")
            bits = self._bits.setdefault(leaf, bytearray())
            bits.extend(bytes(max(0, max(positions) // 8 + 1 - len(bits))))
            for position in positions:
                bits[position // 8] |= 1 << position % 8

    def has(self, leaf: int, position: int) -> bool:
        bits = self._bits.get(leaf, b"")
        return position // 8 < len(bits) and bool(bits[position // 8] >> position % 8 & 1)


class Verification:
    """One comparison, within one snapshot of the database. `size` and `root` are of the tree that was found."""

    def __init__(
        self, tx: Transaction, checkpoints: Iterable[Checkpoint], progress: Progress = lambda _step, _done, _total: None
    ) -> None:
        self._tx, self._checkpoints, self._progress = tx, list(checkpoints), progress
        self._counts = audit.counts(tx)
        self._done = 0
        self._step = ""
        self._rows_gone, self._entries_gone = Places(), Places()
        self._batches_gone: set[int] = set()
        self.size = 0
        self.root = Frontier().root()

    def flaws(self) -> Iterator[Flaw]:
        """Every contradiction, as it is found."""
        yield from self._read_purges()
        for part in (self._tree, self._signals, self._gaps, self._cases, self._notices):
            try:
                yield from part()
            except (ValueError, TypeError, msgspec.MsgspecError):
                yield Flaw(FlawKind.UNREADABLE)
        self._progress("done", self._counts.total, self._counts.total)

    def _look(self, step: str, count: int = 0) -> None:
        self._done += count
        self._progress(step, min(self._done, self._counts.total), self._counts.total)

    def _read_purges(self) -> Iterator[Flaw]:
        try:
            for purge in audit.purges(self._tx):
                self._rows_gone.add(purge.signals)
                self._entries_gone.add(purge.entries)
                self._batches_gone.update(purge.batches)
        except ValueError:
            yield Flaw(FlawKind.PURGE_UNREADABLE)

    # -- tree and leaves ----------------------------------------------------------------------------------------------

    def _tree(self) -> Iterator[Flaw]:
        frontier, newest_hour = Frontier(), None
        roots = {0: frontier.root()}
        wanted = {each.size for each in self._checkpoints}
        while page := audit.leaves_from(self._tx, frontier.size):
            nodes: dict[tuple[int, int], bytes] = {}
            sound: dict[int, bytes] = {}
            for index, leaf in page:
                if index != frontier.size:
                    # What follows a hole stands on nothing: neither nodes nor roots can be derived any more.
                    yield Flaw(FlawKind.LEAF_MISSING, frontier.size)
                    self.size, self.root = frontier.size, frontier.root()
                    return
                nodes.update(((node.level, node.index), node.hash) for node in frontier.completed(leaf))
                frontier = frontier.append(leaf)
                sound[index] = leaf
                if frontier.size in wanted:
                    roots[frontier.size] = frontier.root()
            yield from self._nodes(nodes)
            found, newest_hour = self._leaves(sound, newest_hour)
            yield from found
            self._look("leaves", len(page))
        self.size, self.root = frontier.size, frontier.root()
        yield from self._head(frontier)
        yield from self._signed(roots)
        yield from (Flaw(FlawKind.LEAF_UNEXPLAINED) for _ in range(min(1, audit.strays(self._tx))))

    def _nodes(self, computed: Mapping[tuple[int, int], bytes]) -> Iterator[Flaw]:
        for level in sorted({level for level, _ in computed if level}):
            indexes = [index for each, index in computed if each == level]
            stored = audit.nodes_between(self._tx, level, min(indexes), max(indexes))
            for index in indexes:
                if stored.get(index) != computed[level, index]:
                    yield Flaw(FlawKind.NODE_WRONG, index << level)

    def _head(self, frontier: Frontier) -> Iterator[Flaw]:
        size, encoded = audit.stated_head(self._tx)
        if size < frontier.size:
            yield from (Flaw(FlawKind.LEAF_SURPLUS, index) for index in range(size, frontier.size))
        elif size > frontier.size:
            yield Flaw(FlawKind.LEAF_MISSING, frontier.size)
        elif encoded != frontier.encoded:
            yield Flaw(FlawKind.FRONTIER_WRONG, frontier.size - 1)
        for level, index in audit.nodes_above(self._tx, frontier.size):
            yield Flaw(FlawKind.NODE_WRONG, index << level)

    def _signed(self, roots: Mapping[int, bytes]) -> Iterator[Flaw]:
        for each in self._checkpoints:
            if each.size > self.size:
                yield Flaw(FlawKind.CHECKPOINT_BEYOND, self.size)
            elif roots[each.size] != each.root:
                yield Flaw(FlawKind.CHECKPOINT_OTHER_ROOT, each.size - 1)

    def _leaves(self, hashes: Mapping[int, bytes], newest: datetime | None) -> tuple[list[Flaw], datetime | None]:
        """What is wrong with these leaves' content, and the newest hour so far."""
        first, last = min(hashes), max(hashes)
        batches = audit.batches_between(self._tx, first, last)
        hours = audit.hours_between(self._tx, first, last)
        found: list[Flaw] = []
        explained = Counter([row.leaf_index for row in batches] + [row.leaf_index for row in hours])
        found += (Flaw(FlawKind.LEAF_UNEXPLAINED, index) for index in hashes if explained[index] != 1)
        answers = audit.answers_between(self._tx, first, last)
        for some in chunks(batches, WITH_ROWS):
            rows = audit.signals_of(self._tx, [batch.bundle for batch in some])
            for batch in some:
                index = batch.leaf_index
                found += self._batch(batch, hashes[index], rows[batch.bundle], answers.get(index, ()))
        for some in chunks(hours, WITH_ROWS):
            entries = audit.entries_of(self._tx, [hour.bundle for hour in some])
            for hour in some:
                if newest is not None and hour.hour <= newest:
                    found.append(Flaw(FlawKind.HOUR_WRONG, hour.leaf_index))
                newest = hour.hour
                found += self._hour(hour, hashes[hour.leaf_index], entries[hour.bundle])
        return found, newest

    def _batch(
        self, batch: Any, leaf: bytes, rows: Sequence[Any], answers: Sequence[tuple[bytes, str]]
    ) -> Iterator[Flaw]:
        index = batch.leaf_index
        derived = leaves.stored_digest(batch.answer_digest, batch.claim_digest, (row.hash for row in rows))
        if derived != batch.stored_digest or [row.position for row in rows] != list(range(len(rows))):
            yield Flaw(FlawKind.STORED_DIGEST_WRONG, index)
        for row in rows:
            yield from self._purge(row.salt is None, self._rows_gone.has(index, row.position), index)
            if row.salt is not None:
                stored = StoredSignal(row.ref, row.version, row.content_digest)
                if leaves.row_hash(row.salt, stored) != row.hash:
                    yield Flaw(FlawKind.ROW_WRONG, index)
        if any(leaves.answer_digest(*answer) != batch.answer_digest for answer in answers):
            yield Flaw(FlawKind.ANSWER_WRONG, index)
        yield from self._purge(batch.salt is None, index in self._batches_gone, index)
        if batch.salt is None:
            return
        if leaf_hash(batch_leaf(batch.salt, batch.batch_digest, batch.stored_digest)) != leaf:
            yield Flaw(FlawKind.LEAF_WRONG, index)
        if leaves.claim_digest(batch.signature, batch.signer) != batch.claim_digest or not _holds(batch):
            yield Flaw(FlawKind.SIGNATURE_WRONG, index)

    def _hour(self, hour: Any, leaf: bytes, entries: Sequence[Any]) -> Iterator[Flaw]:
        index = hour.leaf_index
        if root_of(entry.hash for entry in entries) != hour.root:
            yield Flaw(FlawKind.HOUR_WRONG, index)
        if leaf_hash(hourly_leaf(hour.salt, hour.root)) != leaf:
            yield Flaw(FlawKind.LEAF_WRONG, index)
        for entry in entries:
            yield from self._purge(entry.salt is None, self._entries_gone.has(index, entry.position), index)
            if entry.salt is not None and not _follows(entry):
                yield Flaw(FlawKind.ENTRY_WRONG, index)

    def _purge(self, missing: bool, listed: bool, index: int) -> Iterator[Flaw]:
        if missing and not listed:
            yield Flaw(FlawKind.PURGED_UNLISTED, index)
        if listed and not missing:
            yield Flaw(FlawKind.PURGED_RETURNED, index)

    # -- what stands --------------------------------------------------------------------------------------------------

    def _signals(self) -> Iterator[Flaw]:
        after = b""
        while page := audit.signals_after(self._tx, after):
            refs = [row.ref for row in page]
            versions = audit.versions_of(self._tx, refs)
            noted = audit.held_of(self._tx, EntryKind.SIGNAL, refs)
            for row in page:
                yield from self._signal(row, versions[row.ref], noted[row.ref])
            after = refs[-1]
            self._look("signals", len(page))
        for leaf_index in audit.signals_gone(self._tx):
            yield Flaw(FlawKind.SIGNAL_DELETED, leaf_index)

    def _signal(
        self, row: audit.StandingSignal, versions: Sequence[audit.HeldVersion], noted: Sequence[Held]
    ) -> Iterator[Flaw]:
        held = {(each.version, each.content_digest): each.leaf_index for each in versions}
        held.update(((int.from_bytes(each.content[:8]), each.content[8:]), each.leaf_index) for each in noted)
        if not held:
            yield Flaw(FlawKind.SIGNAL_UNKNOWN)
            return
        newest = max(version for version, _ in held)
        place = next(leaf for (version, _), leaf in held.items() if version == newest)
        if row.signal.version < newest:
            yield Flaw(FlawKind.SIGNAL_SET_BACK, place)
        elif (row.signal.version, row.content_digest) not in held or not _says_its_digest(row):
            yield Flaw(FlawKind.SIGNAL_CHANGED, place)

    def _gaps(self) -> Iterator[Flaw]:
        after = b""
        while names := audit.handles_with_gaps_after(self._tx, after):
            noted = audit.held_of(self._tx, EntryKind.TRANSITION, list(names))
            standing: dict[Ref, dict[bytes, bytes]] = {ref: {} for ref in names}
            for key, gap in gaps.load(self._tx, names).items():
                content = contents.of_gap(gap).content
                # One whose handle bears another name now has been found already.
                standing.get(ref_of(key.member, key.handle), {})[content[:8]] = content
            for ref, rows in standing.items():
                of_number: dict[bytes, list[Held]] = {}
                for each in noted[ref]:
                    of_number.setdefault(each.content[:8], []).append(each)
                for name, content in rows.items():
                    yield from _compared(of_number.pop(name, []), content, FlawKind.GAP_CHANGED)
                yield from (Flaw(FlawKind.GAP_DELETED, left[0].leaf_index) for left in of_number.values())
            self._look("gaps", sum(map(len, standing.values())))
            after = max(names)
        yield from (Flaw(FlawKind.GAP_DELETED, leaf_index) for leaf_index in audit.gaps_gone(self._tx))

    def _cases(self) -> Iterator[Flaw]:
        after = b""
        while ids := audit.case_ids_after(self._tx, after):
            noted = audit.held_of(self._tx, EntryKind.CASE, ids)
            for case_id, case in cases.load(self._tx, ids).items():
                yield from _compared(noted[case_id], contents.of_case(case).content, FlawKind.CASE_CHANGED)
            self._look("cases", len(ids))
            after = ids[-1]
        yield from (Flaw(FlawKind.CASE_DELETED, leaf_index) for leaf_index in audit.cases_gone(self._tx))

    def _notices(self) -> Iterator[Flaw]:
        given: Counter[bytes] = Counter()
        subjects: dict[bytes, bytes | None] = {}
        after = 0
        while page := audit.notices_after(self._tx, after):
            for _, draft, closed_on in page:
                entry = contents.of_notice(draft, closed_on)
                given[entry.content] += 1
                subjects[entry.content] = entry.subject
            after = page[-1][0]
            self._look("notices", len(page))
        for held in audit.notices_held(self._tx):
            given[held.content] -= 1
            if given[held.content] < 0:
                yield Flaw(FlawKind.NOTICE_DELETED, held.leaf_index)
        surplus = [content for content, count in given.items() if count > 0]
        # With what a handle said goes what the ledger holds of its notices; they themselves stay somewhat longer.
        about = [subject for content in surplus if (subject := subjects[content]) is not None]
        speaking = audit.speaking(self._tx, about)
        for content in surplus:
            subject = subjects[content]
            if subject is None or subject in speaking:
                yield Flaw(FlawKind.NOTICE_UNKNOWN)


def _compared(held: Sequence[Held], content: bytes, kind: FlawKind) -> Iterator[Flaw]:
    """Whether a row stands as the newest hour that speaks of it has it; what waits is newer than any hour."""
    if not held:
        yield Flaw(kind)
        return
    waiting = [each for each in held if each.leaf_index is None]
    newest = max((each.leaf_index for each in held if each.leaf_index is not None), default=None)
    those = waiting or [each for each in held if each.leaf_index == newest]
    if all(each.content != content for each in those):
        yield Flaw(kind, those[0].leaf_index)


def _says_its_digest(row: audit.StandingSignal) -> bool:
    """Whether name, statement and pseudonyms of a row lead to its name and digest."""
    if ref_of(row.member, row.signal.handle) != row.ref or not row.readable:
        return False
    if not row.purged:
        return content_digest(row.signal) == row.content_digest
    said = row.signal
    silent = not (said.pseudonyms or said.presences or said.opening or said.duty_ended)
    return silent and row.content_digest == PURGED_DIGEST


def _follows(entry: Any) -> bool:
    try:
        kind = EntryKind(entry.kind)
    except ValueError:
        return False
    stored: bytes = entry.hash
    return entry_hash(entry.salt, Entry(kind, entry.content, entry.subject)) == stored


def _holds(batch: Any) -> bool:
    try:
        SignedBatch(batch.batch_digest, batch.signature, batch.signer).check()
    except (UppropError, ValueError):
        return False
    return True
