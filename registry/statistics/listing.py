"""What `upprop query` says of the catalogue, of releases and budgets: lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from privacy.noise import NANO
from registry.statistics.reading import Asked, Release, Releases, TableInfo, TableSummary, YearBudget

SHOWN_CODES = 24
"""Of a dimension; --json has all."""


def rho(nano_rho: int) -> str:
    """A budget in rho, whole to its last digit: 250000000 → 0.25."""
    whole, rest = divmod(nano_rho, NANO)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def catalogue(tables: Sequence[TableSummary]) -> Iterator[str]:
    width = max((len(each.table_id) for each in tables), default=0)
    for each in tables:
        if each.first_period is None:
            period = "nothing released yet"
        else:
            period = f"{each.first_period} to {each.last_period}, newest of {each.updated}"
        yield f"{each.table_id:<{width}}  {each.label}"
        yield f"{'':<{width}}  {', '.join(each.dimensions)}; {period}"


def described(info: TableInfo) -> Iterator[str]:
    yield f"{info.summary.table_id}: {info.summary.label}"
    if info.summary.description:
        yield info.summary.description
    yield f"Unit: {info.unit}. Noise: {info.mechanism}. Cost: rho {rho(info.nano_rho)} of a year's privacy budget."
    for dimension in info.dimensions:
        yield ""
        yield f"{dimension.name} ({dimension.label}), {_codes(len(dimension.codes))}:"
        width = max((len(each.code) for each in dimension.codes), default=0)
        for each in dimension.codes[:SHOWN_CODES]:
            yield f"  {each.code:<{width}}  {each.label}"
        if len(dimension.codes) > SHOWN_CODES:
            yield f"  and {len(dimension.codes) - SHOWN_CODES} more: --json has all"
        for listed in dimension.code_lists:
            yield f"  @{listed.code_list_id}  {listed.label}, {_codes(len(listed.codes))}"
    if info.notes:
        yield ""
    for note in info.notes:
        yield f"- {note}"


def _codes(number: int) -> str:
    if number == 0:
        return "no codes before the first release"
    return "1 code" if number == 1 else f"{number} codes"


def released(releases: Releases) -> Iterator[str]:
    if not releases.drawn:
        yield "Nothing has been released yet."
    for each in releases.drawn:
        yield _release(each)
    if releases.upcoming:
        yield ""
        yield "Next:"
    for coming in releases.upcoming:
        yield f"  {coming.due_on}  {coming.kind.value.lower()} {coming.period}"


def _release(release: Release) -> str:
    silent = f"{len(release.silent)} municipalities silent" if release.silent else "no municipality silent"
    return (
        f"{release.release_id:<12}  drawn on {release.drawn_on}: {', '.join(release.table_ids)}; "
        f"{release.current_members} members current, {silent}; {release.mechanism}, {release.library}, "
        f"{release.profile} budget."
    )


def budgets(years: Sequence[YearBudget]) -> Iterator[str]:
    if not years:
        yield "Nothing has been spent yet."
    for year in years:
        yield (
            f"{year.year}: rho {rho(year.spent_nano_rho)} of {rho(year.cap_nano_rho)} spent ({year.profile} budget); "
            f"left for further questions: your role {rho(year.role_left_nano_rho)}, "
            f"you {rho(year.caller_left_nano_rho)}"
        )
        width = max((len(each.purpose) for each in year.spends), default=0)
        for spend in year.spends:
            yield f"  {spend.spent_on}  {spend.purpose:<{width}}  {rho(spend.nano_rho)}"


def questions(asked: Sequence[Asked]) -> Iterator[str]:
    if not asked:
        yield "You asked no further question yet."
    for each in asked:
        chosen = " ".join(
            f"{one.dimension}={one.code_list_id or ','.join(one.codes) or '*'}" for one in each.selections
        )
        state = "answered" if each.answered else "to be drawn"
        yield f"{each.asked_on}  {each.query_id}  rho {rho(each.nano_rho)}  {state}  {each.table_id} {chosen}"
