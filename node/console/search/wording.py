"""What the search says."""

from __future__ import annotations

SWEDISH = {
    "nav.search": "Sök",
    "view.search": "Funnet vid sökning",
    "search.title": "Sök elev eller ärende",
    "search.person": "Personnummer, samordningsnummer, skolsystemets id eller ärendets nummer",
    "search.hint": "Skriv hela numret: 10 eller 12 siffror, eller ärendets som 2026-00017.",
    "search.button": "Sök",
    "search.logged": "Ärenden som du hittar antecknas i loggen över visningar.",
    "search.nobody": "Ingen känd elev och inget ärende har det numret.",
    "search.enrolled": "Finns i skolsystemets senaste export.",
    "search.not-enrolled": "Finns inte i skolsystemets senaste export.",
    "search.no-files": "Inget ärende finns om eleven.",
    "search.files": "Ärenden",
    "search.flaw.empty": "Skriv ett nummer.",
    "search.flaw.too-many": "Du har sökt många gånger på kort tid. Försök igen om {minutes} {minutes:minut|minuter}.",
}
ENGLISH = {
    "nav.search": "Search",
    "view.search": "Found by a search",
    "search.title": "Search for a pupil or a case file",
    "search.person": "Personal or coordination number, the school system's id, or the case file's number",
    "search.hint": "Write the whole number: 10 or 12 digits, or the case file's as 2026-00017.",
    "search.button": "Search",
    "search.logged": "Case files that you find are noted in the log of views.",
    "search.nobody": "No pupil and no case file is known by that number.",
    "search.enrolled": "In the school system's newest export.",
    "search.not-enrolled": "Not in the school system's newest export.",
    "search.no-files": "There is no case file about the pupil.",
    "search.files": "Case files",
    "search.flaw.empty": "Write a number.",
    "search.flaw.too-many": "You have searched many times in a short while. Try again in {minutes} "
    "{minutes:minute|minutes}.",
}
