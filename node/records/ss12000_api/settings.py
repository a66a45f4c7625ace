"""What the node is told about a school system from which it fetches: `[school_systems.NAME]` in its settings."""

from __future__ import annotations

import ipaddress
import urllib.parse
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from federation.errors import Code, UppropError
from node.records.person import SYSTEM_NAME

DEFAULT_LIMIT = 500
DEFAULT_FULL_EVERY_DAYS = 7
DEFAULT_OVERLAP_HOURS = 24
"""Replicas lag, batches commit long after the time they are stamped with, and some systems stamp local time as UTC.
What is fetched twice costs a look-up."""

SystemName = Annotated[str, msgspec.Meta(pattern=rf"^{SYSTEM_NAME}\Z")]
TimeOfDay = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class SchoolSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A school system with an API.

    `url` is the address under which `GET /persons` answers. The bearer token stands in `token_file`, or is asked for at
    `token_url` with `client_id`, the secret in `client_secret_file`, and `scope` (OAuth 2.0 client credentials);
    secret files have mode 0600. `ca_file` holds the certificates to trust in place of the system's; `proxy` is the
    address of an HTTP proxy. `at` is the time of day, in the federation's zone, from which a running node fetches;
    without it fetching is by hand. Everyone is fetched every `full_every_days` days, and in between what has changed
    since `overlap_hours` before the last run. `limit` is how many persons are asked for at once. `attendance`: which
    list of attendance is fetched too, `aggregated` (`/aggregatedAttendance`) or `events` (`/attendanceEvents`).
    """

    source: Literal["ss12000"] = "ss12000"
    url: str
    token_file: Path | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    scope: str | None = None
    ca_file: Path | None = None
    proxy: str | None = None
    at: TimeOfDay | None = None
    attendance: Literal["aggregated", "events"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = DEFAULT_LIMIT
    full_every_days: Annotated[int, msgspec.Meta(ge=1, le=31)] = DEFAULT_FULL_EVERY_DAYS
    overlap_hours: Annotated[int, msgspec.Meta(ge=0, le=744)] = DEFAULT_OVERLAP_HOURS

    def __post_init__(self) -> None:
        # msgspec says of a ValueError where in the file it was.
        check_address(self.url, "url")
        if (self.token_file is None) == (self.token_url is None):
            raise ValueError("give either token_file or token_url")
        if self.token_url is not None:
            check_address(self.token_url, "token_url")
            if self.client_id is None or self.client_secret_file is None:
                raise ValueError("token_url needs client_id and client_secret_file")
        elif (self.client_id, self.client_secret_file, self.scope) != (None, None, None):
            raise ValueError("client_id, client_secret_file and scope go with token_url")
        if self.proxy is not None and urllib.parse.urlsplit(self.proxy).scheme not in ("http", "https"):
            raise ValueError("proxy is not the address of an HTTP proxy")

    @property
    def base(self) -> str:
        """The address before `/persons`."""
        return self.url.rstrip("/").removesuffix("/persons")

    @property
    def fetched_from(self) -> time | None:
        return None if self.at is None else time.fromisoformat(self.at)


SchoolSystems = dict[SystemName, SchoolSystem]


def given(url: str, token_file: Path, ca_file: Path | None) -> SchoolSystem:
    """A school system named on the command line; UppropError(CONFIG_INVALID) where it cannot be one."""
    try:
        return SchoolSystem(url=url, token_file=token_file, ca_file=ca_file)
    except ValueError as error:
        raise UppropError(Code.CONFIG_INVALID, f"The school system cannot be fetched from: {error}.") from None


def check_address(address: str, name: str) -> None:
    """Raises ValueError unless it is an https:// address, or an http:// one of this machine."""
    try:
        parts = urllib.parse.urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError(f"{name} is not an address") from None
    if not host or parts.query or parts.fragment or parts.username or not address.isascii():
        raise ValueError(f"{name} must be an address such as https://host/path, without user, query and fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        # A bearer token sent in the clear is everyone's on the way.
        raise ValueError(f"{name} must begin with https://")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
