"""`upprop node journal`: whether the journal is as it was written, and one case file for whoever takes over."""

from __future__ import annotations

from pathlib import Path

import click

from federation import files
from federation.errors import EXIT_STORE, Code, UppropError
from node import printing
from node.casework.journal import client
from node.casework.journal.exporting import Form
from node.casework.journal.texts import JournalText
from node.explain.cli import protected_option
from node.options import config_option, json_option, open_stub, words_option
from node.wording import Words


@click.group()
def journal() -> None:
    """The journal of the case files.

    Entries are only ever added, and each is chained to the one before under the record key. Whoever changes, adds or
    removes one in the database, with whatever powers over it, is found out; a running node looks twice a day.
    """


@journal.command()
@config_option
@words_option
@json_option
def verify(config: Path, words: Words, as_json: bool) -> None:
    """Look now whether every row of the journal, and every attachment, is as it was written.

    Each that is not is named by its number, with its case file. Last is told whether the journal was set back to an
    older state since the last look. The exit code is 7 where something is wrong that nobody has acknowledged.
    """
    with open_stub(config) as stub:
        found = client.verify(stub)
    if as_json:
        printing.as_json(found)
    elif not found["flaws"]:
        click.echo(words(JournalText.SOUND, rows=found["rows"]))
    else:
        click.echo(words(JournalText.FLAWED, flaws=len(found["flaws"]), rows=found["rows"]))
        for flaw in found["flaws"]:
            key = JournalText.ROW if flaw["reference"] is None else JournalText.ROW_OF
            told = {"position": flaw["position"], "what": f"journal.{flaw['what']}", "reference": flaw["reference"]}
            known = flaw["known_by"] and words(JournalText.KNOWN, by=flaw["known_by"], on=flaw["known_on"])
            click.echo(f"{' ' if known else '!'} {words(key, **told)}{f' {known}' if known else ''}", err=True)
    if any(flaw["known_by"] is None for flaw in found["flaws"]):
        if not as_json:
            click.echo(words(JournalText.WHAT_NOW))
        raise click.exceptions.Exit(EXIT_STORE)


@journal.command()
@click.option("--by", required=True, help="Who has told everybody concerned: a person's name.")
@config_option
@words_option
@json_option
def acknowledge(by: str, config: Path, words: Words, as_json: bool) -> None:
    """Say that everybody concerned knows what is wrong with the journal as it stands.

    It stays named, on the pages of the case files too, but raises no alarm any more; what is touched after this does.
    A journal that was set back to an older state is followed from here on as it is. Find out first who did it: see
    docs/manual/casework.md.
    """
    with open_stub(config) as stub:
        flaws = client.acknowledge(stub, by)
    if as_json:
        printing.as_json({"flaws": flaws})
    else:
        click.echo(words(JournalText.ACKNOWLEDGED, by=by, flaws=flaws))


@journal.command()
@click.argument("reference")
@click.option("--as", "form", type=click.Choice([form.value for form in Form]), default=Form.PDF.value)
@click.option("--to", required=True, help="The authority that takes over. It is journaled.")
@click.option("--by", required=True, help="Who hands it out: a person's name. It is journaled.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Write it here (0600).")
@protected_option
@config_option
@words_option
def export(
    reference: str,
    form: str,
    to: str,
    by: str,
    out: Path,
    protected: bool,
    config: Path,
    words: Words,
) -> None:
    """Hand out the case file REFERENCE (2026-00017) as a whole, for the authority that takes over.

    As a document (pdf), in the language of --lang, or as data with its attachments (json). That it was handed out, to
    whom and by whom, is written into its journal.
    """
    if out.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{out} exists already and is not overwritten. Choose a new name.")
    with open_stub(config) as stub:
        document = client.export(
            stub, reference, form=form, to=to, by=by, protected=protected, language=words.language.value
        )
    files.write_secret(out, document)
    click.echo(words(JournalText.WRITTEN, path=out, reference=reference))
