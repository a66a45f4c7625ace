"""What stands beside the numbers, in words: noise, interval, silence, what they cost. Pure.

Invariant: what a note says is as fixed as the release that it is about. What moves, such as what is left of a budget,
is in no note.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from federation.web.i18n import Language
from privacy import budget, disclosure
from privacy.noise import NANO
from registry.statistics import labels
from registry.statistics.catalogue import DimensionId, TableId
from registry.statistics.coverage import silent_counties
from registry.statistics.cube import SILENT, SUPPRESSED
from registry.statistics.geography import geography
from registry.statistics.model import Release
from registry.statistics.reading import Level

SV = Language.SWEDISH


def legend(level: Level, language: Language) -> dict[str, str]:
    """What the marks in place of values mean."""
    least = disclosure.SUPPRESSED_BELOW
    silent = (
        "tystnad: ingen i området hade rapporterat; det är inte noll"
        if language is SV
        else "silence: nobody in the area had reported; it is not zero"
    )
    if level is Level.AUTHORITY:
        return {SILENT: silent}
    suppressed = f"talet, med brus, är under {least}" if language is SV else f"noisy value below {least}"
    return {SUPPRESSED: suppressed, SILENT: silent}


def of_table(table_id: TableId, nano_rho: int, cap_nano_rho: int, language: Language) -> list[str]:
    """What holds for every answer of a table."""
    return [
        *_noise(language),
        *_counting(table_id, language),
        _cost(table_id, nano_rho, cap_nano_rho, language),
        _spent(language),
    ]


def of_level(level: Level, language: Language) -> list[str]:
    """What holds for answers of one level."""
    if level is Level.AUTHORITY:
        return []
    least = disclosure.SUPPRESSED_BELOW
    if language is SV:
        hidden = (
            f"Talen för alla har mer brus än myndighetens. Ett tal som då är under {least} visas inte (..); det avgörs "
            "av talet med brus, aldrig av det rätta antalet."
        )
        return [hidden, "Intervallet är så brett att det håller för de tal som visas, inte bara för alla tillsammans."]
    hidden = (
        f"The numbers for everybody hold more noise than the authority's. A number that is then below {least} is not "
        "shown (..); the noisy number decides that, never the true one."
    )
    return [hidden, "The interval is wide enough to hold of the numbers that are shown, not only of all together."]


def of_coverage(releases: Sequence[Release], counties: Collection[str], language: Language) -> list[str]:
    """Who was silent, release by release; and how many of the municipalities of these counties."""
    return [text for each in releases for text in (_coverage(each, language), *_of_counties(each, counties, language))]


def of_sum(selection: Mapping[str, tuple[str, ...]], language: Language) -> list[str]:
    """What a sum is of."""
    places = ", ".join(labels.region_label(code, language) for code in selection[DimensionId.REGION])
    months = ", ".join(labels.time_label(code, language) for code in selection[DimensionId.TIME])
    if language is SV:
        return [f"Talet är en summa över {places}; {months}."]
    return [f"The number is a sum over {places}; {months}."]


def _noise(language: Language) -> list[str]:
    if language is SV:
        return [
            (
                "Varje tal är ändrat med ett slumpmässigt brus (diskret normalfördelning). Bruset drogs en enda gång, "
                "och samma fråga får samma svar för alltid."
            ),
            "95 %-intervallet täcker det rätta antalet i minst 95 fall av 100.",
            (
                "Tal under noll visas som 0. Summorna stämmer innan dess: i CHILDREN_UNCLIPPED är varje summa summan "
                "av sina delar."
            ),
            (
                "En kommun som ingen hade rapporterat från visas som tystnad (:), aldrig som noll. Summor innehåller "
                "det som är känt."
            ),
        ]
    return [
        (
            "Every number holds random noise (discrete Gaussian). It was drawn once, and the same question has the "
            "same answer for ever."
        ),
        "The 95 % interval holds the true number in at least 95 of 100 cells.",
        (
            "Numbers below zero are shown as 0. Totals add up before that: in CHILDREN_UNCLIPPED every total is the "
            "sum of its parts."
        ),
        "A municipality of which nobody had reported is shown as silence (:), never as zero. Sums hold what is known.",
    ]


def _counting(table_id: TableId, language: Language) -> list[str]:
    swedish = language is SV
    match table_id:
        case TableId.NATION_MONTH | TableId.COUNTY_MONTH:
            return [
                "Månader ändras inte i efterhand. Rättelser som kommer sent räknas i årets tabeller, så att månadernas "
                "summa kan skilja sig från årets tal."
                if swedish
                else "Months are never revised. Late corrections count in the year's tables, so that the months may "
                "add up to another number than the year's."
            ]
        case TableId.CLOSED_COUNTY_YEAR:
            return [
                "Ett ärende som inte var stängt 12 månader efter årgångens slut står som fortfarande öppet, även om "
                "det stängts senare."
                if swedish
                else "A case that was not closed 12 months after the end of its year stands as still open, even where "
                "it closed later."
            ]
        case TableId.NATION_YEAR | TableId.MUNICIPALITY_YEAR:
            return [
                "Ett barn som kommer tillbaka ett annat år räknas igen det året."
                if swedish
                else "A child that is missing again in another year is counted again in that year."
            ]
        case TableId.OWN_SELECTION:
            return [
                "Frågan kostar en gång; därefter får var och en som ställer den samma svar utan kostnad."
                if swedish
                else "The question costs once; after that whoever asks it has the same answer at no cost."
            ]


def _cost(table_id: TableId, nano_rho: int, cap_nano_rho: int, language: Language) -> str:
    rho, cap = _number(nano_rho / NANO, language), _number(cap_nano_rho / NANO, language)
    epsilon = _number(round(budget.epsilon(cap_nano_rho), 1), language)
    if language is SV:
        what = "Frågan" if table_id is TableId.OWN_SELECTION else "Tabellen"
        return (
            f"{what} kostar ρ = {rho} av årgångens sekretessbudget på ρ = {cap} (ε ≈ {epsilon} vid δ = 0,000001). "
            "Budgeten gäller allt som någonsin publiceras om årgångens barn."
        )
    what = "question" if table_id is TableId.OWN_SELECTION else "table"
    return (
        f"This {what} costs ρ = {rho} of the year's privacy budget of ρ = {cap} (ε ≈ {epsilon} at δ = 0.000001). The "
        "budget is for all that is ever published of the year's children."
    )


def _spent(language: Language) -> str:
    if language is SV:
        return "Vad som är förbrukat av budgeten står inte här, för att samma fråga ska få samma svar: se budgeten."
    return "What is spent of the budget is not stated here, so that answers stay the same: see the budget."


def _coverage(release: Release, language: Language) -> str:
    silent = release.record.coverage.silent_municipalities
    time = _period(release, language)
    all_of_them = len(geography().municipalities)
    if language is SV:
        if not silent:
            return f"{time}: alla {all_of_them} kommuner hade rapporterat."
        return f"{time}: {len(silent)} av {all_of_them} kommuner var tysta: {_names(silent, language)}."
    if not silent:
        return f"{time}: all {all_of_them} municipalities had reported."
    return f"{time}: {len(silent)} of {all_of_them} municipalities were silent: {_names(silent, language)}."


def _of_counties(release: Release, counties: Collection[str], language: Language) -> list[str]:
    told = [
        f"{labels.region_label(county, language)} {silent} " + (f"av {there}" if language is SV else f"of {there}")
        for county, (silent, there) in silent_counties(release.record.coverage).items()
        if county in counties
    ]
    if not told:
        return []
    time, listed = _period(release, language), ", ".join(told)
    return [
        f"{time}, tysta kommuner per län: {listed}." if language is SV else f"{time}, silent municipalities: {listed}."
    ]


def _names(codes: Sequence[str], language: Language) -> str:
    shown = 20
    names = ", ".join(labels.region_label(code, language) for code in codes[:shown])
    more = len(codes) - shown
    if more <= 0:
        return names
    return f"{names} och {more} till" if language is SV else f"{names} and {more} more"


def _period(release: Release, language: Language) -> str:
    year, month = release.period.year, release.period.month
    text = labels.time_label(f"{year}M{month:02d}" if month else str(year), language)
    return text[0].upper() + text[1:]


def _number(value: float, language: Language) -> str:
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language is SV else text
