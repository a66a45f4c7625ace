"""Which export a command is given: an SS 12000 file, whole or of changes, OneRoster, a plain CSV, or an API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from node.records.person import DEFAULT_SYSTEM
from node.records.sources import Source

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be read, and whose roster it is. `system` is the name of a school system."""

    source: Source
    path: Path
    system: str


@dataclass(frozen=True, slots=True)
class GivenApi:
    """A school system to fetch from. `url` is None where the node's settings name it; `full`: everyone."""

    system: str
    url: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    full: bool = False


def api_options(command: Command) -> Command:
    """--ss12000, --token-file, --ca-file and --full, handed to the command as `api`: a `GivenApi`.

    Stands below `given_options`, and takes `system` from it. Raises a usage error for what does not go together.
    """

    @functools.wraps(command)
    def with_api(
        *,
        given: Given | None,
        system: str,
        url: str | None,
        token_file: Path | None,
        ca_file: Path | None,
        full: bool,
        **others: Any,
    ) -> Any:
        if given is not None and (url or token_file or ca_file or full):
            raise click.UsageError("Give one export: FILE, --changes, --oneroster, --csv or --ss12000.")
        if (url is None) != (token_file is None):
            raise click.UsageError("--ss12000 URL and --token-file FILE go together.")
        if ca_file is not None and url is None:
            raise click.UsageError("--ca-file goes with --ss12000.")
        api = GivenApi(system, url, _absolute(token_file), _absolute(ca_file), full)
        return command(given=given, api=api, **others)

    options = (
        click.option("--ss12000", "url", metavar="URL", help="Fetch from the SS 12000 API at this address."),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Where the API's bearer token stands (mode 0600).",
        ),
        click.option(
            "--ca-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Certificates to trust, where the API has a certificate authority of its own.",
        ),
        click.option("--full", is_flag=True, help="Fetch everyone, and not only what has changed."),
    )
    for option in reversed(options):
        with_api = option(with_api)
    return with_api  # type: ignore[return-value]  # click's decorators keep what they are given


def given_options(command: Command) -> Command:
    """FILE, --changes, --oneroster, --csv and --system, handed to the command as `given`: a `Given`, or None.

    Raises a usage error for more than one.
    """

    @functools.wraps(command)
    def with_given(
        *,
        file: Path | None,
        changes: Path | None,
        oneroster: Path | None,
        plain_csv: Path | None,
        system: str,
        **others: Any,
    ) -> Any:
        named = [
            (source, path)
            for source, path in (
                (Source.SS12000_FILE, file),
                (Source.SS12000_CHANGES, changes),
                (Source.ONEROSTER, oneroster),
                (Source.CSV, plain_csv),
            )
            if path is not None
        ]
        if len(named) > 1:
            raise click.UsageError("Give one export: FILE, --changes, --oneroster or --csv.")
        given = None
        if named:
            source, path = named[0]
            given = Given(source, path.absolute(), system)
        return command(given=given, system=system, **others)

    options = (
        click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False)),
        click.option(
            "--changes",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="SS 12000: who has changed since the last import, and under deletedEntities who is gone.",
        ),
        click.option("--oneroster", type=click.Path(path_type=Path), help="A OneRoster 1.2 directory or zip."),
        click.option(
            "--csv",
            "plain_csv",
            type=click.Path(path_type=Path, dir_okay=False),
            help="A plain CSV: upprop node import --template prints one.",
        ),
        click.option(
            "--system",
            default=DEFAULT_SYSTEM,
            show_default=True,
            help="The school system's name, where there is more than one; each has its own roster.",
        ),
    )
    for option in reversed(options):
        with_given = option(with_given)
    return with_given  # type: ignore[return-value]  # click's decorators keep what they are given


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()
