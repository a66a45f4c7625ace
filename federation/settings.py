"""Configuration: one TOML file per role, read once at start.

Invariants: an unknown key is refused, so that a misspelt one is never silently ignored; a relative path means a path
relative to the file that states it; secrets are paths, never values.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from federation.errors import Code, UppropError


class DaemonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every role's `config.toml` holds; a role adds its own fields.

    `listen` is where the role takes RPCs (a node takes none); `today` is the first business date of a manual clock.
    `renew_certificate`: ask the federation's own CA for the next certificate in time, with the same key; false where
    another PKI puts it there.
    """

    data_dir: Path
    descriptor: Path
    authority_key: Path
    certificate: Path
    private_key: Path
    listen: str | None = None
    metrics_listen: str = "127.0.0.1:9464"
    renew_certificate: bool = True
    clock: Literal["system", "manual"] = "system"
    today: date | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"


SettingsT = TypeVar("SettingsT", bound=msgspec.Struct)


def load(path: Path, kind: type[SettingsT]) -> SettingsT:
    """Read a settings file; raises UppropError(CONFIG_INVALID) that names the file and the key."""
    if not kind.__struct_config__.forbid_unknown_fields:
        raise TypeError(f"{kind.__name__} must forbid unknown fields")
    directory = path.absolute().parent

    def convert(wanted: type, value: Any) -> Any:
        if wanted is Path and isinstance(value, str) and value:
            return directory / Path(value).expanduser()
        raise ValueError(f"Expected a path, got {type(value).__name__}")

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"The settings {path} cannot be read: {error.strerror}.") from error
    try:
        return msgspec.toml.decode(content, type=kind, dec_hook=convert)
    except msgspec.DecodeError as error:
        # Settings hold no personal data and no secrets, so the reason may be shown.
        raise UppropError(Code.CONFIG_INVALID, f"The settings {path} are not understood: {error}.") from error


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7443` or `[::1]:7443`; port 0 means any free one."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UppropError(Code.CONFIG_INVALID, f"{address!r} is not an address; write host:port.")
    return host.removeprefix("[").removesuffix("]"), int(port)
