"""What the board says."""

from __future__ import annotations

SWEDISH = {
    "board.changed": "Tavlan har ändrats.",
    "board.show-anew": "Visa den på nytt",
    "nav.board": "Tavlan",
    "board.title": "Vems frist går ut?",
    "board.files": "Ärenden ({n})",
    "board.watched": "Bevakas ({n})",
    "board.watched.text": (
        "De här eleverna har lämnat skolan här, eller väntar på att skrivas ut (Spärr), och är ännu inte redovisade "
        "hos någon annan huvudman. Inget ärende är öppnat än."
    ),
    "board.none": "Inga ärenden är öppna.",
    "board.none-watched": "Ingen bevakas.",
    "board.clock": "Frist",
    "board.who": "Elev",
    "board.what": "Nästa steg",
    "board.day": "Skoldag",
    "board.status": "Status",
    "board.responsible": "Ansvarig",
    "board.protected": "Skyddad",
    "board.held": "Spärr",
    "board.late": "{n} {n:skoldag|skoldagar} för sent",
    "board.today": "I dag",
    "board.left": "Om {n} {n:skoldag|skoldagar}",
    "board.no-clock": "Ingen",
    "board.opens": "Ärendet öppnas",
    "board.resumes": "Ärendet tas upp igen",
    "board.asks-close": "Eleven är redovisad: granska och avsluta",
    "board.lead": "Vi leder",
    "board.linked": "Söks även av en annan huvudman",
    "board.coverage": "Svar kan saknas",
}
ENGLISH = {
    "board.changed": "The board has changed.",
    "board.show-anew": "Show it anew",
    "nav.board": "Board",
    "board.title": "Whose clock runs out?",
    "board.files": "Case files ({n})",
    "board.watched": "Watched ({n})",
    "board.watched.text": (
        "These pupils have left school here, or wait to be withdrawn (Hold), and are not accounted for elsewhere yet. "
        "No case file is open."
    ),
    "board.none": "No case file is open.",
    "board.none-watched": "Nobody is watched.",
    "board.clock": "Clock",
    "board.who": "Pupil",
    "board.what": "Next step",
    "board.day": "School day",
    "board.status": "Status",
    "board.responsible": "Responsible",
    "board.protected": "Protected",
    "board.held": "Hold",
    "board.late": "{n} school {n:day|days} late",
    "board.today": "Today",
    "board.left": "In {n} school {n:day|days}",
    "board.no-clock": "None",
    "board.opens": "The case file opens",
    "board.resumes": "The suspension ends",
    "board.asks-close": "The pupil is accounted for: look into it and close",
    "board.lead": "We lead",
    "board.linked": "Another member misses the pupil too",
    "board.coverage": "Answers may be missing",
}
