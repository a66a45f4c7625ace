"""What may be wrong with a ledger and its database. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class FlawKind(enum.StrEnum):
    """What a comparison found, in a word for scripts."""

    LEAF_MISSING = "LEAF_MISSING"
    LEAF_SURPLUS = "LEAF_SURPLUS"
    NODE_WRONG = "NODE_WRONG"
    SIZE_WRONG = "SIZE_WRONG"
    FRONTIER_WRONG = "FRONTIER_WRONG"
    CHECKPOINT_BEYOND = "CHECKPOINT_BEYOND"
    CHECKPOINT_OTHER_ROOT = "CHECKPOINT_OTHER_ROOT"
    LEAF_UNEXPLAINED = "LEAF_UNEXPLAINED"
    LEAF_WRONG = "LEAF_WRONG"
    STORED_DIGEST_WRONG = "STORED_DIGEST_WRONG"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    ANSWER_WRONG = "ANSWER_WRONG"
    HOUR_WRONG = "HOUR_WRONG"
    ROW_WRONG = "ROW_WRONG"
    ENTRY_WRONG = "ENTRY_WRONG"
    PURGED_UNLISTED = "PURGED_UNLISTED"
    PURGED_RETURNED = "PURGED_RETURNED"
    PURGE_UNREADABLE = "PURGE_UNREADABLE"
    SIGNAL_CHANGED = "SIGNAL_CHANGED"
    SIGNAL_SET_BACK = "SIGNAL_SET_BACK"
    SIGNAL_DELETED = "SIGNAL_DELETED"
    SIGNAL_UNKNOWN = "SIGNAL_UNKNOWN"
    GAP_CHANGED = "GAP_CHANGED"
    GAP_DELETED = "GAP_DELETED"
    CASE_CHANGED = "CASE_CHANGED"
    CASE_DELETED = "CASE_DELETED"
    UNREADABLE = "UNREADABLE"
    NOTICE_UNKNOWN = "NOTICE_UNKNOWN"
    NOTICE_DELETED = "NOTICE_DELETED"


SENTENCES = {
    FlawKind.LEAF_MISSING: "the leaf is missing",
    FlawKind.LEAF_SURPLUS: "the leaf stands beyond the tree's size",
    FlawKind.NODE_WRONG: "a node above the leaf is missing, or does not follow from the leaves",
    FlawKind.SIZE_WRONG: "the tree has another size than the sequence row says",
    FlawKind.FRONTIER_WRONG: "the hashes in the sequence row do not follow from the leaves",
    FlawKind.CHECKPOINT_BEYOND: "a checkpoint was signed of a larger tree: the database was set back",
    FlawKind.CHECKPOINT_OTHER_ROOT: "a checkpoint was signed of another tree of that size: the history was changed",
    FlawKind.LEAF_UNEXPLAINED: "neither a batch nor an hour belongs to the leaf, or more than one",
    FlawKind.LEAF_WRONG: "the leaf does not follow from what is kept of it",
    FlawKind.STORED_DIGEST_WRONG: "the stored digest does not follow from the rows of the batch",
    FlawKind.SIGNATURE_WRONG: "the member's signature over the batch does not hold",
    FlawKind.ANSWER_WRONG: "the answer that is kept is not the one that was given",
    FlawKind.HOUR_WRONG: "the root of the hour does not follow from its entries, or the hour is out of order",
    FlawKind.ROW_WRONG: "a signal of the batch does not follow from its hash",
    FlawKind.ENTRY_WRONG: "an entry of the hour does not follow from its hash",
    FlawKind.PURGED_UNLISTED: "content is missing that no purge lists",
    FlawKind.PURGED_RETURNED: "content is there that a purge lists as deleted",
    FlawKind.PURGE_UNREADABLE: "a purge lists what it deleted in a form that is not understood",
    FlawKind.SIGNAL_CHANGED: "a signal that stands is not the one that was taken",
    FlawKind.SIGNAL_SET_BACK: "a signal that stands is older than the newest that was taken",
    FlawKind.SIGNAL_DELETED: "a signal that was taken is gone",
    FlawKind.SIGNAL_UNKNOWN: "a signal stands that no leaf holds",
    FlawKind.GAP_CHANGED: "a gap stands as no close has left it",
    FlawKind.GAP_DELETED: "a gap is gone that a close has left",
    FlawKind.CASE_CHANGED: "a case stands as no close has left it",
    FlawKind.CASE_DELETED: "a case is gone that a close has left",
    FlawKind.UNREADABLE: "a row holds what nothing here writes, and what comes after it was not compared",
    FlawKind.NOTICE_UNKNOWN: "a notice stands that no close has given",
    FlawKind.NOTICE_DELETED: "a notice is gone that a close has given",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One contradiction. `leaf_index` names the leaf it shows at; None where no leaf is to blame (what waits for the
    hour's leaf, or was never in one)."""

    kind: FlawKind
    leaf_index: int | None = None

    @property
    def sentence(self) -> str:
        place = "no leaf" if self.leaf_index is None else f"leaf {self.leaf_index}"
        return f"{place}: {SENTENCES[self.kind]}"
