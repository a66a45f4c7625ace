"""Which export a command is given: an SS 12000 file, a OneRoster directory or zip, or a plain CSV."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from node.records.sources import Source

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be read, and whose roster it is. `system` is the name of a school system."""

    source: Source
    path: Path
    system: str


def given_options(command: Command) -> Command:
    """FILE, --oneroster, --csv and --system, handed to the command as `given`: a `Given`, or None where none was named.

    Raises a usage error for more than one.
    """

    @functools.wraps(command)
    def with_given(
        *, file: Path | None, oneroster: Path | None, plain_csv: Path | None, system: str, **others: Any
    ) -> Any:
        named = [
            (source, path)
            for source, path in (
                (Source.SS12000_FILE, file),
                (Source.ONEROSTER, oneroster),
                (Source.CSV, plain_csv),
            )
            if path is not None
        ]
        if len(named) > 1:
            raise click.UsageError("Give one export: FILE, --oneroster or --csv.")
        given = None
        if named:
            source, path = named[0]
            given = Given(source, path.absolute(), system)
        return command(given=given, system=system, **others)

    options = (
        click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False)),
        click.option("--oneroster", type=click.Path(path_type=Path), help="A OneRoster 1.2 directory or zip."),
        click.option(
            "--csv", "plain_csv", type=click.Path(path_type=Path, dir_okay=False), help="A plain CSV; see --template."
        ),
        click.option(
            "--system",
            default="main",
            show_default=True,
            help="The school system's name, where there is more than one; each has its own roster.",
        ),
    )
    for option in reversed(options):
        with_given = option(with_given)
    return with_given  # type: ignore[return-value]  # click's decorators keep what they are given
