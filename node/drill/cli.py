"""`upprop node drill`: whether the whole chain works, shown on a test pupil."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from federation.errors import Code, exit_code
from node import printing
from node.client import Answer
from node.drill.client import drill as ask
from node.drill.steps import CLOSES, Fault, State, Step
from node.drill.texts import AHEAD, DONE, DrillText, advice
from node.options import config_option, json_option, open_stub, words_option
from node.wording import Words

WAIT_SECONDS = 300.0
"""Between two looks of --wait: seldom enough for a registry that every node of the country may ask."""

_MARKS = {"DONE": "✓", "AWAITED": "…", "AHEAD": " ", "FAILED": "✗"}


@click.command()
@click.option("--show", is_flag=True, help="Show the newest drill; begin none, send nothing.")
@click.option("--wait", is_flag=True, help="Stay until the drill has ended: a day or two. Ctrl-C leaves it under way.")
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=WAIT_SECONDS,
    show_default=True,
    help="With --wait: seconds between two looks.",
)
@words_option
@config_option
@json_option
def drill(show: bool, wait: bool, every: float, words: Words, config: Path, as_json: bool) -> None:
    """Send a test pupil through the whole chain and show each step.

    The pupil is invented, with one of the numbers that Sweden keeps for tests. Evaluators and registry treat it as any
    other; but it meets no pupil of anybody's, stands in no list of yours, and no statistics count it. It takes two
    closes of the registry: one opens its case, the next confirms that it was taken back. Begin a drill, and run the
    command again on the next day and on the day after.

    A running node drills by itself once a month (drill_days in its settings) and carries on with a drill that somebody
    began.

    The exit code is 6 where the drill has failed, or where it cannot come further now though no close is awaited.
    """
    with open_stub(config) as stub:
        report = printing.watch(ask(stub, begin=not show, sync=not show), quiet=as_json, words=words)
        if not as_json:
            _show(report, words, synced=not show)
        while wait and report["state"] == State.RUNNING:
            time.sleep(every)
            before, report = report, printing.watch(ask(stub, begin=False, sync=True), quiet=True, words=words)
            if not as_json and report["steps"] != before["steps"]:
                _show(report, words, synced=True)
    if as_json:
        printing.as_json(report)
    if report["state"] == State.FAILED or (not show and _stuck(report)):
        raise click.exceptions.Exit(exit_code(Code.PEER_UNREACHABLE))


def _stuck(report: Answer) -> bool:
    """Whether the drill waits for something that the sync just made should have done."""
    return any(step["state"] == "AWAITED" and step["step"] not in CLOSES for step in report["steps"])


def _show(report: Answer, words: Words, *, synced: bool) -> None:
    first, *_ = report["steps"]
    click.echo(words(DrillText.BEGUN, drill_id=report["drill_id"], on=first["done_on"]))
    for number, line in enumerate(report["steps"], start=1):
        step, state = Step(line["step"]), line["state"]
        text = DONE[step] if state == "DONE" else AHEAD[step]
        at = f"  ({_local(line['done_at'])})" if "done_at" in line else ""
        click.echo(f"{_MARKS[state]} {number} {words(text, detail=line['detail'])}{at}")
        if state == "FAILED":
            hint = advice(step, Fault(report["fault"]))
            click.echo(f"    {words(hint, code=report.get('code', ''))}")
        elif state == "AWAITED" and step in CLOSES:
            click.echo(f"    {words(DrillText.AFTER_CLOSE, expected_on=line['expected_on'])}")
        elif state == "AWAITED" and synced:
            # It should have happened in the sync just made: better said now than when it is too late.
            click.echo(f"    {words(advice(step, Fault.LATE))}")
    click.echo(words(DrillText[report["state"]]))
    for problem in report["problems"]:
        click.echo(f"! {problem}", err=True)


def _local(instant: str) -> str:
    """An instant by the clock on the wall."""
    return f"{datetime.fromisoformat(instant).astimezone():%Y-%m-%d %H:%M}"
