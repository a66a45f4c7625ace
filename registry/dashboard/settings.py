"""What a dashboard shows, and to whom, out of a reader's settings.

Invariants
    - Beyond loopback everybody may look: there only a reader of the role `public` serves, whose certificate cannot get
      anything else, should the machine fall into other hands.
    - A reader never shows more than its role may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from federation.errors import Code, UppropError
from federation.runtime import is_loopback
from federation.settings import parse_address
from federation.web.limits import CallLimit
from registry.statistics.reading import Level
from registry.statistics.settings import ReaderSettings

LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")


@dataclass(frozen=True, slots=True)
class Face:
    """What is shown (`level`), by which names it is asked for (none: any), and how often.

    `base_url` begins links, without a slash at its end; empty where the name that was asked for does.
    """

    level: Level
    hosts: tuple[str, ...]
    base_url: str
    limit: CallLimit
    data_license: str = ""


def face_of(settings: ReaderSettings, role: str) -> Face:
    """The face that a reader of this role may show. Raises UppropError(CONFIG_INVALID)."""
    most = Level.of_role(role)
    level = settings.level or most
    if level is Level.AUTHORITY and most is Level.PUBLIC:
        raise UppropError(
            Code.CONFIG_INVALID,
            'The settings say level = "authority", but this reader has the role public. Take the line out.',
        )
    loopback = is_loopback(parse_address(settings.http_listen)[0])
    if not loopback and most is not Level.PUBLIC:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"{settings.http_listen} can be reached from other machines, and this reader has the role {role}. "
            "Use a reader of the role public there, or listen on 127.0.0.1.",
        )
    named = urlsplit(settings.public_url).hostname
    hosts = (*(LOOPBACK_HOSTS if loopback else ()), *((named,) if named else ()))
    limit = CallLimit(settings.calls, settings.call_window_seconds)
    return Face(level, hosts, settings.public_url, limit, settings.data_license)
