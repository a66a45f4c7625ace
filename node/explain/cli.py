"""`upprop node explain` and `upprop node check`: why a pupil is, or is not, a gap; what an import would say."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click

from node import printing
from node.client import Answer
from node.explain import client
from node.options import Day, config_option, json_option, open_stub, words_option
from node.records.options import Given, given_options
from node.wording import Words
from node.wording.texts import Text

protected_option = click.option(
    "--protected",
    is_flag=True,
    help="With protected identities. For the protected-identity role alone; let nobody else run it.",
)

_TITLES = {
    "WHY": Text.SECTION_WHY,
    "NEXT": Text.SECTION_NEXT,
    "CASE": Text.SECTION_CASE,
    "ROWS": Text.SECTION_ROWS,
    "SAID": Text.SECTION_SAID,
    "PRESENCES": Text.SECTION_PRESENCES,
    "SENT": Text.SECTION_SENT,
    "HEARD": Text.SECTION_HEARD,
}
"""The short answer, which comes first, has no heading."""


@click.command()
@click.argument("person")
@protected_option
@config_option
@words_option
@json_option
def explain(person: str, protected: bool, config: Path, words: Words, as_json: bool) -> None:
    """Say why PERSON is, or is not, a gap.

    PERSON is a national number or the school system's id; write - to be asked for it, so that it does not stay in the
    shell's history.

    Shown are what the school systems say, what staff stated, what follows from it, what was told the registry and what
    it told, how the case stands, and the next day that matters with what happens then. Where a pupil is enrolled
    elsewhere is never told.

    Without --protected a pupil with a protected identity is answered like one who does not exist.
    """
    if person == "-":
        person = click.prompt(words(Text.WHO), hide_input=sys.stdin.isatty())
    with open_stub(config) as stub:
        found = client.explain(stub, person, protected=protected)
    if as_json:
        printing.as_json(found)
        return
    click.echo(printing.pupil(found))
    click.echo(words(Text.AS_OF, day=found["as_of"]))
    section = ""
    for finding in found["findings"]:
        if finding["section"] != section:
            section = finding["section"]
            click.echo(f"\n{words(_TITLES[section])}" if section in _TITLES else "")
        click.echo(f"  {printing.sentence(finding, words)}")


@click.command()
@given_options
@click.option("--as-of", required=True, type=Day(), help="The day whose state the export shows, as 2026-10-19.")
@click.option("--accept-shrink", is_flag=True, help="As with import: an export that lacks half the roster is taken.")
@click.option("--confirm-leavings", is_flag=True, help="As with import: leavings that wait are let through.")
@protected_option
@config_option
@words_option
@json_option
def check(
    given: Given | None,
    system: str,
    as_of: date,
    accept_shrink: bool,
    confirm_leavings: bool,
    protected: bool,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """Show what importing an export would do and say, without doing or saying it.

    \b
    upprop node check FILE --as-of DATE
    upprop node check --changes FILE --as-of DATE
    upprop node check --oneroster PATH --as-of DATE
    upprop node check --csv FILE --as-of DATE

    It is all of an import, and of the sync after it, with nothing kept: what is refused is refused here with the same
    sentence and exit code. Listed are the rows left out, the pupils who would be said to be gaps and when their case
    files would open, those whose leavings would wait, and what would be taken back.

    Pupils with a protected identity are neither listed nor counted without --protected.
    """
    if given is None:
        raise click.UsageError(f"Give an export of the school system {system}: FILE, --changes, --oneroster or --csv.")
    with open_stub(config) as stub:
        steps = client.check(
            stub, given, as_of, accept_shrink=accept_shrink, confirm_leavings=confirm_leavings, protected=protected
        )
        found = printing.watch(steps, quiet=as_json, words=words)
    if as_json:
        printing.as_json(found)
    else:
        _show_check(found, words, protected=protected)


def _show_check(found: Answer, words: Words, *, protected: bool) -> None:
    report = found["report"]
    if report["already_imported"]:
        outcome = Text.CHECKED_ALREADY
    else:
        outcome = Text.CHECKED_BASELINE if report["baseline"] else Text.CHECKED
    click.echo(words(outcome, as_of=report["as_of"]))
    click.echo(
        words(
            Text.CHECK_COUNTS,
            persons=report["persons"],
            rows=report["rows"],
            new=found["new_pupils"],
            changed=report["changed"],
            vanished=report["vanished"],
        )
    )
    printing.remarks(report, words)
    if found["gaps"]:
        _list(found["gaps"], words(Text.NEW_GAPS, number=len(found["gaps"])), words)
    else:
        click.echo(words(Text.NO_NEW_GAPS))
    for held in report["held"]:
        click.echo(f"! {words(Text.WOULD_WAIT, pupils=held['pupils'], unit=held['unit'])}")
    for name, title in (("held", Text.HELD), ("taken_back", Text.TAKEN_BACK), ("duty_ended", Text.DUTY_ENDED)):
        if found[name]:
            _list(found[name], words(title, number=len(found[name])), words)
    if not protected:
        click.echo(words(Text.PROTECTED_LEFT_OUT))
    click.echo(words(Text.HOW_TO_IMPORT))


def _list(lines: list[Answer], title: str, words: Words) -> None:
    with_day = any("due_on" in line for line in lines)
    columns = [Text.SINCE, Text.PUPIL, *((Text.KIND, Text.DUE) if with_day else ())]
    table = printing.table_of(*map(words, columns), title=title)
    for line in lines:
        cells = [line["effective_date"], printing.pupil(line)]
        if with_day:
            told = words(Text.KIND_OF_CASE, kind=line["kind"], urgency=line["urgency"], route=line["route"])
            cells += [told, line.get("due_on", "")]
        table.add_row(*cells)
    printing.show(table)
