"""Configuration: one TOML file per role, read once at start.

Invariants: an unknown key is refused, with the known one that is nearest, so that a misspelt one is never silently
ignored; a relative path means a path
relative to the file that states it; secrets are paths, never values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
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
        hint = _hint(kind, str(error))
        raise UppropError(Code.CONFIG_INVALID, f"The settings {path} are not understood: {error}.{hint}") from error


_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def _hint(kind: type[msgspec.Struct], reason: str) -> str:
    """What was meant by an unknown key."""
    found = _UNKNOWN.search(reason)
    if found is None:
        return ""
    known = set(_known_keys(msgspec.inspect.type_info(kind)))
    nearest = next(iter(difflib.get_close_matches(found[1], sorted(known), n=1)), None)
    if nearest is None:
        return " Take it out: this version does not know it."
    if nearest == found[1]:
        # Right in itself: TOML counts whatever follows [a table] to that table.
        return " It belongs elsewhere: tables such as [this] come last in the file."
    return f" Did you mean {nearest}?"


def _known_keys(of: msgspec.inspect.Type) -> Iterator[str]:
    if isinstance(of, msgspec.inspect.StructType):
        for each in of.fields:
            yield each.encode_name
            yield from _known_keys(each.type)
    elif isinstance(of, msgspec.inspect.DictType):
        yield from _known_keys(of.value_type)
    elif isinstance(of, msgspec.inspect.UnionType):
        for one in of.types:
            yield from _known_keys(one)


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7443` or `[::1]:7443`; port 0 means any free one."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise UppropError(Code.CONFIG_INVALID, f"{address!r} is not an address; write host:port.")
    return host.removeprefix("[").removesuffix("]"), int(port)
