"""Swedish: what imports remark on rows, by the English phrases that they keep. # stands for a number or a type."""

from __future__ import annotations

from collections.abc import Mapping

REMARKS: Mapping[str, str] = {
    # What is wrong
    "is empty": "är tomt",
    "is missing": "saknas",
    "is not a date between # and # (YYYY-MM-DD)": "är inte ett datum mellan # och # (ÅÅÅÅ-MM-DD)",
    "is not a known school type": "är inte en känd skolform",
    "is not a value of the standard": "är inte ett värde i standarden",
    "is not a national number": "är inte ett personnummer eller samordningsnummer",
    "has no real date of birth": "har inget verkligt födelsedatum",
    "has a date of birth after today": "har ett födelsedatum efter i dag",
    "has a wrong check digit": "har fel kontrollsiffra",
    "no Swedish number is given": "inget svenskt nummer är angivet",
    "is a temporary number": "är ett tillfälligt nummer",
    "expected #, got #": "väntade #, fick #",
    "has more or fewer fields than the header": "har fler eller färre fält än rubrikraden",
    "is neither ja nor nej": "är varken ja eller nej",
    "is neither active nor tobedeleted": "är varken active eller tobedeleted",
    "is empty, and no known grade is given": "är tomt, och ingen känd årskurs är angiven",
    "gives no known grade, nor is a school type given": "ger ingen känd årskurs, och skolform saknas",
    "names a user whom users.csv does not have": "avser en användare som inte finns i users.csv",
    "names a user who is neither in users.csv nor known": "avser en användare som varken users.csv eller noden känner",
    "names an org that no orgs.csv has named": "avser en organisation som ingen orgs.csv har nämnt",
    "names an org that is no school": "avser en organisation som inte är en skola",
    "stands twice for one pupil": "står två gånger för samma elev",
    "is not a day up to today": "är inte en dag till och med i dag",
    "is not a date": "är inte ett datum",
    "cannot be read": "går inte att läsa",
    # What follows from it
    "the day of the list is taken": "listans dag används i stället",
    "the enrolment is left out": "inskrivningen är inte inläst",
    "the second enrolment is left out": "den andra inskrivningen är inte inläst",
    "the row is left out": "raden är inte inläst",
    "the person is watched here alone until a national number arrives": (
        "eleven bevakas bara här tills ett personnummer eller samordningsnummer kommer"
    ),
    "it counts as enrolled, and its end opens no case": "räknas som skolgång, och att den slutar öppnar inget ärende",
    "the person is treated as protected": "eleven hanteras som skyddad",
    "it ends no duty of attendance": "det avslutar ingen skolplikt",
    "taken for GR": "läst som GR",
    "taken for GR, in # rows": "läst som GR, i # rader",
    "it enrols nobody": "ingen är inskriven där",
    "it enrols nobody, in # rows": "ingen är inskriven där, i # rader",
}
