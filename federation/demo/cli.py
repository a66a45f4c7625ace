"""`upprop demo` and `upprop simulate`."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from rich.console import Console

from federation.database import read_url
from federation.demo import generator, scenario, show
from federation.demo import simulate as simulation
from federation.demo.bars import bars
from federation.demo.generator.schooldays import Term
from federation.demo.last_day import settle
from federation.demo.office import Offices
from federation.demo.office import told as consoles_told
from federation.demo.supervisor import interrupted_once, until_interrupted
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId

SERVED = """
The consoles, where it is {day} (log in with any name; all pupils are made up):

{addresses}

They end with Ctrl-C."""

DEMO_KINDS = {
    "move_ok": 60,
    "vanish_ok": 16,
    "overlap": 12,
    "inner": 24,
    "moved_before": 6,
    "chain_back": 3,
    "end_taken_back_late": 3,
    "arrival": 10,
    "glitch": 8,
    "end_taken_back": 5,
    "new_uuid": 4,
    "emigrated": 5,
    "deceased": 1,
    "lost": 7,
    "lost_by_two": 1,
    "vanish_lost": 3,
    "told_late": 2,
    "move_late": 5,
    "back": 2,
    "cancelled_there": 2,
    "rekey": 2,
    "tf": 1,
    "bad_number": 2,
    "protected": 2,
}
"""A term as municipalities know it: many moves, few who are missing."""


@click.command()
@click.option("--members", type=click.IntRange(2, 40), default=5, show_default=True, help="Number of municipalities.")
@click.option("--pupils", type=click.IntRange(10, 20_000), default=300, show_default=True, help="Pupils in each.")
@click.option("--weeks", type=click.IntRange(6, 40), default=14, show_default=True, help="Length of the term.")
@click.option("--seed", type=int, default=2026, show_default=True, help="Another number makes other histories.")
@click.option("--scenario", "scenario_dir", type=click.Path(path_type=Path), help="Keep the generated scenario here.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep what each party stored and logged here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON in place of tables.")
@click.option("--serve", is_flag=True, help="Let people work the cases, and serve the consoles until Ctrl-C.")
def demo(
    members: int,
    pupils: int,
    weeks: int,
    seed: int,
    scenario_dir: Path | None,
    keep: Path | None,
    as_json: bool,
    serve: bool,
) -> None:
    """Play a term of some municipalities on this machine and show who was found.

    Starts three evaluators, a registry and one node per municipality as processes of their own, invents a term of
    school records with a known truth, plays it week by week, and compares. All pupils are made up.
    """
    recipe = generator.Recipe(
        seed=seed, members=members, pupils=pupils, weeks=weeks, kinds=DEMO_KINDS, name=f"demo-{seed}"
    )
    generated = generator.generate(recipe)

    def tell(outcome: simulation.Outcome) -> None:
        if as_json:
            comparison = show.compare(outcome.cases, generated.truth.cases)
            click.echo(json.dumps({**outcome.plain(), "equals_truth": comparison.equal}, indent=1))
            return
        console = Console()
        console.print()
        console.print(show.cases(outcome, generated))
        console.print()
        console.print(show.summary(outcome, generated, Term(generated.scenario.as_of, recipe.breaks, recipe.watch)))

    with tempfile.TemporaryDirectory(prefix="upprop-demo-") as temporary:
        directory = scenario_dir or Path(temporary) / "scenario"
        generator.write(generated, directory)
        if serve:
            names = {member.id: member.name for member in generated.scenario.members}
            _serve(directory, keep, tell, names)
        else:
            tell(_play(directory, keep))


@click.command()
@click.argument("directory", metavar="SCENARIO", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Write the result here.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep what each party stored and logged here.")
@click.option(
    "--nodes-in-process",
    is_flag=True,
    help="Run many nodes in one process, one process a core; for hundreds of members.",
)
@click.option(
    "--node-processes", type=click.IntRange(1, 256), metavar="N", help="Run the nodes in so many processes instead."
)
@click.option(
    "--registries",
    type=click.IntRange(1, 10),
    default=1,
    show_default=True,
    help="Replicas of the registry; several need --database-url-file.",
)
@click.option(
    "--database-url-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File (mode 0600) with the postgresql:// URL of an empty database for the registry.  [default: SQLite]",
)
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON.")
def simulate(
    directory: Path,
    out: Path,
    keep: Path | None,
    nodes_in_process: bool,
    node_processes: int | None,
    registries: int,
    database_url_file: Path | None,
    as_json: bool,
) -> None:
    """Play the scenario in the directory SCENARIO and write what was found.

    A scenario holds scenario.json and one export per date and member, exports/DATE/MEMBER.json: what SS 12000
    GET /persons answers. Where scenario.json says "exports": "delta", an export after the first date holds only who has
    changed, and beside them "deletedEntities": the ids of who is gone; without an export nothing has changed. The
    "withdrawals" of scenario.json are asked for by a member's school system on their date, and wait: {"on", "member",
    "person_id", "last_day"}; the result tells what has become of them. Where there is a truth.json too, the result's
    cases are compared with it.
    """
    if not out.absolute().parent.is_dir():
        raise UppropError(
            Code.INPUT_REFUSED, f"{out} cannot be written: there is no directory {out.absolute().parent}."
        )
    console = Console(stderr=True)
    for key in scenario.unknown_keys(directory):
        console.print(f"scenario.json: {key} means nothing here and is passed over.")
    processes = node_processes or (os.cpu_count() or 1 if nodes_in_process else 0)
    database_url = None if database_url_file is None else read_url(database_url_file)
    outcome = _play(directory, keep, node_processes=processes, registries=registries, database_url=database_url)
    out.write_text(json.dumps(outcome.plain(), indent=1) + "\n", encoding="utf-8")
    comparison = None
    if (directory / "truth.json").exists():
        comparison = show.compare(outcome.cases, scenario.read_truth(directory).cases)
    if as_json:
        counts = {"cases": len(outcome.cases), "signals_sent": outcome.signals_sent}
        equal = None if comparison is None else comparison.equal
        click.echo(json.dumps({**counts, "rejected_rows": outcome.rejected_rows, "equals_truth": equal}))
        return
    click.echo(f"{len(outcome.cases)} cases written to {out}.")
    if comparison is not None:
        click.echo(_against_truth(comparison))


def _serve(
    directory: Path, keep: Path | None, tell: Callable[[simulation.Outcome], None], names: Mapping[MemberId, str]
) -> None:
    """Play with people at the consoles, tell what came of it, and let whoever looks go on from there."""
    offices = Offices()
    with interrupted_once(), contextlib.ExitStack() as stack:
        with bars() as progress:
            prepared = stack.enter_context(
                simulation.prepared(directory, keep=keep, consoles=True, progress=progress, between=offices.between)
            )
            outcome = prepared.play()
            settle(prepared, offices)
        tell(outcome)
        addresses = {names[MemberId(member)]: prepared.trial.console(member) for member in prepared.trial.nodes}
        click.echo(SERVED.format(day=prepared.today, addresses=consoles_told(addresses)))
        with contextlib.suppress(KeyboardInterrupt):
            until_interrupted()


def _against_truth(comparison: show.Comparison) -> str:
    if comparison.equal:
        return "They equal the scenario's truth.json."
    return (
        f"They differ from the scenario's truth.json: {comparison.right} right, {len(comparison.missed)} missed, "
        f"{len(comparison.false)} false, {len(comparison.otherwise)} with another date or state."
    )


def _play(
    directory: Path,
    keep: Path | None,
    *,
    node_processes: int = 0,
    registries: int = 1,
    database_url: str | None = None,
) -> simulation.Outcome:
    with (
        interrupted_once(),
        bars() as progress,
        simulation.prepared(
            directory,
            keep=keep,
            node_processes=node_processes,
            registries=registries,
            database_url=database_url,
            progress=progress,
        ) as prepared,
    ):
        outcome = prepared.play()
    for remark in sorted(prepared.remarks):
        click.echo(remark, err=True)
    return outcome
