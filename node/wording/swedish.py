"""Swedish."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.wording.swedish_doctor import DOCTOR
from node.wording.swedish_drill import DRILL
from node.wording.swedish_explained import EXPLAINED
from node.wording.swedish_joining import JOINING
from node.wording.swedish_journal import JOURNAL, JOURNAL_TERMS
from node.wording.swedish_ledger import LEDGER
from node.wording.swedish_push import PUSH
from node.wording.swedish_recovery import RECOVERY
from node.wording.swedish_remarks import REMARKS
from node.wording.swedish_sources import SOURCES
from node.wording.swedish_subject import SUBJECT, SUBJECT_TERMS
from node.wording.texts import Text
from node.wording.words import Catalogue

_COMMANDS: Mapping[enum.Enum, str] = {
    Text.STEP_FETCH: "Hämtar från skolsystemet",
    Text.STEP_READ: "Läser exporten",
    Text.STEP_COMPARE: "Jämför med det som är känt",
    Text.STEP_WRITE: "Skriver det som har ändrats",
    Text.STEP_RESTATE: "Räknar ut vilka uppgifter som ska lämnas",
    Text.STEP_PSEUDONYMISE: "Beräknar pseudonymer",
    Text.STEP_SUBMIT: "Skickar uppgifter",
    Text.STEP_NOTICES: "Hämtar besked",
    Text.STEP_ROLL_CALL: "Upprop",
    Text.ROW: "Rad",
    Text.FIELD: "Fält",
    Text.WHY: "Varför",
    Text.SINCE: "Sedan",
    Text.PUPIL: "Elev",
    Text.CASE: "Ärende",
    Text.ASKED: "Frågat",
    Text.MADE: "Gjord",
    Text.CODE: "Kod",
    Text.ID: "Nr",
    Text.WHAT: "Vad",
    Text.ON: "Dag",
    Text.REASON: "Skäl",
    Text.SAID_BY: "Av",
    Text.SAID_ON: "Antecknat",
    Text.KIND: "Slag",
    Text.DUE: "Öppnas",
    Text.IMPORTED: "Exporten från {as_of} är inläst.",
    Text.IMPORTED_BASELINE: "Exporten från {as_of} är inläst. Det är den första inläsningen.",
    Text.IMPORTED_ALREADY: "Exporten från {as_of} var redan inläst; ingenting har ändrats.",
    Text.IMPORTED_ALREADY_CONFIRMED: "Exporten från {as_of} var redan inläst; det som väntade i den är bekräftat.",
    Text.IMPORT_COUNTS: (
        "{persons:person|personer} med {rows:inskrivning|inskrivningar} lästes: {changed} med ändringar, {vanished} "
        "som inte längre finns i exporten."
    ),
    Text.REJECTED: "Inte inläst: {number:rad|rader}",
    Text.UNLINKABLE: "Utan svenskt personnummer eller samordningsnummer: {number:rad|rader}",
    Text.NOTES: "Värt att se över: {number:rad|rader}",
    Text.MORE_REMARKS: "… och {number} till; --json visar alla.",
    Text.LEAVINGS_HELD: (
        "{pupils:elev|elever} lämnade skolenheten {unit} på en gång. De väntar på bekräftelse: rätta exporten, eller "
        "bekräfta med --confirm-leavings."
    ),
    Text.SYSTEM_CURRENT: "{system}: läget {as_of}",
    Text.SYSTEM_RETIRED: "{system}: avslutat {as_of}",
    Text.SYSTEM_TAKEN_AWAY: "{system} är avslutat; {pupils:elev|elever} finns inte längre i något skolsystem.",
    Text.SYNCED: (
        "{submitted:uppgift skickad|uppgifter skickade}, {waiting} väntar, {parked} ej mottagna; "
        "{notices:besked|besked} hämtade."
    ),
    Text.NO_CASES: "Inga öppna ärenden.",
    Text.QUESTIONS_CONFIRM: "Har eleven setts i skolan? En annan huvudman frågar, det är brådskande",
    Text.QUESTIONS_OVERLAP: (
        "Går eleven kvar här? En annan huvudman uppger samma elev. Ta reda på det: upprop node affirm, eller avsluta "
        "inskrivningen i skolsystemet"
    ),
    Text.WAITING: "Väntar på att en annan person granskar: upprop node review NR --by NAMN",
    Text.QUESTIONS_ROLL_CALL: (
        "Går eleven verkligen här? En annan huvudman saknar eleven. Någon måste se efter: upprop node affirm, eller "
        "avsluta inskrivningen i skolsystemet"
    ),
    Text.PARKED: "Ej mottagna av registret",
    Text.STATE_SINCE: "{state!t} sedan {on}",
    Text.KIND_OF_CASE: "{kind!t}, {urgency!t}; {route!t}",
    Text.FILE_OPENED: "ärendet öppnat {on} ({by!t})",
    Text.FIRST_STEPS: "Så börjar varje ärende:",
    Text.WHO: "Personnummer eller id i skolsystemet",
    Text.NOTED: "Antecknat som nr {saying_id}. Det skickas vid nästa utbyte med registret.",
    Text.NOTED_WAITS: (
        "Antecknat som nr {saying_id}. Det gäller här från och med nu, men registret får veta det först när en annan "
        "person har godkänt det: upprop node review {saying_id}"
    ),
    Text.AGREED: "Nr {saying_id} är godkänt.",
    Text.REFUSED: "Nr {saying_id} är avvisat.",
    Text.NOTHING_WAITS: "Inget väntar på granskning.",
    Text.PROTECTED_PUPIL: "(skyddade personuppgifter)",
    Text.AS_OF: "Läget {day}",
    Text.SECTION_WHY: "Varför",
    Text.SECTION_NEXT: "Nästa dag av betydelse",
    Text.SECTION_CASE: "Ärende",
    Text.SECTION_ROWS: "Inskrivningar i skolsystemen",
    Text.SECTION_SAID: "Antecknat av personal",
    Text.SECTION_PRESENCES: "Skolgång här",
    Text.SECTION_SENT: "Uppgifter till registret",
    Text.SECTION_HEARD: "Besked från registret",
    Text.CHECKED: "Så skulle exporten från {as_of} läsas in. Ingenting har skrivits.",
    Text.CHECKED_BASELINE: ("Så skulle exporten från {as_of} läsas in, som första inläsning. Ingenting har skrivits."),
    Text.CHECKED_ALREADY: "Exporten från {as_of} är redan inläst; en gång till ändrar ingenting.",
    Text.CHECK_COUNTS: (
        "{persons:person|personer} med {rows:inskrivning|inskrivningar}: {new:ny elev|nya elever}, {changed} med "
        "ändringar, {vanished} som inte längre finns i exporten."
    ),
    Text.NEW_GAPS: "Skulle uppges sakna skolplacering: {number:elev|elever}",
    Text.NO_NEW_GAPS: "Ingen ny elev skulle uppges sakna skolplacering.",
    Text.TAKEN_BACK: "Skulle tas tillbaka, eleven saknar inte längre skolplacering här: {number:elev|elever}",
    Text.DUTY_ENDED: "Skolplikten skulle uppges ha upphört: {number:elev|elever}",
    Text.WOULD_WAIT: (
        "{pupils:elev|elever} lämnar skolenheten {unit} på en gång. De skulle vänta på bekräftelse: rätta exporten, "
        "eller läs in den och sedan en gång till med --confirm-leavings."
    ),
    Text.HELD: "Skulle vänta på bekräftelse: {number:elev|elever}",
    Text.PROTECTED_LEFT_OUT: (
        "Elever med skyddade personuppgifter är inte med här, varken med namn eller antal. Behörig personal ser dem "
        "med --protected."
    ),
    Text.HOW_TO_IMPORT: "Läs in på riktigt med: upprop node import",
}

_TERMS: Mapping[str, str] = {
    # Kinds of gap
    "LEFT": "har lämnat skolan",
    "NOT_PLACED": "har inte fått någon skolplats",
    "HELD": "utskrivning väntar",
    # Urgency
    "NORMAL": "ej brådskande",
    "IMMEDIATE": "brådskande",
    # States of a gap
    "WATCH": "bevakas",
    "OPEN": "öppet",
    "ANSWERED": "besvarat",
    "ENDED": "avslutat, skolplikten har upphört",
    "VOID": "återtaget",
    # Routes
    "registry": "genom registret",
    "unlinkable": "bara här, nummer saknas",
    "protected": "bara här, skyddade personuppgifter",
    "renumbered": "bara här, nytt personnummer",
    # What a school system that pushes may do
    "active": "släpps in",
    "expired": "utgånget",
    "revoked": "återkallat",
    # What opened a case file
    "notice": "besked från registret",
    "immediate": "brådskande",
    "silent registry": "inget besked från registret",
    "withheld": "registret undanhåller sitt besked",
    # What a version says
    "GAP": "saknar skolplacering",
    "NO_GAP": "saknar inte skolplacering",
    "RETRACTED": "tidigare uppgifter återtas",
    # Words that can be said, as they are kept and as the command line spells them
    "NO_SHOW": "kom aldrig",
    "GONE": "borta trots inskrivning",
    "reason": "skäl",
    "planned-start": "planerad skolstart",
    "urgent": "brådskande",
    "not-placed": "ingen skolplats",
    "no-show": "kom aldrig",
    "gone": "borta trots inskrivning",
    "found": "återfunnen",
    "met": "sedd i skolan",
    "affirm": "skolgång bekräftad",
    "duty-ended": "skolplikten har upphört",
    "typing-error": "skrivfel i numret",
    "release": "inte längre skyddad",
    # Reasons
    "unknown-whereabouts": "okänd vistelseort",
    "abroad-undecided": "utomlands, skolplikten inte prövad",
    "moved": "flyttat",
    "other-school": "annan skola",
    "other": "annat",
    # Why the duty ended
    "DECEASED": "avliden",
    "EMIGRATED": "utvandrad",
    "COMPLETED": "sista årskursen slutförd",
    "DECIDED": "beslut",
    # Status in the school system
    "Avliden": "avliden",
    "Utvandrad": "utvandrad",
}

SWEDISH = Catalogue(
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
    REMARKS,
)
