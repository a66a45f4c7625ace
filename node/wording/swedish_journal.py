"""Swedish: the journal."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.casework.journal.texts import JournalText

JOURNAL: Mapping[enum.Enum, str] = {
    JournalText.SOUND: "Alla {rows} rader i journalen är som de skrevs.",
    JournalText.FLAWED: "{flaws:fel|fel} i journalens {rows:rad|rader}:",
    JournalText.ROW: "Nr {position}: {what!t}.",
    JournalText.ROW_OF: "Nr {position}, ärende {reference}: {what!t}.",
    JournalText.KNOWN: "Känt, säger {by} {on}.",
    JournalText.ACKNOWLEDGED: (
        "{by} har sagt att alla berörda känner till {flaws:fel|fel} i journalen. De står kvar men larmar inte längre."
    ),
    JournalText.WHAT_NOW: (
        "Någon har ändrat i databasen utanför Upprop. Gör ingen gallring och ingen återställning innan ni "
        "vet vem: spara databasen och säkerhetskopiorna, och jämför raderna med en äldre kopia."
    ),
    JournalText.WRITTEN: "Ärende {reference} står i {path}. Att det är utlämnat är antecknat i journalen.",
}
JOURNAL_TERMS: Mapping[str, str] = {
    "journal.missing": "raden är borttagen",
    "journal.changed": "raden är ändrad",
    "journal.entry": "innehållet är ändrat",
    "journal.emptied": "innehållet är borttaget utan att ärendet är gallrat",
    "journal.unproved": "kan inte bekräftas, raden före den är borttagen",
    "journal.attachment": "bilagan är ändrad eller borttagen",
    "journal.end": "journalens slut stämmer inte, rader är borttagna eller tillagda",
    "journal.set-back": "hela journalen är återställd till ett äldre läge",
}
