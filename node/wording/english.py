"""English."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.wording.english_doctor import DOCTOR
from node.wording.english_drill import DRILL
from node.wording.english_explained import EXPLAINED
from node.wording.english_joining import JOINING
from node.wording.english_journal import JOURNAL, JOURNAL_TERMS
from node.wording.english_ledger import LEDGER
from node.wording.english_push import PUSH
from node.wording.english_recovery import RECOVERY
from node.wording.english_sources import SOURCES
from node.wording.english_subject import SUBJECT, SUBJECT_TERMS
from node.wording.texts import Text
from node.wording.words import Catalogue

_COMMANDS: Mapping[enum.Enum, str] = {
    Text.STEP_FETCH: "Fetching from the school system",
    Text.STEP_READ: "Reading the export",
    Text.STEP_COMPARE: "Comparing with what is known",
    Text.STEP_WRITE: "Writing what has changed",
    Text.STEP_RESTATE: "Working out what to say",
    Text.STEP_PSEUDONYMISE: "Computing pseudonyms",
    Text.STEP_SUBMIT: "Sending signals",
    Text.STEP_NOTICES: "Fetching notices",
    Text.STEP_ROLL_CALL: "Roll call",
    Text.ROW: "Row",
    Text.FIELD: "Field",
    Text.WHY: "Why",
    Text.SINCE: "Since",
    Text.PUPIL: "Pupil",
    Text.CASE: "Case",
    Text.ASKED: "Asked",
    Text.MADE: "Made",
    Text.CODE: "Code",
    Text.ID: "Id",
    Text.WHAT: "What",
    Text.ON: "On",
    Text.REASON: "Reason",
    Text.SAID_BY: "Said by",
    Text.SAID_ON: "Said on",
    Text.KIND: "Kind",
    Text.DUE: "Opens",
    Text.IMPORTED: "Imported the export of {as_of}.",
    Text.IMPORTED_BASELINE: "Imported the export of {as_of}. This is the baseline.",
    Text.IMPORTED_ALREADY: "The export of {as_of} had been imported already; nothing has changed.",
    Text.IMPORTED_ALREADY_CONFIRMED: (
        "The export of {as_of} had been imported already; what waited of it is let through."
    ),
    Text.IMPORT_COUNTS: (
        "Read {persons:person|persons} with {rows:enrolment|enrolments}: {changed} changed, {vanished} no longer in "
        "the export."
    ),
    Text.REJECTED: "Rejected: {number:row|rows}",
    Text.UNLINKABLE: "Without a national number: {number:row|rows}",
    Text.NOTES: "Worth a look: {number:row|rows}",
    Text.MORE_REMARKS: "… and {number} more; --json lists them all.",
    Text.LEAVINGS_HELD: (
        "{pupils:pupil|pupils} left school unit {unit} at once. They wait: correct the export, or confirm with "
        "--confirm-leavings."
    ),
    Text.SYSTEM_CURRENT: "{system}: as of {as_of}",
    Text.SYSTEM_RETIRED: "{system}: retired {as_of}",
    Text.SYSTEM_TAKEN_AWAY: "{system} is retired; {pupils:pupil is|pupils are} in no roster any more.",
    Text.SYNCED: ("{submitted:signal|signals} sent, {waiting} waiting, {parked} parked; {notices:notice|notices}."),
    Text.NO_CASES: "No open case files.",
    Text.QUESTIONS_CONFIRM: "Seen in school? Another member urgently asks",
    Text.QUESTIONS_OVERLAP: (
        "Still here? Another member says it has the pupil too. Find out: upprop node affirm, or end the enrolment in "
        "the school system"
    ),
    Text.WAITING: "Waits for a second person: upprop node review ID --by NAME",
    Text.QUESTIONS_ROLL_CALL: (
        "Really here? Another member misses the pupil. Somebody has to look: upprop node affirm, or end the enrolment "
        "in the school system"
    ),
    Text.PARKED: "Parked: not taken by the registry",
    Text.STATE_SINCE: "{state!t} since {on}",
    Text.KIND_OF_CASE: "{kind!t}, {urgency!t}; {route!t}",
    Text.FILE_OPENED: "file opened {on} ({by!t})",
    Text.FIRST_STEPS: "Each case begins so:",
    Text.WHO: "National number or school-system id",
    Text.NOTED: "Noted as {saying_id}. It goes out with the next sync.",
    Text.NOTED_WAITS: (
        "Noted as {saying_id}. It counts here from now on; the registry is told once a second person agrees: upprop "
        "node review {saying_id}"
    ),
    Text.AGREED: "{saying_id} is agreed to.",
    Text.REFUSED: "{saying_id} is refused.",
    Text.NOTHING_WAITS: "Nothing waits for review.",
    Text.PROTECTED_PUPIL: "(protected)",
    Text.AS_OF: "As of {day}",
    Text.SECTION_WHY: "Why",
    Text.SECTION_NEXT: "The next day that matters",
    Text.SECTION_CASE: "Case",
    Text.SECTION_ROWS: "Enrolments in the school systems",
    Text.SECTION_SAID: "Stated by staff",
    Text.SECTION_PRESENCES: "Presence here",
    Text.SECTION_SENT: "Told the registry",
    Text.SECTION_HEARD: "Told by the registry",
    Text.CHECKED: "This is how the export of {as_of} would be imported. Nothing has been written.",
    Text.CHECKED_BASELINE: (
        "This is how the export of {as_of} would be imported, as the baseline. Nothing has been written."
    ),
    Text.CHECKED_ALREADY: "The export of {as_of} has been imported already; once more changes nothing.",
    Text.CHECK_COUNTS: (
        "{persons:person|persons} with {rows:enrolment|enrolments}: {new:new pupil|new pupils}, {changed} changed, "
        "{vanished} no longer in the export."
    ),
    Text.NEW_GAPS: "Would be said to be gaps: {number:pupil|pupils}",
    Text.NO_NEW_GAPS: "No new gap would be said.",
    Text.TAKEN_BACK: "Would be taken back, no gap here any more: {number:pupil|pupils}",
    Text.DUTY_ENDED: "The duty to attend would be said to have ended: {number:pupil|pupils}",
    Text.WOULD_WAIT: (
        "{pupils:pupil leaves|pupils leave} school unit {unit} at once. They would wait: correct the export, or import"
        " it and then once more with --confirm-leavings."
    ),
    Text.HELD: "Would wait to be confirmed: {number:pupil|pupils}",
    Text.PROTECTED_LEFT_OUT: (
        "Pupils with a protected identity are left out, names and counts alike. The protected-identity role sees them "
        "with --protected."
    ),
    Text.HOW_TO_IMPORT: "To import it: upprop node import",
}

_TERMS: Mapping[str, str] = {
    # Kinds of gap
    "LEFT": "left",
    "NOT_PLACED": "not placed",
    "HELD": "withdrawal waits",
    # Urgency
    "NORMAL": "not urgent",
    "IMMEDIATE": "urgent",
    # States of a gap
    "WATCH": "watched",
    "OPEN": "open",
    "ANSWERED": "answered",
    "ENDED": "ended",
    "VOID": "void",
    # Routes
    "registry": "through the registry",
    "unlinkable": "here alone, no number",
    "protected": "here alone, protected identity",
    "renumbered": "here alone, number replaced",
    # What a school system that pushes may do
    "active": "let in",
    "expired": "expired",
    "revoked": "revoked",
    # What opened a case file
    "notice": "notice of the registry",
    "immediate": "urgent",
    "silent registry": "registry silent",
    "withheld": "the registry withholds its word",
    # What a version says
    "GAP": "a gap",
    "NO_GAP": "no gap",
    "RETRACTED": "taken back",
    # Words that can be said, as they are kept and as the command line spells them
    "NO_SHOW": "never came",
    "GONE": "gone though enrolled",
    "reason": "reason",
    "planned-start": "planned start",
    "urgent": "urgent",
    "not-placed": "not placed",
    "no-show": "never came",
    "gone": "gone though enrolled",
    "found": "found",
    "met": "seen in school",
    "affirm": "presence made sure of",
    "duty-ended": "duty ended",
    "typing-error": "typing error in the number",
    "release": "no longer protected",
    # Reasons
    "unknown-whereabouts": "unknown whereabouts",
    "abroad-undecided": "abroad, undecided",
    "moved": "moved",
    "other-school": "another school",
    "other": "other",
    # Why the duty ended
    "DECEASED": "deceased",
    "EMIGRATED": "emigrated",
    "COMPLETED": "last school year completed",
    "DECIDED": "decided",
    # Status in the school system
    "Avliden": "deceased",
    "Utvandrad": "emigrated",
}

ENGLISH = Catalogue(
    {
        **_COMMANDS,
        **DOCTOR,
        **DRILL,
        **EXPLAINED,
        **JOINING,
        **JOURNAL,
        **LEDGER,
        **PUSH,
        **RECOVERY,
        **SOURCES,
        **SUBJECT,
    },
    {**JOURNAL_TERMS, **SUBJECT_TERMS, **_TERMS},
)
