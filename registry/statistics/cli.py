"""`upprop query`: the national statistics on a terminal or in a file.

Errors are `UppropError`s; whoever mounts this group prints their sentence and ends with their exit code.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from federation.errors import Code, UppropError
from federation.observability import Log
from federation.options import json_option
from federation.settings import load
from federation.web.i18n import Language
from registry.doctor.reader import doctor
from registry.statistics import jsonstat, listing, terminal
from registry.statistics.catalogue import DimensionId, TableId
from registry.statistics.reader import Reader, connect
from registry.statistics.reading import Document, Format, Level, Pending, Selection, YearBudget
from registry.statistics.settings import ReaderSettings
from registry.statistics.terminal import Screen

TABLE = "table"
_FORMATS = {TABLE: Format.JSON_STAT2, "csv": Format.CSV, "json-stat": Format.JSON_STAT2, "xlsx": Format.XLSX}

WAIT_SECONDS = 600.0
"""How long to wait for a further question to be drawn: the registry looks for questions more often than that."""

_CONFIG = Path("config.toml")


class Chosen(click.ParamType[Selection]):
    """`Region=01,03`, or `Region=@counties` for a code list."""

    name = "DIMENSION=CODES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Selection:
        if isinstance(value, Selection):
            return value
        dimension, equals, codes = str(value).partition("=")
        if not equals or not dimension or not codes:
            self.fail("write Region=01,03, or Region=@LIST for a code list", param, ctx)
        if codes.startswith("@"):
            return Selection(dimension, (), codes[1:])
        return Selection(dimension, tuple(code.strip() for code in codes.split(",") if code.strip()))


def _config_option(default: Path | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    # A subcommand without one of its own takes that of the group.
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=default,
        envvar=None if default is None else "UPPROP_READER_CONFIG",
        show_default=default is not None,
        show_envvar=True,
        help="The reader's settings file." if default is not None else "In place of that of `upprop query`.",
    )


language_option = click.option(
    "--language",
    "--lang",
    type=click.Choice([each.value for each in Language]),
    default=Language.SWEDISH.value,
    envvar="UPPROP_LANG",
    show_default=True,
    show_envvar=True,
    callback=lambda _context, _option, value: Language(value),
    help="The language of names and notes.",
)


@click.group(
    invoke_without_command=True,
    short_help="Ask the national statistics.",
    subcommand_metavar="[COMMAND]",
)
@_config_option(_CONFIG)
@click.option("--table", "table_id", help="The table: see `upprop query tables`.")
@click.option(
    "--select",
    "selections",
    type=Chosen(),
    multiple=True,
    help="Codes of one dimension, such as Region=01,03 or Tid=2026*; Region=@LIST for a code list. Repeatable.",
)
@click.option(
    "--format", "form", type=click.Choice(list(_FORMATS)), default=TABLE, show_default=True, help="How it is written."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--public", is_flag=True, help="What everybody may see, with further noise and without small values.")
@click.option("--yes", is_flag=True, help="Pay for a further question without being asked.")
@language_option
@click.pass_context
def query(
    context: click.Context,
    config: Path,
    table_id: str | None,
    selections: tuple[Selection, ...],
    form: str,
    out: Path | None,
    language: Language,
    *,
    public: bool,
    yes: bool,
) -> None:
    """Ask the national statistics: how many children are missing, where, and for how long.

    You need the settings, key and certificate of a reader that the descriptor lists. What is released was drawn once;
    asking again gives the same numbers and costs nothing. Every number carries noise, so read it with its interval.

    \b
      upprop query tables                                 what there is
      upprop query tables county-month                    its dimensions and codes
      upprop query --table county-month                   shown with intervals and a sparkline
      upprop query --table municipality-year --select Region=0180,1480 --format csv --out two.csv
      upprop query --table nation-month --public          as everybody sees it
      upprop query releases | budget | asked              what was drawn, what it cost, what you asked
      upprop query doctor                                 whether all is well with this reader

    A sum over places and months of your own choice is a further question. It costs of the year's privacy budget, for
    ever; you are asked before:

    \b
      upprop query --table own-selection --select Region=0180,0184 --select Tid=2026-09,2026-10
    """
    context.obj = config
    if context.invoked_subcommand is not None:
        if table_id is not None:
            raise click.UsageError("Give either --table or a command.")
        return
    if table_id is None:
        click.echo(context.get_help())
        return
    if form == "xlsx" and out is None and sys.stdout.isatty():
        raise click.UsageError("A workbook is no text: name a file with --out.")
    with _open(config) as reader:
        level = Level.PUBLIC if public else reader.level
        if table_id == TableId.OWN_SELECTION:
            _confirm(reader, selections, yes=yes)
        document = _answer(reader, table_id, selections, level, _FORMATS[form], language)
    _write(_rendered(document, language, out) if form == TABLE else document.content, out)


@query.command(short_help="The tables there are, or the dimensions and codes of one.")
@click.argument("table_id", required=False)
@_config_option(None)
@language_option
@json_option
@click.pass_context
def tables(
    context: click.Context, table_id: str | None, config: Path | None, language: Language, *, as_json: bool
) -> None:
    """List the tables; with TABLE_ID show its dimensions, their codes and code lists, what it costs and its notes."""
    with _open(config or context.obj) as reader:
        if table_id is not None:
            info = reader.client.table(table_id, language)
            _say(as_json, info, lambda: listing.described(info))
            return
        listed = reader.client.tables(language)
    _say(as_json, listed, lambda: listing.catalogue(listed))


@query.command(short_help="What was released, and what comes next.")
@_config_option(None)
@json_option
@click.pass_context
def releases(context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """List what was released, how it was drawn, and who was silent; and when the next releases are due."""
    with _open(config or context.obj) as reader:
        found = reader.client.releases()
    _say(as_json, found, lambda: listing.released(found))


@query.command(short_help="What is spent of the privacy budget, and what is left.")
@_config_option(None)
@json_option
@click.pass_context
def budget(context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Show each year's privacy budget: what its tables cost, and what is left for further questions."""
    with _open(config or context.obj) as reader:
        years = reader.client.budget()
    _say(as_json, years, lambda: listing.budgets(years))


