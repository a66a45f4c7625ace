"""What tables, dimensions, codes and contents are called in Swedish and English. Pure.

Codes are the same in both languages; counties and municipalities bear the names of Statistics Sweden.
"""

from __future__ import annotations

from collections.abc import Mapping

from federation.web.i18n import Language
from registry.statistics.catalogue import (
    TOTAL,
    UNKNOWN,
    AgeBand,
    Days,
    DimensionId,
    Measure,
    ReleaseKind,
    Sex,
    Table,
    TableId,
)
from registry.statistics.geography import NATION, geography

SV, EN = Language.SWEDISH, Language.ENGLISH

SUM = "SUM"
"""The one place, or the one time, of an answer that is a sum over several."""

_Texts = Mapping[Language, str]


def _texts(swedish: str, english: str) -> _Texts:
    return {SV: swedish, EN: english}


_TABLES: Mapping[TableId, tuple[_Texts, _Texts]] = {
    TableId.NATION_MONTH: (
        _texts("Barn med ett nytt ärende i riket, efter månad", "Children with a new case in Sweden, by month"),
        _texts(
            "Barn som lämnat en skola, eller saknar skolplats, utan att någon annan skola sagt att barnet går där. "
            "Varje barn räknas en gång per år, i den månad då det första ärendet öppnades.",
            "Children who left a school, or have no school place, without any other school having said that it has the "
            "child. Each child is counted once a year, in the month in which its first case opened.",
        ),
    ),
    TableId.COUNTY_MONTH: (
        _texts("Barn med ett nytt ärende efter län och månad", "Children with a new case by county and month"),
        _texts(
            "Varje barn räknas en gång per år: i det län som först ansvarade för ärendet, i den månad då det öppnades.",
            "Each child is counted once a year: in the county that first led the case, in the month it opened in.",
        ),
    ),
    TableId.NATION_YEAR: (
        _texts(
            "Barn med ett nytt ärende i riket, efter ärendets art, ålder, kön och år",
            "Children with a new case in Sweden, by kind of case, age, sex and year",
        ),
        _texts(
            "Varje barn räknas en gång per år, så som det var när det första ärendet öppnades. Åldern är den som "
            "barnet fyller under året.",
            "Each child is counted once a year, as it was when its first case opened. The age is the one reached "
            "during the year.",
        ),
    ),
    TableId.MUNICIPALITY_YEAR: (
        _texts("Barn med ett nytt ärende efter kommun och år", "Children with a new case by municipality and year"),
        _texts(
            "Varje barn räknas en gång per år, i den kommun som först ansvarade för ärendet. Kommun delas aldrig upp "
            "på månad, ålder eller kön: en sådan ruta vore ett enda barn.",
            "Each child is counted once a year, in the municipality that first led the case. Municipalities are never "
            "split by month, age or sex: such a cell would be a single child.",
        ),
    ),
    TableId.CLOSED_COUNTY_YEAR: (
        _texts(
            "Hur länge barnen saknades, efter län, antal dagar och årgång",
            "How long the children were missing, by county, number of days and year of opening",
        ),
        _texts(
            "Dagar från barnets första ärende till att det sista stängdes. Årgången är det år då det första ärendet "
            "öppnades. Tabellen dras en gång, ett år efter årgångens slut; ärenden som då inte var stängda står som "
            "fortfarande öppna.",
            "Days from the child's first case until the last one closed. The year is that in which the first case "
            "opened. The table is drawn once, a year after the end of that year; cases that were not closed by then "
            "are shown as still open.",
        ),
    ),
    TableId.OWN_SELECTION: (
        _texts(
            "Egen fråga: barn i valfria områden och månader", "Further question: children in chosen places and months"
        ),
        _texts(
            "En summa över de kommuner eller län och de månader av ett år som frågan gäller. Varje ny fråga betalas ur "
            "årets reserv, besvaras med eget brus och ger sedan samma svar för alltid.",
            "One sum over the municipalities or counties, and the months of one year, that the question is about. "
            "Every new question is paid for out of the year's reserve, is answered with noise of its own, and has the "
            "same answer for ever after.",
        ),
    ),
}

_DIMENSIONS: Mapping[DimensionId, _Texts] = {
    DimensionId.REGION: _texts("region", "region"),
    DimensionId.KIND: _texts("ärendets art", "kind of case"),
    DimensionId.AGE: _texts("ålder", "age"),
    DimensionId.SEX: _texts("kön", "sex"),
    DimensionId.DAYS: _texts("antal dagar", "number of days"),
    DimensionId.CONTENTS: _texts("tabellinnehåll", "contents"),
}
_TIMES: Mapping[ReleaseKind | None, _Texts] = {
    ReleaseKind.MONTH: _texts("månad", "month"),
    ReleaseKind.YEAR: _texts("år", "year"),
    ReleaseKind.CLOSED: _texts("årgång", "year of opening"),
    None: _texts("månader", "months"),
}

