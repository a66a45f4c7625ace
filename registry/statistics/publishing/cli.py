"""`upprop registry publish`: draw the releases of the national statistics that are due."""

from __future__ import annotations

import json
from pathlib import Path

import click

from federation.options import OpenStub, config_option, json_option
from registry.statistics.catalogue import ReleaseKind
from registry.statistics.model import parse_release_id
from registry.statistics.publishing import client


class _Release(click.ParamType[str]):
    """What names a release of one kind: `form` as it is typed, and `suffix`, which the option stands for."""

    def __init__(self, kind: ReleaseKind, form: str, suffix: str = "") -> None:
        self.name, self._kind, self._suffix = form, kind, suffix

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        release_id = f"{value}{self._suffix}"
        try:
            period = parse_release_id(release_id)
        except ValueError:
            period = None
        if period is None or period.kind is not self._kind:
            self.fail(f"{value!r} is not of the form {self.name}.", param, ctx)
        return release_id


@click.command(short_help="Draw the releases of the national statistics that are due.")
@click.option("--month", type=_Release(ReleaseKind.MONTH, "YYYY-MM"), help="The cases first opened in this month.")
@click.option("--year", type=_Release(ReleaseKind.YEAR, "YYYY"), help="The cases first opened in this year.")
@click.option(
    "--closed",
    type=_Release(ReleaseKind.CLOSED, "YYYY", "-closed"),
    help="How long the children of this year were missed.",
)
@config_option("registry")
@json_option
@click.pass_obj
def publish(
    open_stub: OpenStub, month: str | None, year: str | None, closed: str | None, config: Path, *, as_json: bool
) -> None:
    """Draw the releases of the national statistics that are due, oldest first, or the one that is named.

    The running registry does this by itself. A month or a year is due 45 days after its end; how long the children of a
    year were missed, 12 months after it. A release is drawn once: for one that stands already, nothing is done.
    """
    named = [name for name in (month, year, closed) if name is not None]
    if len(named) > 1:
        raise click.UsageError(
            "Name one release: --month, --year or --closed. Without any, all that are due are drawn."
        )
    with open_stub(config) as stub:
        done = client.publish(stub, named[0] if named else "")
    if as_json:
        click.echo(json.dumps(done))
        return
    for each in done["releases"]:
        click.echo(_published(each))
    if not done["releases"]:
        click.echo("Nothing is due that has not been published.")
    for awaited in done["awaited"]:
        click.echo(awaited["obstacle"] or f"Next: {awaited['release_id']}, on {awaited['due_on']}.")


def _published(each: client.PublishedLine) -> str:
    if not each["drawn_now"]:
        return f"{each['release_id']} was published on {each['drawn_on']} and stays as it is."
    silent = each["silent_municipalities"]
    of = "1 municipality is" if silent == 1 else f"{silent} municipalities are"
    return (
        f"{each['release_id']} is published. Members that had reported: {each['current_members']}; {of} silent in it."
    )
