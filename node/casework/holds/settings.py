"""Where a school system is told what became of a withdrawal that it asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table `[webhooks.NAME]`, of the school system with this name. TLS, but on loopback."""

    url: Annotated[str, msgspec.Meta(pattern=r"^(https://[^/@]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^@]*)?$")]
    secret_file: Path
