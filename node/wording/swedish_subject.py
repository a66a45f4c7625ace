"""Swedish: data subjects' requests."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.subject.texts import SubjectText

SUBJECT: Mapping[enum.Enum, str] = {
    SubjectText.ABOUT: (
        "Registerutdrag från {member}, {day}. Allt som noden har sparat om dig (dataskyddsförordningen artikel 15)."
    ),
    SubjectText.SOURCE: (
        "Uppgifterna kommer från kommunens eller huvudmannens skolsystem, och från personal där det anges."
    ),
    SubjectText.SOURCE_RESIDENTS: (
        "Uppgifterna kommer från kommunens lista över folkbokförda barn, och från personal där det anges. Ingenting "
        "har lämnats till någon annan."
    ),
    SubjectText.RECIPIENTS: (
        "Mottagare utanför huvudmannen är registret. Det har fått pseudonymer och de dagar som står under"
        " uppgifter till registret, aldrig namn eller nummer. Nyckelhållarna har fått blindade värden som"
        " inte säger dem något. Inget förs över till tredjeland av programmet, och inget beslut fattas "
        "automatiskt."
    ),
    SubjectText.PSEUDONYMS: (
        "Pseudonymer har gjorts av numret för de perioder som nämns här. Själva värdena lämnas inte ut: "
        "de skulle hjälpa den som hittar utdraget att koppla det till andra uppgifter."
    ),
    SubjectText.STATISTICS: (
        "Åldersgrupp och kön har lämnats till registrets statistik för {cases:ärende|ärenden}. Vad som "
        "lämnades sparas inte här."
    ),
    SubjectText.COPIES: (
        "Säkerhetskopior av noden innehåller samma uppgifter, krypterade, så länge huvudmannen behåller dem."
    ),
    SubjectText.RIGHTS: (
        "Är något fel rättas det i skolsystemet; nästa inläsning tar över det. Du kan begära radering, "
        "invända, och klaga hos Integritetsskyddsmyndigheten (IMY)."
    ),
    SubjectText.RIGHTS_RESIDENTS: (
        "Är något fel i folkbokföringen rättas det hos Skatteverket; nästa lista tar över det. Du kan begära radering, "
        "invända, och klaga hos Integritetsskyddsmyndigheten (IMY)."
    ),
    SubjectText.NOTHING: "inget",
    SubjectText.WRITTEN: ("Utdraget står i {path}. Lämna det bara till den som det gäller, och radera filen sedan."),
    SubjectText.WILL_GO: "Det här tas bort ({rows:rad|rader}):",
    SubjectText.TAKES_BACK: (
        "Först återtas vad som sagts till registret. När registret har tagit emot det tas alla rader här bort."
    ),
    SubjectText.RELIED_ON: (
        "Registret har fått veta att eleven gått här. Återtas det kan ett ärende hos en annan huvudman "
        "öppnas igen, och ett barn letas efter som ingen saknar. Kontrollera att eleven finns i en skola."
    ),
    SubjectText.LEFT_AT_REGISTRY: (
        "I registret står sedan ett slumptal och ett versionsnummer kvar, utan pseudonym och utan dagar "
        "om närvaro, och om det fanns ett ärende dess dagar, tills reglerna i docs/manual/retention.md "
        "tar bort dem."
    ),
    SubjectText.SURE: "Radera allt om den här personen? Det kan inte ångras",
    SubjectText.BEGUN: (
        "Påbörjat. Återtagandet skickas vid nästa synkronisering (upprop node sync), och sedan raderas "
        "allt. Se hur långt det har kommit: upprop node subject log"
    ),
    SubjectText.ERASED: (
        "Raderat. Kvar är en rad om att det skett, utan att säga vem det gällde: upprop node subject log"
    ),
    SubjectText.WAITS: "Väntar på registret, hittills {seconds} s; nästa försök om {pause} s (Ctrl-C slutar vänta).",
    SubjectText.INTERRUPTED: (
        "Väntar inte längre. Raderingen är ändå påbörjad och fortsätter vid nästa synkronisering. Se hur långt det har "
        "kommit: upprop node subject log"
    ),
    SubjectText.UNREACHED: (
        "Registret gick inte att nå (raderna ovanför säger varför), och ingenting raderas innan det har tagit emot "
        "återtagandet. Raderingen är "
        "påbörjad och fortsätter vid nästa synkronisering som når det; se vad som är fel: upprop node doctor"
    ),
    SubjectText.NOT_TAKEN: (
        "Registret tog inte emot återtagandet ({code}); ingenting är raderat, och det hjälper inte att vänta. Fråga "
        "den som driver registret, med koden, och kör sedan upprop node subject erase en gång till för samma person: "
        "då skickas det på nytt."
    ),
    SubjectText.COME_BACK: (
        "Avbruten: eleven finns i ett skolsystem igen, och allt sägs på nytt. Radera där först, läs in, och begär det "
        "sedan igen."
    ),
    SubjectText.OLD_COPIES: (
        "Säkerhetskopior från tidigare innehåller uppgifterna tills de gallras. Återställs en raderas "
        "personen igen av sig själv, om filen erased i datakatalogen finns kvar: spara den tillsammans "
        "med kopiorna."
    ),
    SubjectText.NO_REQUESTS: "Ingen har begärt utdrag eller radering.",
}

SUBJECT_TERMS: Mapping[str, str] = {
    "EXPORT": "registerutdrag",
    "ERASURE": "radering",
    "PENDING": "väntar på registret",
    "DONE": "klar",
    "GIVEN_UP": "avbruten: eleven finns i ett skolsystem igen",
    "WAITING": "väntar",
    "SENT": "skickad",
    "ACKNOWLEDGED": "mottagen",
    "PARKED": "ej mottagen",
    "SUPERSEDED": "ersatt",
    "STANDING": "gäller",
    "REFUSED": "avvisad",
    "ANSWER": "redovisad hos annan huvudman",
    "PLACED_HERE": "har plats här på nytt",
    "OVERRIDE": "beslut av en namngiven person",
    "RELEASED": "släppt",
    "CANCELLED": "återtagen",
    "subject.identity": "Vem du är",
    "subject.given_name": "Förnamn",
    "subject.family_name": "Efternamn",
    "subject.birth_date": "Födelsedatum",
    "subject.sex": "Kön",
    "subject.numbers": "Nummer",
    "subject.wrong_numbers": "Nummer som var skrivfel",
    "subject.person_ids": "Id i skolsystemet",
    "subject.protected": "Skyddade personuppgifter",
    "subject.route": "Hur en saknad skolplacering hanteras",
    "subject.school_systems": "Vad skolsystemen visar nu",
    "subject.system": "Skolsystem",
    "subject.person_id": "Id",
    "subject.number": "Nummer",
    "subject.name": "Namn",
    "subject.status": "Status",
    "subject.marking": "Sekretessmarkering",
    "subject.rows": "Rader",
    "subject.unit": "Skolenhet",
    "subject.unit_name": "Skolenhetens namn",
    "subject.form": "Skolform",
    "subject.start": "Från",
    "subject.end": "Till",
    "subject.year": "Årskurs",
    "subject.cancelled": "Återkallad",
    "subject.observations": "Vad inläsningar har visat",
    "subject.as_of": "Per den",
    "subject.in_roster": "Fanns med",
    "subject.said_by_staff": "Vad personal har antecknat",
    "subject.word": "Anteckning",
    "subject.on": "Avser dagen",
    "subject.said_by": "Av",
    "subject.said_on": "Antecknat",
    "subject.reason": "Skäl",
    "subject.review": "Ska ses över",
    "subject.reviewed_by": "Granskat av",
    "subject.state": "Läge",
    "subject.sent_to_registry": "Uppgifter till registret",
    "subject.version": "Version",
    "subject.made_on": "Gjord",
    "subject.code": "Orsak",
    "subject.epochs": "Perioder",
    "subject.presences": "Skolgång",
    "subject.opening": "Saknad skolplacering",
    "subject.duty_ended": "Skolplikten har upphört",
    "subject.retracted": "Återtar allt",
    "subject.begins": "Från",
    "subject.until": "Till",
    "subject.affirmed_on": "Bekräftad",
    "subject.met_on": "Sedd i skolan",
    "subject.kind": "Slag",
    "subject.since": "Sedan",
    "subject.urgency": "Brådska",
    "subject.planned_start": "Planerad skolstart",
    "subject.gaps": "Saknade skolplaceringar och ärenden",
    "subject.stated": "Sägs nu",
    "subject.due_on": "Förfaller",
    "subject.state_since": "Läget sedan",
    "subject.opened_on": "Öppnat",
    "subject.opened_by": "Öppnat genom",
    "subject.verdict": "Registrets besked",
    "subject.verdict_on": "Beskedet gavs",
    "subject.lead": "Leder ärendet",
    "subject.linked": "Kopplat till ett annat ärende",
    "subject.coverage_incomplete": "Någon huvudman var tyst",
    "subject.notices_of_registry": "Besked från registret",
    "subject.closed_on": "Dagsavslut",
    "subject.opening_number": "Ärendets nummer",
    "subject.asked_by_roll_call": "Eftersökt i uppropet",
    "subject.called_on": "Eftersökt",
    "subject.begun_since": "Där sedan",
    "subject.told_for_statistics": "Statistik",
    "subject.pseudonyms": "Pseudonymer",
    "subject.epoch": "Period",
    "subject.evaluators": "Nyckelhållare",
    "subject.kept": "Hur länge det sparas",
    "subject.table": "Tabell",
    "subject.why": "Varför",
    "subject.withdrawals_asked_for": "Begärda utskrivningar",
    "subject.last_day": "Sista dag",
    "subject.responsible": "Ansvarig",
    "subject.note": "Anteckning",
    "subject.asked_on": "Begärd",
    "subject.released_by": "Släppt genom",
    "subject.decided_by": "Beslutad av",
    "subject.decision": "Skäl för beslutet",
    "subject.tasks": "Uppgifter för personalen",
    "subject.answered": "Svar",
    "subject.answer": "Svar",
    "subject.by": "Av",
    "subject.resident_since": "Bosatt sedan",
    "subject.attendance": "Närvaro",
    "subject.day": "Dag",
    "subject.mark": "Närvaro",
    "subject.case_files": "Ärenden",
    "subject.reference": "Ärendenummer",
    "subject.opened_for": "Öppnat för",
    "subject.status_since": "Status sedan",
    "subject.suspended_until": "Vilar till",
    "subject.outcome": "Utfall",
    "subject.classification": "Klassificering",
    "subject.absence": "Frånvaro",
    "subject.absence_why": "Vad som avgjorde",
    "subject.shredded_on": "Gallrat",
    "subject.gap_state": "Läge för saknad skolplacering",
    "subject.revision": "Ändringar",
    "subject.journal": "Journal",
    "subject.written_at": "Skrivet",
    "subject.author": "Av",
    "subject.body": "Innehåll",
    "subject.text": "Text",
    "subject.true": "ja",
    "subject.false": "nej",
}
"""Words for states, and for the names of what a copy of personal data holds."""
