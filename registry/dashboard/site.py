"""What pages and API are made from: where the numbers come from, and who is shown them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from registry.statistics.reading import Level, Source


@dataclass(frozen=True, slots=True)
class Site:
    """One face of the statistics.

    `level` is what it shows, to everybody who can reach it. `today` is the business date, for calendars. `title` stands
    above its pages, in both languages alike; empty where they bear their own.
    """

    source: Source
    level: Level
    today: Callable[[], date]
    title: str = ""
