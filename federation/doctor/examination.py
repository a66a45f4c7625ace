"""One party's checks, from its settings on, in the order in which they are mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from federation import control
from federation.clock import SystemClock, utc_now
from federation.doctor import machine
from federation.doctor.findings import Finding, Says, Topic, failed, well
from federation.doctor.papers import Papers, read_papers
from federation.doctor.peers import peers
from federation.errors import Code
from federation.identity import Kind
from federation.observability import place_of
from federation.settings import DaemonSettings


def business_date(settings: DaemonSettings, zone: str) -> date:
    """Today, as the daemon of these settings sees it; under a manual clock only that knows."""
    if settings.clock == "manual":
        return control.business_date(settings.data_dir) or settings.today or SystemClock(zone).today()
    return SystemClock(zone).today()


Check = Callable[[], Iterable[Finding]]


def examine(
    config: Path,
    settings: DaemonSettings,
    kind: Kind,
    *,
    role: str | None,
    secrets: Sequence[Path],
    registries: int = 1,
    evaluators: Callable[[Papers], int | None] = lambda _papers: None,
    takes_up: bool = True,
    own: Callable[[Papers], Sequence[tuple[Topic, Check]]] = lambda _papers: (),
    now: Callable[[], datetime] = utc_now,
) -> Iterator[Finding]:
    """What is found, as it is found. `own` are the role's checks, made with what could be read of its papers.

    `role` is the name of the commands of a daemon that keeps a store; a reader of the statistics is none.
    """
    papers = read_papers(settings, kind, takes_up=takes_up, now=now)
    party = "?" if papers.identity is None else papers.identity.uri
    yield well(Topic.SETTINGS, Says.SETTINGS_READ, path=config, identity=party)
    checks: list[tuple[Topic, Check]] = [
        (Topic.SECRET, lambda: machine.secrets([settings.private_key, *secrets])),
        (Topic.DIRECTORY, lambda: machine.data_directory(settings.data_dir, role)),
        (Topic.DAEMON, lambda: machine.daemon(settings.data_dir, role)),
        (Topic.DISK, lambda: machine.disk(settings.data_dir)),
        (Topic.DESCRIPTOR, lambda: papers.findings),
        (
            Topic.REGISTRY,
            lambda: peers(settings, papers, registries=registries, evaluators=evaluators(papers), now=now),
        ),
        *own(papers),
    ]
    for topic, check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - one check that fails must not hide what the others find
            place = f"{type(error).__name__} at {place_of(error)}"
            yield failed(topic, Code.INTERNAL, Says.UNFORESEEN, place=place)
