"""`upprop node routine`: the routines of a municipality, read and checked before they are put to work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from federation import settings as settings_files
from federation.errors import Code, exit_code
from federation.web.i18n import Language
from node import printing
from node.casework.routines import catalogue, help, leaflets, wording  # noqa: A004 - the directory of help
from node.casework.routines.catalogue import Catalogue
from node.casework.routines.flaws import Flaw, FlawedError
from node.casework.routines.model import Step
from node.options import config_option, json_option
from node.settings import NodeSettings

language_option = click.option(
    "--lang",
    "language",
    type=click.Choice([language.value for language in Language]),
    default=Language.SWEDISH.value,
    envvar="UPPROP_LANG",
    show_default=True,
    show_envvar=True,
    callback=lambda _context, _option, value: Language(value),
    help="The language of what is shown.",
)


@click.group()
def routine() -> None:
    """See and check routines: what is done in a case file, by whom, by when.

    Four are shipped. A municipality writes its own as YAML files into the folder `routines` of the directory that
    `casework_dir` in config.toml names; one of the same name takes the place of a shipped one. `show --yaml` of a
    shipped one is a good beginning. Its directory of help (`help.yaml`) and printed texts (`leaflets/*.yaml`) lie there
    too. A case file keeps the version that stood when its routine began.
    """


@routine.command(name="list")
@config_option
@language_option
@json_option
def list_routines(config: Path, language: Language, as_json: bool) -> None:
    """List the routines in force."""
    words = wording.texts(language)
    listed = _catalogue(config).all()
    if as_json:
        printing.as_json(
            [
                {
                    "name": each.routine.name,
                    "edition": each.routine.edition,
                    "version": each.digest.hex(),
                    "own": each.own,
                    "steps": len(each.routine.steps),
                }
                for each in listed
            ]
        )
        return
    for each in listed:
        whose = words("told.own" if each.own else "told.shipped")
        click.echo(f"{each.routine.name:24} {each.routine.edition:>3}  {each.digest.hex()[:12]}  {whose}  ", nl=False)
        click.echo(each.routine.title.text(language))


@routine.command()
@click.argument("paths", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@config_option
@language_option
@json_option
def check(paths: tuple[Path, ...], config: Path, language: Language, as_json: bool) -> None:
    """Check routine files, or a whole directory with routines, help and leaflets. Changes nothing.

    Says everything that is wrong and where. Exit code 3 where anything is.
    """
    words = wording.texts(language)
    found: dict[str, tuple[Flaw, ...]] = {}
    for path in paths:
        checked = dict(_checked(path, config))
        if not checked:
            raise click.UsageError(words("told.nothing", file=path))
        found |= checked
    told = {name: [wording.sentence(flaw, language) for flaw in flaws] for name, flaws in found.items()}
    if as_json:
        printing.as_json(told)
    else:
        for name, sentences in told.items():
            click.echo(words("told.flawed" if sentences else "told.sound", file=name))
            for sentence in sentences:
                click.echo(f"  ! {sentence}")
    if any(told.values()):
        raise click.exceptions.Exit(exit_code(Code.CONFIG_INVALID))


@routine.command()
@click.argument("name")
@click.option("--yaml", "as_yaml", is_flag=True, help="The file itself, as a beginning for one of your own.")
@config_option
@language_option
@json_option
def show(name: str, as_yaml: bool, config: Path, language: Language, as_json: bool) -> None:
    """Show one routine: its steps, their clocks, roles, legal basis and outcomes."""
    words, known = wording.texts(language), _catalogue(config)
    if name not in known:
        raise click.UsageError(words("told.unknown", name=name))
    listed = known[name]
    if as_yaml:
        click.echo(listed.source, nl=False)
        return
    if as_json:
        printing.as_json(msgspec.to_builtins(listed.routine))
        return
    click.echo(f"{listed.routine.title.text(language)} ({listed.routine.edition}, {listed.digest.hex()[:12]})")
    click.echo(listed.routine.summary.text(language))
    for step in listed.routine.steps:
        click.echo(f"\n{step.title.text(language)}")
        click.echo(f"  {clock_of(step, words)} · {words(f'told.role.{step.role.value}')}")
        if step.law:
            click.echo("  " + words("told.law", law="; ".join(step.law)))
        for outcome in step.outcomes:
            onward = [*outcome.then, *(f"↺ {each}" for each in outcome.loop), *(f"» {each}" for each in outcome.starts)]
            click.echo(f"  – {outcome.title.text(language)}" + (f" → {', '.join(onward)}" if onward else ""))


def clock_of(step: Step, words: Callable[..., str]) -> str:
    """When a step is due, in words."""
    if step.due is None:
        return words("told.clock.standing")
    if step.at_once:
        return words("told.clock.at-once")
    for name in ("school_days", "days", "months"):
        count = getattr(step.due, name)
        if count is not None:
            return words(f"told.clock.{name}", count=count)
    return words("told.clock.after_break")


def _catalogue(config: Path) -> Catalogue:
    return Catalogue.of(settings_files.load(config, NodeSettings).casework_dir)


def _checked(path: Path, config: Path) -> Iterator[tuple[str, tuple[Flaw, ...]]]:
    """File → what is wrong with it: of one routine, or of a whole directory."""
    if not path.is_dir():
        # A routine may start others of the municipality: those are known where its settings are.
        casework_dir = settings_files.load(config, NodeSettings).casework_dir if config.exists() else None
        try:
            catalogue.read_file(path)
            yield path.name, Catalogue.of(casework_dir).flaws(path.read_bytes())
        except FlawedError as error:
            yield path.name, error.flaws
        return
    routines = catalogue.own_files(path)
    sound = True
    for file in routines:
        try:
            catalogue.read_file(file)
        except FlawedError as error:
            sound = False
            yield file.name, error.flaws
        else:
            yield file.name, ()
    readers: tuple[tuple[bool, Callable[[Path], object], str], ...] = (
        (bool(routines) and sound, Catalogue.read, "routines"),
        ((path / help.FILE).exists(), help.Directory.read, help.FILE),
        ((path / leaflets.FOLDER).is_dir(), leaflets.Leaflets.read, leaflets.FOLDER),
    )
    for stands, read, name in readers:
        if not stands:
            continue
        try:
            read(path)
        except FlawedError as error:
            yield error.file, error.flaws
        else:
            if name != "routines":
                yield name, ()
