"""What is said of a file that is not in order, and words of routines that commands and pages share."""

from __future__ import annotations

from federation.web.i18n import Language, Texts
from node.casework.routines.flaws import Flaw

SWEDISH = {
    "flaw.TOO_LARGE": "Filen är för stor. Den får ha högst {what} tecken. Dela den i flera.",
    "flaw.NOT_YAML": "Det går inte att läsa filen som YAML ({where}). Se efter indrag, kolon och citattecken där.",
    "flaw.ALIAS": "Filen hänvisar till sig själv med & och * ({where}). Skriv ut texten i stället.",
    "flaw.KEY_TWICE": "”{what}” står två gånger på samma plats ({where}). Ta bort den ena.",
    "flaw.UNKNOWN_FIELD": "{where}: ”{what}” är inget känt fält. Rätta stavningen eller ta bort det.",
    "flaw.MISSING_FIELD": "{where}: fältet ”{what}” saknas. Lägg till det.",
    "flaw.WRONG_VALUE": "{where}: värdet ”{what}” går inte att använda här. Se efter vilka värden som finns.",
    "flaw.NAME": "{where}: namnet ”{what}” får bara ha små bokstäver a–z, siffror och bindestreck.",
    "flaw.NAME_OF_FILE": "Filen måste heta som rutinen: ”{what}.yaml”. Byt namn på den ena.",
    "flaw.TEXT_MISSING": "{where}: texten saknas. Skriv den på svenska.",
    "flaw.NO_STEPS": "Rutinen har inga steg. Lägg till minst ett.",
    "flaw.NO_OUTCOMES": "Steget ”{where}” har inget utfall. Lägg till minst ett under outcomes.",
    "flaw.STEP_TWICE": "Två steg heter ”{what}”. Ge det ena ett annat id.",
    "flaw.OUTCOME_TWICE": "Steget ”{where}” har två utfall som heter ”{what}”. Ge det ena ett annat id.",
    "flaw.ENTRY_TWICE": "Två poster heter ”{what}”. Ge den ena ett annat id.",
    "flaw.UNKNOWN_STEP": "{where}: det finns inget steg som heter ”{what}”. Rätta namnet eller lägg till steget.",
    "flaw.UNKNOWN_ROUTINE": "{where}: det finns ingen rutin som heter ”{what}”. Rätta namnet eller lägg till rutinen.",
    "flaw.CYCLE": (
        "Stegen går i cirkel: {what}. Är det en uppföljning som ska återkomma, skriv loop i stället för then; "
        "annars ta bort en av leden."
    ),
    "flaw.LOOP_NOT_BACK": "{where}: ”{what}” ligger inte bakåt i rutinen. Skriv then i stället för loop.",
    "flaw.LOOP_WITHOUT_CLOCK": (
        "{where}: ”{what}” skulle återkomma utan tid emellan. Ge steget en frist på minst en dag."
    ),
    "flaw.CLOCK_MISSING": "Steget ”{where}” har ingen frist. Ange due: school_days, days, months eller after_break.",
    "flaw.CLOCK_SEVERAL": "{where}: ange bara en av school_days, days, months och after_break.",
    "flaw.CLOCK_PAST": "{where}: fristen {what} ligger i det förflutna. Ange 0 eller mer.",
    "flaw.CLOCK_TOO_LONG": "{where}: fristen {what} är orimligt lång. Två år är det längsta.",
    "flaw.CLOCK_BEFORE": "Steget ”{where}” ska vara klart före ”{what}”, som det väntar på. Ge det en senare frist.",
    "flaw.STANDING_CLOCK": "Steget ”{where}” kan tas när som helst (standing) och kan inte ha en frist. Ta bort due.",
    "flaw.AT_ONCE_WAITS": (
        "Steget ”{where}” ska göras genast (at_once) och får inte vänta på något. Ta bort after och standing."
    ),
    "told.sound": "{file}: i sin ordning",
    "told.flawed": "{file}: inte i sin ordning",
    "told.own": "egen",
    "told.shipped": "medföljer",
    "told.unknown": "Det finns ingen rutin som heter {name}. Se: upprop node routine list.",
    "told.nothing": "Det finns inget att kontrollera i {file}. Ange en fil, eller kommunens katalog.",
    "told.role.caseworker": "handläggare",
    "told.role.protected-identity": "handläggare av skyddade uppgifter",
    "told.role.principal": "rektor",
    "told.role.administrator": "administratör",
    "told.role.auditor": "granskare",
    "told.clock.at-once": "genast",
    "told.clock.school_days": "skoldag {count}",
    "told.clock.days": "{count} {count:kalenderdag|kalenderdagar}",
    "told.clock.months": "{count} {count:månad|månader}",
    "told.clock.after_break": "efter nästa långa lov",
    "told.clock.standing": "när som helst",
    "told.law": "Lagstöd: {law}",
}
ENGLISH = {
    "flaw.TOO_LARGE": "The file is too large. It may have at most {what} characters. Split it.",
    "flaw.NOT_YAML": "The file cannot be read as YAML ({where}). Look for indents, colons and quotes there.",
    "flaw.ALIAS": "The file refers to itself with & and * ({where}). Write the text out instead.",
    "flaw.KEY_TWICE": "“{what}” stands twice in the same place ({where}). Take one out.",
    "flaw.UNKNOWN_FIELD": "{where}: “{what}” is no known field. Correct the spelling or take it out.",
    "flaw.MISSING_FIELD": "{where}: the field “{what}” is missing. Add it.",
    "flaw.WRONG_VALUE": "{where}: the value “{what}” cannot be used here. See which values there are.",
    "flaw.NAME": "{where}: the name “{what}” may only have small letters a–z, digits and hyphens.",
    "flaw.NAME_OF_FILE": "The file must be called as the routine is: “{what}.yaml”. Rename one of them.",
    "flaw.TEXT_MISSING": "{where}: the text is missing. Write it in Swedish.",
    "flaw.NO_STEPS": "The routine has no steps. Add at least one.",
    "flaw.NO_OUTCOMES": "The step “{where}” has no outcome. Add at least one under outcomes.",
    "flaw.STEP_TWICE": "Two steps are called “{what}”. Give one another id.",
    "flaw.OUTCOME_TWICE": "The step “{where}” has two outcomes called “{what}”. Give one another id.",
    "flaw.ENTRY_TWICE": "Two entries are called “{what}”. Give one another id.",
    "flaw.UNKNOWN_STEP": "{where}: there is no step called “{what}”. Correct the name or add the step.",
    "flaw.UNKNOWN_ROUTINE": "{where}: there is no routine called “{what}”. Correct the name or add the routine.",
    "flaw.CYCLE": (
        "The steps go in a circle: {what}. If a follow-up is meant to come again, write loop instead of then; "
        "otherwise take one of the links out."
    ),
    "flaw.LOOP_NOT_BACK": "{where}: “{what}” does not lie behind in the routine. Write then instead of loop.",
    "flaw.LOOP_WITHOUT_CLOCK": (
        "{where}: “{what}” would come again with no time in between. Give the step a clock of at least a day."
    ),
    "flaw.CLOCK_MISSING": "The step “{where}” has no clock. State due: school_days, days, months or after_break.",
    "flaw.CLOCK_SEVERAL": "{where}: state only one of school_days, days, months and after_break.",
    "flaw.CLOCK_PAST": "{where}: the clock {what} lies in the past. State 0 or more.",
    "flaw.CLOCK_TOO_LONG": "{where}: the clock {what} is unreasonably long. Two years are the longest.",
    "flaw.CLOCK_BEFORE": "The step “{where}” is due before “{what}”, for which it waits. Give it a later clock.",
    "flaw.STANDING_CLOCK": "The step “{where}” can be taken at any time (standing) and has no clock. Take due out.",
    "flaw.AT_ONCE_WAITS": (
        "The step “{where}” is to be done at once (at_once) and may wait for nothing. Take after and standing out."
    ),
    "told.sound": "{file}: in order",
    "told.flawed": "{file}: not in order",
    "told.own": "own",
    "told.shipped": "shipped",
    "told.unknown": "There is no routine called {name}. See: upprop node routine list.",
    "told.nothing": "There is nothing to check in {file}. Name a file, or the municipality's directory.",
    "told.role.caseworker": "caseworker",
    "told.role.protected-identity": "handler of protected identities",
    "told.role.principal": "principal",
    "told.role.administrator": "administrator",
    "told.role.auditor": "auditor",
    "told.clock.at-once": "at once",
    "told.clock.school_days": "school day {count}",
    "told.clock.days": "{count} calendar {count:day|days}",
    "told.clock.months": "{count} {count:month|months}",
    "told.clock.after_break": "after the next long break",
    "told.clock.standing": "at any time",
    "told.law": "Legal basis: {law}",
}


def texts(language: Language) -> Texts:
    return Texts(language, SWEDISH if language is Language.SWEDISH else ENGLISH)


def sentence(flaw: Flaw, language: Language = Language.ENGLISH) -> str:
    """One flaw, and what to do about it."""
    return texts(language)(f"flaw.{flaw.kind.value}", where=flaw.where or "·", what=flaw.what)
