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
    reader of the role `public`. `public_url` is the address that a reverse proxy gives it, `proxies` the addresses of
    proxies that are believed whom they ask for. An address may ask for `calls` answers of the API within
    `call_window_seconds`, and for as many pages. `data_license` is told to whoever fetches data: whose numbers they are
    decides what may be done with them.
    """

    http_listen: str = DEFAULT_HTTP_LISTEN
    level: Level | None = None
    title: str = ""
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?$")] = ""
    proxies: list[str] = msgspec.field(default_factory=list)
    calls: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 120
    call_window_seconds: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 60
    data_license: str = ""
