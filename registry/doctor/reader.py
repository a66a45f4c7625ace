"""`upprop query doctor`: a reader of the statistics, and the dashboard that is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from federation.doctor import printing
from federation.doctor.examination import Check, examine
from federation.doctor.findings import Finding, Topic, refused, well
from federation.doctor.papers import Papers
from federation.errors import UppropError
from federation.identity import Kind
from federation.options import json_option
from federation.settings import load
from registry.doctor.english import DOCTOR, DoctorText
from registry.statistics.reading import Level
from registry.statistics.settings import ReaderSettings


@click.command(short_help="Look whether all is well, and say what to do where it is not.")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="In place of that of `upprop query`.")
@json_option
@click.pass_obj
def doctor(group_config: Path, config: Path | None, *, as_json: bool) -> None:
    """Look whether all is well with this reader of the statistics, and say what to do where it is not.

    Looked at are the settings and key, the data directory and its disk, the descriptor, the certificate and the role
    that goes with it, this machine's clock, and every registry. It is the doctor of a dashboard too. It changes
    nothing. The exit code is 0 where all is well or only warned of, else that of the worst finding.
    """
    path = config or group_config
    settings = load(path, ReaderSettings)
    raise click.exceptions.Exit(printing.report(examination(path, settings), printing.english(DOCTOR), as_json=as_json))


def examination(config: Path, settings: ReaderSettings) -> Iterator[Finding]:
    """What is found about the reader of these settings."""
    return examine(
        config,
        settings,
        Kind.AUTHORITY,
        role=None,
        secrets=(),
        own=lambda papers: _own(settings, papers),
    )


def _own(settings: ReaderSettings, papers: Papers) -> Sequence[tuple[Topic, Check]]:
    identity, descriptor = papers.identity, papers.descriptor
    if identity is None or descriptor is None:
        return ()

    def listed() -> Iterator[Finding]:
        try:
            reader = descriptor.reader(identity.name)
        except UppropError as error:
            yield refused(Topic.READER, error)
            return
        yield well(Topic.READER, DoctorText.READS_AS, name=reader.name, role=reader.role)
        level = settings.level or Level.of_role(reader.role)
        yield well(Topic.ADDRESS, DoctorText.SHOWN_AT, address=settings.http_listen, level=level.value)

    return [(Topic.READER, listed)]
