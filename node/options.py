"""What the node's commands share: the settings file, JSON output, dates, the node that they speak to, and the alarm
that stands in their first line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prometheus_client import CollectorRegistry

from federation import options
from federation import settings as settings_files
from federation.control import Stub, session
from federation.descriptor_store import DescriptorStore
from federation.observability import Log, Metrics
from federation.runtime import make_clock
from node.ledger.client import alarms
from node.ledger.telling import banner
from node.printing import ALARMS_STANDING
from node.settings import NodeSettings
from node.wording import Language, words_in

if TYPE_CHECKING:
    from node.app import App


class Day(click.ParamType[date]):
    """A date as 2026-10-19."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 (a plain date has no zone)
        except ValueError:
            self.fail("write the date as 2026-10-19", param, ctx)


config_option = options.config_option("node")
json_option = options.json_option
words_option = click.option(
    "--lang",
    "words",
    type=click.Choice([language.value for language in Language]),
    default=Language.SWEDISH.value,
    envvar="UPPROP_LANG",
    show_default=True,
    show_envvar=True,
    callback=lambda _context, _option, value: words_in(Language(value)),
    help="The language of what is shown.",
)


@contextmanager
def open_stub(config: Path) -> Iterator[Stub]:
    """Speaks to the running node or, where none runs, to one in this process."""
    settings = settings_files.load(config, NodeSettings)

    def host() -> App:
        # A node's whole code, which a command that finds its daemon running has no use for.
        from node.app import build

        # What goes wrong is said in the command's own words.
        log = Log(io.StringIO())
        descriptors = DescriptorStore.of(settings, log)
        clock = make_clock(settings, descriptors)
        return build(settings, clock=clock, metrics=Metrics(CollectorRegistry()), log=log, descriptors=descriptors)

    with session(settings.data_dir, host) as stub:
        _warn(stub)
        yield stub


def _warn(stub: Stub) -> None:
    """Say first of all, whatever the command, that an alarm about the registry stands: scripts are told twice."""
    standing = alarms(stub)
    context = click.get_current_context(silent=True)
    if not standing or context is None:
        return
    words = context.params.get("words") or words_in(Language.SWEDISH)
    as_json = bool(context.params.get("as_json"))
    click.echo(banner(standing, words), err=as_json)
    if as_json:
        context.meta[ALARMS_STANDING] = standing
