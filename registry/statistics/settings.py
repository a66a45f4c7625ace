"""A reader's settings: whose certificate asks the registry and, where a dashboard runs, where it listens."""

from __future__ import annotations

from typing import Annotated

import msgspec

from federation.settings import DaemonSettings
from registry.statistics.reading import Level

DEFAULT_HTTP_LISTEN = "127.0.0.1:7460"


class ReaderSettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reader's `config.toml` holds. All but the first lines is the dashboard's.

    `level` is what the dashboard shows; without it what the reader's role may see. Beyond loopback it has to be a
    reader of the role `public`. `hosts` are the names it is asked for, besides those of loopback; `proxies` the
    addresses of reverse proxies that say for whom they ask. `calls` an address may make within `call_window_seconds`.
    """

    http_listen: str = DEFAULT_HTTP_LISTEN
    level: Level | None = None
    title: str = ""
    hosts: list[str] = msgspec.field(default_factory=list)
    proxies: list[str] = msgspec.field(default_factory=list)
    calls: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 120
    call_window_seconds: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 60
