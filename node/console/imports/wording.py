"""What the page of imports says."""

from __future__ import annotations

SWEDISH = {
    "nav.imports": "Inläsning",
    "imports.title": "Inläsning",
    "imports.lead": "Vad varje källa senast visade, vilka rader som inte lästes in och hur de rättas.",
    "imports.kind.roster": "Skolsystemet {system}: inskrivningar",
    "imports.kind.attendance": "Skolsystemet {system}: närvaro",
    "imports.kind.residents": "Folkbokförda barn",
    "imports.as-of": "Visar läget",
    "imports.received": "Läst in",
    "imports.rows.roster": "Elever",
    "imports.rows.attendance": "Rader",
    "imports.rows.residents": "Barn",
    "imports.rejected": "Ej inlästa rader",
    "imports.unknown.attendance": "Rader om okända elever",
    "imports.ok": "I ordning",
    "imports.silent": "Tyst",
    "imports.refused": "Nekad",
    "imports.some": "Rader ej inlästa",
    "imports.missing": "Saknas",
    "imports.silent.roster": (
        "Inget nytt på över fem skoldagar. Så länge det är så kan ingen säga vilka elever som går här, och kommunen "
        "räknas som tyst hos registret. Läs in en ny export."
    ),
    "imports.silent.attendance": (
        "Ingen närvaro på över fem skoldagar. Frånvarande elever kommer då inte upp av sig själva. Läs in "
        "närvaro, eller "
        "fråga skolorna."
    ),
    "imports.silent.residents": "Listan är över 40 dagar gammal. Läs in en ny.",
    "imports.missing.roster": "Skolsystemet finns i inställningarna men har aldrig lästs in.",
    "imports.missing.attendance": "Ingen närvaro har lästs in. Se upprop node attendance import --help.",
    "imports.missing.residents": "Ingen lista har lästs in. Se upprop node residents import --help.",
    "imports.refusal": "Det senaste försöket ({day}) gav ingenting:",
    "imports.code.EXPORT_UNREADABLE": (
        "Filen eller svaret gick inte att läsa. Kontrollera formatet och exportera på nytt."
    ),
    "imports.code.EXPORT_FOREIGN": (
        "Exporten ser ut att vara någon annans: nästan ingen i den är känd. Kontrollera källan."
    ),
    "imports.code.EXPORT_SHRUNK": (
        "Minst hälften saknas jämfört med förra gången. Exportera på nytt. Stämmer det: läs in med --accept-shrink."
    ),
    "imports.code.EXPORT_OLDER": "Det som gavs är äldre än det som redan är inläst. Ge en nyare export.",
    "imports.code.TOKEN_REFUSED": "Skolsystemet godtar inte noden. Be leverantören om ny behörighet.",
    "imports.code.PEER_UNREACHABLE": "Skolsystemet gick inte att nå. Kontrollera adressen och att det är i gång.",
    "imports.code.OTHER": "Fel: {code}. Kör inläsningen för hand för att se hela beskedet.",
    "imports.held.title": "Elever som väntar på bekräftelse",
    "imports.held": (
        "{pupils} elever lämnade en skolenhet samtidigt i exporten {day} och väntar. Stämmer det: läs in med "
        "--confirm-leavings. Annars rättas exporten."
    ),
    "imports.remarks": "Rader som inte lästes in eller behöver ses över",
    "imports.remarks.text": (
        "Rätta i källan, inte i filen, och läs in på nytt. Rader räknas som i ett kalkylblad: rubrikraden är rad 1. "
        "I SS 12000 räknas personer från 1."
    ),
    "imports.row": "Rad",
    "imports.field": "Fält",
    "imports.why": "Vad som är fel",
    "imports.mend": "Så rättas det",
    "imports.more": "{n} till: upprop node import visar alla.",
    "imports.mend.civicNo": "Rätta personnumret i skolsystemet. Till dess bevakas eleven bara här.",
    "imports.mend.personnummer": "Rätta personnumret i källan: 10 eller 12 siffror.",
    "imports.mend.person_id": "Ge raden elevens id i skolsystemet.",
    "imports.mend.row": (
        "Kontrollera att raden har lika många fält som rubriken, och att text med avgränsare står inom citattecken."
    ),
    "imports.mend.roster": "Rätta inskrivningen i skolsystemet. Till dess räknas den inte som skolgång.",
    "imports.mend.attendance": "Rätta raden i källan och läs in närvaron på nytt.",
    "imports.mend.residents": "Rätta raden i listan och läs in den på nytt.",
}
ENGLISH = {
    "nav.imports": "Imports",
    "imports.title": "Imports",
    "imports.lead": "What each source last showed, which rows were left out, and how they are mended.",
    "imports.kind.roster": "School system {system}: enrolments",
    "imports.kind.attendance": "School system {system}: attendance",
    "imports.kind.residents": "Resident children",
    "imports.as-of": "Shows the state of",
    "imports.received": "Imported",
    "imports.rows.roster": "Pupils",
    "imports.rows.attendance": "Rows",
    "imports.rows.residents": "Children",
    "imports.rejected": "Rows left out",
    "imports.unknown.attendance": "Rows about unknown pupils",
    "imports.ok": "In order",
    "imports.silent": "Silent",
    "imports.refused": "Refused",
    "imports.some": "Rows left out",
    "imports.missing": "Missing",
    "imports.silent.roster": (
        "Nothing new for over five school days. As long as that is so nobody can say which pupils are here, and the "
        "registry counts the municipality as silent. Import a new export."
    ),
    "imports.silent.attendance": (
        "No attendance for over five school days. Absent pupils then do not come up by themselves. Import "
        "attendance, or "
        "ask the schools."
    ),
    "imports.silent.residents": "The list is over 40 days old. Import a new one.",
    "imports.missing.roster": "The school system stands in the settings, and was never imported.",
    "imports.missing.attendance": "No attendance has been imported. See upprop node attendance import --help.",
    "imports.missing.residents": "No list has been imported. See upprop node residents import --help.",
    "imports.refusal": "The newest attempt ({day}) came to nothing:",
    "imports.code.EXPORT_UNREADABLE": "The file or answer could not be read. Check its form, and export anew.",
    "imports.code.EXPORT_FOREIGN": (
        "The export looks like somebody else's: next to nobody in it is known. Check the source."
    ),
    "imports.code.EXPORT_SHRUNK": (
        "At least half is missing compared with the time before. Export anew. If it is right: import with "
        "--accept-shrink."
    ),
    "imports.code.EXPORT_OLDER": "What was given is older than what was imported already. Give a newer export.",
    "imports.code.TOKEN_REFUSED": "The school system does not accept the node. Ask its supplier for new rights.",
    "imports.code.PEER_UNREACHABLE": "The school system could not be reached. Check the address and that it runs.",
    "imports.code.OTHER": "Error: {code}. Run the import by hand to see the whole sentence.",
    "imports.held.title": "Pupils who wait to be confirmed",
    "imports.held": (
        "{pupils} pupils left one school unit at once in the export of {day}, and wait. If it is right: import with "
        "--confirm-leavings. Else have the export put right."
    ),
    "imports.remarks": "Rows that were left out or are worth a look",
    "imports.remarks.text": (
        "Mend them in the source, not in the file, and import again. Rows are counted as a spreadsheet "
        "counts them: the "
        "header is row 1. In SS 12000 persons are counted from 1."
    ),
    "imports.row": "Row",
    "imports.field": "Field",
    "imports.why": "What is wrong",
    "imports.mend": "How to mend it",
    "imports.more": "{n} more: upprop node import shows all.",
    "imports.mend.civicNo": "Put the number right in the school system. Until then the pupil is watched here alone.",
    "imports.mend.personnummer": "Put the number right in the source: 10 or 12 digits.",
    "imports.mend.person_id": "Give the row the pupil's id in the school system.",
    "imports.mend.row": "See that the row has as many fields as the header, and that text with a delimiter is quoted.",
    "imports.mend.roster": "Put the enrolment right in the school system. Until then it does not count as attendance.",
    "imports.mend.attendance": "Put the row right in the source and import the attendance again.",
    "imports.mend.residents": "Put the row right in the list and import it again.",
}
