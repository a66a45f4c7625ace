"""The settings of mail: the table `[mail]` of a node's `config.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

DEFAULT_SECOND_AFTER = 120


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `[mail]` holds; without the table nobody is written to.

    `server` is `host:port` of the municipality's own mail server. `security`: `starttls` (port 587 as a rule), `tls`
    (465), or `none`, for a server on this machine only. `user` and `password_file` (mode 0600) where it asks for them;
    `ca_file` where its certificate is of an authority that this machine does not know. `second_after_minutes`: how
    long nobody may look before the second on duty is told.
    """

    server: str
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    second_after_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = DEFAULT_SECOND_AFTER
