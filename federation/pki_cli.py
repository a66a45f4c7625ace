"""`upprop pki`: keys and certificates for trials."""

from __future__ import annotations

from pathlib import Path

import click

from federation import throwaway
from federation.database import read_url
from federation.descriptor_draft import parse_break
from federation.errors import Code, UppropError


@click.group(short_help="Make keys and certificates for trials (unsafe).")
def pki() -> None:
    """Keys and certificates for trials. A real federation's keys are made by each party, for itself."""


@pki.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--members", required=True, help="Ids of the members: 0180,1480,1480-5561234567.")
@click.option("--population", type=click.IntRange(min=0), default=50_000, show_default=True, help="Of each member.")
@click.option("--evaluators", type=click.IntRange(2, 20), default=3, show_default=True)
@click.option("--threshold", type=click.IntRange(2, 20), default=2, show_default=True)
@click.option(
    "--registries",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="Replicas of the registry; several need --database-url-file.",
)
@click.option(
    "--database-url-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File (mode 0600) with the postgresql:// URL of the registry's database.  [default: SQLite]",
)
@click.option("--base-port", type=click.IntRange(1, 65_000), default=throwaway.DEFAULT_BASE_PORT, show_default=True)
@click.option("--break", "breaks", multiple=True, help="FIRST:LAST day without school, both included; repeatable.")
@click.option("--clock", type=click.Choice(["system", "manual"]), default="system", show_default=True)
def dev(
    directory: Path,
    members: str,
    population: int,
    evaluators: int,
    threshold: int,
    registries: int,
    database_url_file: Path | None,
    base_port: int,
    breaks: tuple[str, ...],
    clock: str,
) -> None:
    """Make a complete throw-away federation in DIRECTORY: keys, certificates, descriptor and settings of all parties.

    UNSAFE: one machine makes and holds every key of every party. Never use it for real pupils.
    """
    try:
        from privacy.keys import deal_epoch
    except ModuleNotFoundError as error:
        raise UppropError(
            Code.CONFIG_INVALID, f"`upprop pki dev` needs {error.name}. Run: pip install 'upprop[demo]'"
        ) from error

    if threshold > evaluators:
        raise click.UsageError("There are fewer evaluators than the threshold.")
    click.secho(
        "UNSAFE: a throw-away federation. One machine makes and holds every key of every party.\n"
        "Whoever reads this directory can identify every pupil. Never use it for real pupils.",
        fg="red",
        bold=True,
        err=True,
    )
    made = throwaway.dev(
        directory,
        [throwaway.DevMember(each.strip(), population=population) for each in members.split(",")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports.from_base(base_port, evaluators, registries),
        threshold=threshold,
        database_url=None if database_url_file is None else read_url(database_url_file),
        breaks=[parse_break(each) for each in breaks],
        clock=clock,
    )
    served = "a registry" if registries == 1 else f"{registries} registries"
    click.echo(
        f"Wrote {made.descriptor} and the settings of {evaluators} evaluators, {served}, the nodes and "
        "the readers of the statistics."
    )
