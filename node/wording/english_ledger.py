"""English: the watch over the registry's ledger."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.ledger.texts import LedgerText

LEDGER: Mapping[enum.Enum, str] = {
    LedgerText.ALARM: (
        "ALARM {alarm_id} ABOUT THE REGISTRY: {what}{more} Call the authority and at least one other member today; do "
        "not trust that the registry answers your cases until it has been looked into. Signals go on being sent and "
        "case files opened. Whoever has read this says so: upprop node ledger acknowledge --by NAME"
    ),
    LedgerText.MORE: " (And {number:alarm|alarms} more: upprop node ledger verify.)",
    LedgerText.NO_RECEIPT: "It took signals without giving a receipt that holds ({leaves}).",
    LedgerText.SHRUNK: (
        "Leaves that its ledger had are gone ({leaves}): its end was cut off, or an older copy was restored."
    ),
    LedgerText.REWRITTEN: "Its ledger was rewritten: other leaves stand where there were some already ({leaves}).",
    LedgerText.LEAF_GONE: "Your signals no longer stand in its ledger in the place that the receipt names ({leaves}).",
    LedgerText.FORKED: (
        "Evaluator {witness}, as a witness, was shown another ledger than you ({leaves}): the registry shows different "
        "members different histories."
    ),
    LedgerText.UNPROVED: "It cannot, or will not, prove that its ledger is unchanged ({leaves}).",
    LedgerText.WITNESSES_LATE: (
        "Most witnesses have not been shown its ledger for more than two days ({leaves}): nobody can say that all "
        "members see the same."
    ),
    LedgerText.EDITED: "It states something else than what you have sent ({leaves}): signals were edited.",
    LedgerText.SET_BACK: "It states older signals than those it has acknowledged ({leaves}).",
    LedgerText.MISSING: "Signals that it has acknowledged are no longer there ({leaves}).",
    LedgerText.FOREIGN: (
        "It states signals in your name that this node has never sent ({leaves}). If the node's database is an older "
        "copy, run upprop node recover; otherwise somebody else has written them."
    ),
    LedgerText.PSEUDONYM_LOST: (
        "It no longer finds what you have sent under the pupil's pseudonym ({leaves}): other members' pupils cannot "
        "meet yours."
    ),
    LedgerText.LEAF: "leaf {first} of the ledger",
    LedgerText.LEAVES: "leaves {first} to {last} of the ledger",
    LedgerText.LEAVES_UP_TO: "one of the ledger's leaves up to {last}",
    LedgerText.LEAF_UNKNOWN: "no particular leaf",
    LedgerText.STEP_WITNESSES: "Asking the witnesses",
    LedgerText.STEP_LEAVES: "Proving the receipts",
    LedgerText.STEP_STATED: "Comparing what was sent",
    LedgerText.NO_LEDGER: "The registry has no ledger yet: there is nothing to verify.",
    LedgerText.VERIFIED: (
        "The registry's ledger has {size:leaf|leaves}. {receipts:receipt|receipts} and the signals about "
        "{compared:pupil|pupils} were verified."
    ),
    LedgerText.WITNESSED: "Witness {witness} has co-signed {size:leaf|leaves}, last at {at}.",
    LedgerText.WITNESS_SILENT: "Witness {witness} did not answer, or has co-signed nothing yet.",
    LedgerText.NOT_TO_THE_END: "The verification did not come to its end. It repeats by itself; or run it again.",
    LedgerText.NOTHING_STANDS: "All agrees with what was sent and acknowledged.",
    LedgerText.RESENT: "Of what the registry acknowledged, {again:signal is|signals are} missing there and will be "
    "sent again. Not sent again: {withheld:signal|signals}, of pupils of whom nothing is said any more.",
    LedgerText.RESENT_NEXT: "They go out with the next sync: upprop node sync",
    LedgerText.ACKNOWLEDGED: "Acknowledged by {by}: {number:alarm|alarms}. On record: upprop node ledger alarms",
    LedgerText.HISTORY: "Alarm {alarm_id}, {raised_on}: {what} {by}",
}
