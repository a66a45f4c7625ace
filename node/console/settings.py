"""The console's settings: the table `[console]` of a node's `config.toml`."""

from __future__ import annotations

from typing import Annotated

import msgspec

DEFAULT_LISTEN = "127.0.0.1:7470"


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `[console]` holds; without the table no console is served.

    `public_url` is the address that a reverse proxy gives it, without a slash at its end; `proxies` the addresses of
    proxies that are believed whom they ask for. `development_login`: anybody may log in as anybody, with a warning on
    every page; on loopback only. A session ends after `idle_minutes` without a page, and after `session_hours`.
    """

    listen: str = DEFAULT_LISTEN
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?$")] = ""
    proxies: tuple[str, ...] = ()
    development_login: bool = False
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 30
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 10
