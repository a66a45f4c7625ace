"""`upprop node report`: the yearly report of a municipality's casework."""

from __future__ import annotations

from pathlib import Path

import click

from federation import files
from federation.errors import Code, UppropError
from node.casework.quality import client
from node.casework.quality.documents import Form
from node.options import config_option, json_option, open_stub, words_option
from node.wording import Words


@click.command()
@click.option("--year", type=click.IntRange(2000, 2999), help="The running year where left out.")
@click.option("--as", "form", type=click.Choice([form.value for form in Form]), help="As a file; else as text.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here (0600). Needed for pdf.")
@click.option(
    "--protected", is_flag=True, help="With protected identities: for those alone who may handle such identities."
)
@click.option("--publish", is_flag=True, help="A file without numbers under 5 and without protected identities.")
@config_option
@words_option
@json_option
def report(
    year: int | None,
    form: str | None,
    out: Path | None,
    protected: bool,
    publish: bool,
    config: Path,
    words: Words,
    as_json: bool,
) -> None:
    """Make the yearly report of casework: what auditors ask for, and nobody's name.

    Case files by classification and outcome, time to the first contact, steps done late, worry reports, follow-ups. Of
    the running year what has happened so far. What was shredded still counts. Small numbers may point at a child:
    consider secrecy before it leaves your office.
    """
    form = form or (Form.JSON.value if as_json else "")
    if publish and not form:
        raise click.UsageError("Say with --as as what file it is to be published.")
    if publish and protected:
        raise click.UsageError("What is published never counts protected identities. Leave --protected out.")
    if form == Form.PDF.value and out is None:
        raise click.UsageError("Say with --out where the document is to be written.")
    if out is not None and out.exists():
        raise UppropError(Code.CONFIG_INVALID, f"{out} exists already and is not overwritten. Choose a new name.")
    with open_stub(config) as stub:
        content = client.report(stub, year or 0, form, words.language.value, protected=protected, publish=publish)
    if out is None:
        click.echo(content, nl=False)
    else:
        files.write_secret(out, content)
        click.echo(str(out))