@query.command(short_help="The further questions that you asked.")
@_config_option(None)
@json_option
@click.pass_context
def asked(context: click.Context, config: Path | None, *, as_json: bool) -> None:
    """List the further questions that this reader asked, and whether they are answered."""
    with _open(config or context.obj) as reader:
        questions = reader.client.asked()
    _say(as_json, questions, lambda: listing.questions(questions))


@contextmanager
def _open(config: Path) -> Iterator[Reader]:
    with connect(load(config, ReaderSettings), Log(level="error"), stays=False) as reader:
        yield reader


def _confirm(reader: Reader, selections: Sequence[Selection], *, yes: bool) -> None:
    """Whether the question may cost what it costs. A question of one's own that was paid for is not asked about."""
    wanted = _compared(selections)
    if yes or any(_compared(each.selections) == wanted for each in reader.client.asked()):
        return
    cost = reader.client.table(TableId.OWN_SELECTION, Language.ENGLISH).nano_rho
    years = {code[:4] for each in selections if each.dimension == DimensionId.TIME for code in each.codes}
    left = [each for each in reader.client.budget() if str(each.year) in years]
    click.echo(_price(cost, left), err=True)
    try:
        agreed = click.confirm("Ask it?", err=True)
    except click.Abort:
        # Nobody is there to answer.
        agreed = False
    if not agreed:
        raise UppropError(Code.INPUT_REFUSED, "The question was not asked; nothing was spent. With --yes it is.")


def _compared(selections: Sequence[Selection]) -> frozenset[tuple[str, frozenset[str], str | None]]:
    return frozenset((each.dimension, frozenset(each.codes), each.code_list_id) for each in selections)


def _price(cost: int, left: Sequence[YearBudget]) -> str:
    sentence = (
        f"This is a further question. It costs rho {listing.rho(cost)} of the year's privacy budget, unless somebody "
        "asked the very same before. It is never given back."
    )
    return " ".join(
        [
            sentence,
            *(
                f"Of {each.year} your role has rho {listing.rho(each.role_left_nano_rho)} left, "
                f"and you {listing.rho(each.caller_left_nano_rho)}."
                for each in left
            ),
        ]
    )


def _answer(
    reader: Reader,
    table_id: str,
    selections: tuple[Selection, ...],
    level: Level,
    form: Format,
    language: Language,
) -> Document:
    """The document, waited for where it is still to be drawn."""
    begun = reader.clock.monotonic()
    watched = sys.stderr.isatty()
    while isinstance(answer := reader.client.data(table_id, selections, level, form, language), Pending):
        waited = reader.clock.monotonic() - begun
        if waited > WAIT_SECONDS:
            raise UppropError(
                Code.DEADLINE,
                f"The question is paid for but was not drawn within {WAIT_SECONDS / 60:.0f} minutes. Ask the same "
                "again later: it costs nothing more.",
            )
        if watched:
            click.echo(f"\rPaid for; waiting for the draw: {waited:.0f} s ", nl=False, err=True)
        time.sleep(min(answer.ask_again_seconds, 5))
    if watched and reader.clock.monotonic() - begun > 1:
        click.echo(err=True)
    return answer


def _rendered(document: Document, language: Language, out: Path | None) -> bytes:
    encoding = "utf-8" if out is not None else (sys.stdout.encoding or "ascii")
    width = (
        shutil.get_terminal_size().columns if out is None and (sys.stdout.isatty() or "COLUMNS" in os.environ) else None
    )
    screen = Screen(width, unicode=_is_unicode(encoding))
    text = "\n".join(terminal.shown(jsonstat.parse(document.content), language, screen)) + "\n"
    return text.encode(encoding, "replace")


def _is_unicode(encoding: str) -> bool:
    try:
        "▁–".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        click.echo(content, nl=False)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise UppropError(Code.INPUT_REFUSED, f"{out} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {out}.", err=True)


def _say(as_json: bool, found: Any, lines: Callable[[], Iterator[str]]) -> None:
    if as_json:
        plain = [asdict(each) for each in found] if isinstance(found, tuple) else asdict(found)
        click.echo(json.dumps(plain, default=_plain, ensure_ascii=False))
        return
    for line in lines():
        click.echo(line)


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not written as JSON")


query.add_command(doctor)
