"""What the page of figures says."""

from __future__ import annotations

_MONTHS_SV = ["jan.", "feb.", "mars", "apr.", "maj", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "dec."]
_MONTHS_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

SWEDISH = {
    "nav.figures": "Statistik",
    "figures.title": "Statistik för kommunen",
    "figures.open": "Öppna ärenden i dag",
    "figures.text": "Här räknas de ärenden som du har tillgång till. Inget av det lämnar kommunen.",
    "figures.months": "Ärenden månad för månad",
    "figures.month": "Månad",
    "figures.opened": "Öppnade",
    "figures.closed": "Avslutade",
    "figures.at-end": "Öppna vid månadens slut",
    "figures.chart": "Stapeldiagram över öppnade och avslutade ärenden de senaste tolv månaderna. Tabellen har talen.",
    "figures.by-status": "Öppna ärenden efter status",
    "figures.by-classification": "Öppna ärenden efter bedömning",
    "figures.count": "Antal",
    "figures.none": "Inget ärende är öppet.",
    **{f"month.{place}": name for place, name in enumerate(_MONTHS_SV, start=1)},
}
ENGLISH = {
    "nav.figures": "Figures",
    "figures.title": "Figures of the municipality",
    "figures.open": "Open case files today",
    "figures.text": "What you have access to is counted here. None of it leaves the municipality.",
    "figures.months": "Case files month by month",
    "figures.month": "Month",
    "figures.opened": "Opened",
    "figures.closed": "Closed",
    "figures.at-end": "Open at the end of the month",
    "figures.chart": "Bar chart of case files opened and closed in the last twelve months. The table has the numbers.",
    "figures.by-status": "Open case files by status",
    "figures.by-classification": "Open case files by classification",
    "figures.count": "Number",
    "figures.none": "No case file is open.",
    **{f"month.{place}": name for place, name in enumerate(_MONTHS_EN, start=1)},
}
