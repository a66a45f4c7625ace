"""`upprop node import`: taking in what a school system exports."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from node import printing
from node.client import Client
from node.options import Day, config_option, json_option, open_stub


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--as-of", required=True, type=Day(), help="The day whose state the export shows, as 2026-10-19.")
@click.option("--accept-shrink", is_flag=True, help="Take an export that lacks half the roster: they have really left.")
@click.option(
    "--confirm-leavings", is_flag=True, help="Let through leavings that wait because a school unit emptied at once."
)
@config_option
@json_option
def import_export(
    file: Path, as_of: date, accept_shrink: bool, confirm_leavings: bool, config: Path, as_json: bool
) -> None:
    """Take in one export FILE of the school system (SS 12000, GET /persons).

    The first import is the baseline: it says who is here, and nothing about pupils who simply stay. The same file again
    changes nothing. An export that is broken, older than the last one, another municipality's, or that lacks half the
    roster is refused whole, and what is known stays as it is.
    """
    with open_stub(config) as stub:
        steps = Client(stub).import_export(
            file.absolute(), as_of, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings
        )
        report = printing.watch(steps, quiet=as_json)
    if as_json:
        printing.as_json(report)
        return
    printing.import_report(report, confirmed=confirm_leavings)