_TOTAL = _texts("totalt", "total")
_UNKNOWN = _texts("uppgift saknas", "not stated")
_CODES: Mapping[DimensionId, Mapping[str, _Texts]] = {
    DimensionId.KIND: {
        TOTAL: _TOTAL,
        "LEFT": _texts("har lämnat skolan", "left the school"),
        "NOT_PLACED": _texts("saknar skolplats", "has no school place"),
        "HELD": _texts("utskrivning som väntar på ny skola", "withdrawal waiting for a new school"),
    },
    DimensionId.AGE: {
        TOTAL: _TOTAL,
        AgeBand.YOUNGEST: _texts("9 år eller yngre", "9 years or younger"),
        AgeBand.MIDDLE: _texts("10–12 år", "10–12 years"),
        AgeBand.OLDEST: _texts("13 år eller äldre", "13 years or older"),
        UNKNOWN: _UNKNOWN,
    },
    DimensionId.SEX: {
        TOTAL: _TOTAL,
        Sex.FEMALE: _texts("flickor", "girls"),
        Sex.MALE: _texts("pojkar", "boys"),
        UNKNOWN: _UNKNOWN,
    },
    DimensionId.DAYS: {
        TOTAL: _TOTAL,
        Days.WEEK: _texts("0–7 dagar", "0–7 days"),
        Days.MONTH: _texts("8–30 dagar", "8–30 days"),
        Days.QUARTER: _texts("31–90 dagar", "31–90 days"),
        Days.HALF: _texts("91–180 dagar", "91–180 days"),
        Days.YEAR: _texts("181–365 dagar", "181–365 days"),
        Days.LONGER: _texts("366 dagar eller fler", "366 days or more"),
        Days.OPEN: _texts("fortfarande öppet", "still open"),
    },
    DimensionId.CONTENTS: {
        Measure.CHILDREN: _texts("Barn", "Children"),
        Measure.LOW: _texts("Barn, 95 %-intervallets nedre gräns", "Children, lower end of the 95 % interval"),
        Measure.HIGH: _texts("Barn, 95 %-intervallets övre gräns", "Children, upper end of the 95 % interval"),
        Measure.UNCLIPPED: _texts(
            "Barn, som talet drogs (kan vara under noll)", "Children, as the number was drawn (may be below zero)"
        ),
    },
}

_MONTHS = {
    SV: (
        *("januari", "februari", "mars", "april", "maj", "juni"),
        *("juli", "augusti", "september", "oktober", "november", "december"),
    ),
    EN: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}

_UNIT = _texts("barn", "children")
_SOURCE = _texts("Upprop, det nationella registret", "Upprop, the national registry")
_NATION = _texts("Riket", "Sweden")


def table_label(table_id: TableId, language: Language) -> str:
    return _TABLES[table_id][0][language]


def table_description(table_id: TableId, language: Language) -> str:
    return _TABLES[table_id][1][language]


def dimension_label(table: Table, dimension: DimensionId, language: Language) -> str:
    if dimension is DimensionId.TIME:
        return _TIMES[table.released_with][language]
    return _DIMENSIONS[dimension][language]


def code_label(dimension: DimensionId, code: str, language: Language) -> str:
    """KeyError for a code that the dimension has not."""
    match dimension:
        case DimensionId.REGION:
            return region_label(code, language)
        case DimensionId.TIME:
            return time_label(code, language)
        case _:
            return _CODES[dimension][code][language]


def region_label(code: str, language: Language) -> str:
    """`00` Riket, `01` Stockholms län, `0180` Stockholm. KeyError for any other."""
    if code == NATION:
        return _NATION[language]
    if (name := geography().municipalities.get(code)) is not None:
        return name
    county = geography().counties[code]
    # Statistics Sweden writes "Stockholm county": without the genitive of the Swedish name.
    return county if language is SV else f"{county.removesuffix(' län').removesuffix('s')} county"


def time_label(code: str, language: Language) -> str:
    """`2026M09` → september 2026; `2026` → 2026."""
    year, _, month = code.partition("M")
    return f"{_MONTHS[language][int(month) - 1]} {year}" if month else year


def sum_label(count: int, dimension: DimensionId, language: Language) -> str:
    """What a sum over several places or months is called."""
    words = {DimensionId.REGION: _texts("områden", "places"), DimensionId.TIME: _texts("månader", "months")}
    return _texts(f"{count} {words[dimension][SV]} tillsammans", f"{count} {words[dimension][EN]} together")[language]


def code_list_label(code_list_id: str, language: Language) -> str:
    """`nation`, `counties`, `municipalities`, `county-01`, `year-2026`. KeyError for any other."""
    fixed = {
        "nation": _NATION,
        "counties": _texts("Län", "Counties"),
        "municipalities": _texts("Kommuner", "Municipalities"),
    }
    kind, _, code = code_list_id.partition("-")
    if kind == "county" and code:
        county = region_label(code, language)
        return _texts(f"Kommuner i {county}", f"Municipalities of {county}")[language]
    if kind == "year" and code:
        return _texts(f"Månader {code}", f"Months of {code}")[language]
    return fixed[code_list_id][language]


def unit(language: Language) -> str:
    return _UNIT[language]


def source(language: Language) -> str:
    return _SOURCE[language]
