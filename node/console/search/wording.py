"""What the search says."""

from __future__ import annotations

SWEDISH = {
    "nav.search": "Sök",
    "view.search": "Funnet vid sökning",
    "search.title": "Sök elev",
    "search.person": "Personnummer, samordningsnummer eller skolsystemets id",
    "search.hint": "Skriv hela numret, med 10 eller 12 siffror.",
    "search.button": "Sök",
    "search.logged": "Ärenden som du hittar antecknas i loggen över visningar.",
    "search.nobody": "Ingen känd elev har det numret.",
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
    "search.title": "Search for a pupil",
    "search.person": "Personal or coordination number, or the school system's id",
    "search.hint": "Write the whole number, with 10 or 12 digits.",
    "search.button": "Search",
    "search.logged": "Case files that you find are noted in the log of views.",
    "search.nobody": "No pupil is known by that number.",
    "search.enrolled": "In the school system's newest export.",
    "search.not-enrolled": "Not in the school system's newest export.",
    "search.no-files": "There is no case file about the pupil.",
    "search.files": "Case files",
    "search.flaw.empty": "Write a number.",
    "search.flaw.too-many": "You have searched many times in a short while. Try again in {minutes} "
    "{minutes:minute|minutes}.",
}
