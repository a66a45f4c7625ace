"""English: the journal."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.casework.journal.texts import JournalText

JOURNAL: Mapping[enum.Enum, str] = {
    JournalText.SOUND: "All {rows} rows of the journal are as they were written.",
    JournalText.FLAWED: "{flaws:flaw|flaws} in {rows:row|rows} of the journal:",
    JournalText.ROW: "No. {position}: {what!t}.",
    JournalText.ROW_OF: "No. {position}, case file {reference}: {what!t}.",
    JournalText.KNOWN: "Known, says {by}, {on}.",
    JournalText.ACKNOWLEDGED: (
        "{by} has said that everybody concerned knows of {flaws:flaw|flaws} in the journal. They stay named, and raise "
        "no alarm any more."
    ),
    JournalText.WHAT_NOW: (
        "Somebody has changed the database outside of Upprop. Shred and restore nothing before you know who: "
        "keep the database and its copies, and compare the rows with an older copy."
    ),
    JournalText.WRITTEN: "Case file {reference} stands in {path}. That it was handed out is journaled.",
}
JOURNAL_TERMS: Mapping[str, str] = {
    "journal.missing": "the row was taken away",
    "journal.changed": "the row was changed",
    "journal.entry": "what it says was changed",
    "journal.emptied": "what it says was taken away though the case file was not shredded",
    "journal.unproved": "cannot be proved, the row before it is missing",
    "journal.attachment": "the attachment was changed or taken away",
    "journal.end": "the journal does not end as it was written: rows were taken away or put there",
    "journal.set-back": "the whole journal was set back to an older state",
}
