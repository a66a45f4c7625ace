"""What the board says."""

from __future__ import annotations

SWEDISH = {"nav.board": "Tavlan", "board.title": "Ärenden efter brådska", "board.none": "Inga ärenden är öppna."}
ENGLISH = {"nav.board": "Board", "board.title": "Case files by urgency", "board.none": "No case file is open."}
