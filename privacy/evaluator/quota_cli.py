"""`upprop evaluator quota-reports`: what was reported to the registry's ledger, and whether it stands there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import click
import msgspec

from federation.errors import Code, UppropError
from federation.migration import check_schema
from federation.options import config_option, json_option
from privacy.evaluator.home import Home
from privacy.evaluator.settings import STORE_PACKAGE, open_database
from privacy.evaluator.store.quota_reports import QuotaReport
from privacy.evaluator.witness import quotas


class Noted(msgspec.Struct, frozen=True):
    """A report as the ledger has it; no leaf where it waits for the hour's."""

    evaluator: int
    on: str
    leaf_index: int | None
    digest: str


class Listed(msgspec.Struct, frozen=True):
    """What `upprop ledger quota-reports --json` prints."""

    reports: tuple[Noted, ...]


class Shown(TypedDict):
    """One report; `in_ledger` is None where no list of the ledger was given."""

    on: str
    digest: str
    signature: str
    salt: str
    asked: list[dict[str, str | int]]
    follows: bool
    in_ledger: bool | None


@click.command("quota-reports")
@click.option(
    "--ledger",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `upprop ledger quota-reports --json` prints at the registry: hold the reports against it.",
)
@config_option("evaluator")
@json_option
def quota_reports(ledger: Path | None, config: Path, *, as_json: bool) -> None:
    """Show what this evaluator reported each day of its quotas: what each member asked for within its quota.

    The registry's ledger holds a salted digest of each report, signed by this evaluator, which tells the registry
    nothing. With --ledger each is looked for there. The exit code is 8 where one does not follow from what is kept
    here, or is another in the ledger. With --json salts and signatures are printed too.
    """
    home = Home.of(config)
    index = home.index
    noted = {} if ledger is None else _noted(ledger, index)
    database = open_database(home.settings)
    try:
        check_schema(database, STORE_PACKAGE)
        reports = quotas.every(database)
    finally:
        database.close()
    shown = [_shown(report, index, noted if ledger is not None else None) for report in reports]
    if as_json:
        click.echo(json.dumps({"reports": shown}))
    else:
        for each in shown:
            _print(each)
        if not shown:
            click.echo("Nothing was reported yet.")
    wrong = [
        each["on"] for each in shown if not each["follows"] or noted.get(each["on"], each["digest"]) != each["digest"]
    ]
    if wrong:
        raise UppropError(
            Code.LEDGER_BROKEN,
            f"Of {', '.join(wrong)} the ledger does not hold what is kept here. Keep a copy of both and tell the "
            "authority.",
        )


def _noted(path: Path, index: int) -> dict[str, str]:
    """The digests that the ledger has of this evaluator, by day."""
    try:
        listed = msgspec.json.decode(path.read_bytes(), type=Listed)
    except msgspec.MsgspecError as error:
        raise UppropError(
            Code.INPUT_REFUSED, f"{path} is not what `upprop ledger quota-reports --json` prints."
        ) from error
    return {each.on: each.digest for each in listed.reports if each.evaluator == index}


def _shown(report: QuotaReport, index: int, noted: dict[str, str] | None) -> Shown:
    on = report.day.isoformat()
    return Shown(
        on=on,
        digest=report.digest.hex(),
        signature=report.signature.hex(),
        salt=report.salt.hex(),
        asked=[{"member": member, "year": year, "day": day} for member, year, day in report.asked],
        follows=quotas.follows(report, index),
        in_ledger=None if noted is None else noted.get(on) == report.digest.hex(),
    )


def _print(report: Shown) -> None:
    place = {None: "", True: ", in the ledger", False: ", NOT in the ledger"}[report["in_ledger"]]
    click.echo(f"{report['on']}: {report['digest']}{place}")
    for each in report["asked"]:
        click.echo(f"  {each['member']}: {each['year']} this year, {each['day']} on the day")
