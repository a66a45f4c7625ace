"""Numbers, dates and shares as each language writes them. Pure.

Swedish groups by a no-break space and has a decimal comma; English a comma and a point. A minus sign is U+2212.
"""

from __future__ import annotations

import datetime as dt

from federation.web.i18n import Language

NO_BREAK = "\N{NO-BREAK SPACE}"
_MONTHS = {
    Language.SWEDISH: (
        *("januari", "februari", "mars", "april", "maj", "juni"),
        *("juli", "augusti", "september", "oktober", "november", "december"),
    ),
    Language.ENGLISH: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}


def whole(value: int, language: Language) -> str:
    """2360 → "2 360" or "2,360"."""
    grouped = f"{abs(value):,}"
    if language is Language.SWEDISH:
        grouped = grouped.replace(",", NO_BREAK)
    return f"−{grouped}" if value < 0 else grouped


def decimal(value: float, language: Language, places: int = 2) -> str:
    """Without zeros that say nothing: 0.25, 3.5, 1."""
    written = f"{value:,.{places}f}"
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    if language is Language.SWEDISH:
        written = written.replace(",", NO_BREAK).replace(".", ",")
    return written.replace("-", "−")


def rho(nano_rho: int, language: Language) -> str:
    """A budget in ρ from whole 1e-9."""
    return decimal(nano_rho / 1e9, language, places=6)


def interval(low: int, high: int, language: Language) -> str:
    """43 and 53 → "43–53"."""
    return f"{whole(low, language)}–{whole(high, language)}"


def day(date: dt.date, language: Language) -> str:
    """22 november 2026; 22 November 2026."""
    return f"{date.day}{NO_BREAK}{_MONTHS[language][date.month - 1]} {date.year}"


def month_of(code: str) -> int | None:
    """1–12 of `2026M09`, as tables write a month, and of `2026-09`, as releases do; None of a year."""
    month = code.replace("M", "-").partition("-")[2]
    return int(month) if month.isdigit() and 1 <= int(month) <= 12 else None


def period(code: str, language: Language) -> str:
    """`2026M09`, `2026-09` → september 2026; `2026`, `2026-closed` → 2026."""
    month = month_of(code)
    return code.removesuffix("-closed") if month is None else f"{_MONTHS[language][month - 1]} {code[:4]}"


def heading(text: str) -> str:
    """A label with a capital letter; the rest as it is."""
    return text[:1].upper() + text[1:]


def month_short(code: str, language: Language) -> str:
    """`2026M09` → sep; for axes."""
    return period(code, language)[:3]


class Formats:
    """All of them in one language, for templates."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def whole(self, value: int) -> str:
        return whole(value, self._language)

    def decimal(self, value: float, places: int = 2) -> str:
        return decimal(value, self._language, places)

    def rho(self, nano_rho: int) -> str:
        return rho(nano_rho, self._language)

    def interval(self, low: int, high: int) -> str:
        return interval(low, high, self._language)

    def day(self, date: dt.date) -> str:
        return day(date, self._language)

    def period(self, code: str) -> str:
        return period(code, self._language)

    def heading(self, text: str) -> str:
        return heading(text)

    def month_short(self, code: str) -> str:
        return month_short(code, self._language)
