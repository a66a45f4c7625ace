"""What a check finds, and what follows from all of them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from federation.errors import Code, UppropError, exit_code


class Level(enum.Enum):
    OK = "ok"
    WARNING = "warning"
    """It works, and something is to be done before it does not."""
    FAILED = "failed"


class Topic(enum.Enum):
    """What a finding is about; the name that scripts read."""

    SETTINGS = "settings"
    SECRET = "secret"  # noqa: S105 - a word
    DIRECTORY = "data-directory"
    DISK = "disk"
    DESCRIPTOR = "descriptor"
    OFFER = "offer"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    REGISTRY = "registry"
    EVALUATOR = "evaluator"
    STORE = "store"
    QUOTA = "quota"
    BACKLOG = "backlog"
    IMPORT = "import"
    CLOSE = "close"
    LEDGER = "ledger"
    SHARES = "shares"
    KEYS = "keys"
    CA = "ca"
    DAEMON = "daemon"
    FETCHES = "fetches"
    READER = "reader"
    ADDRESS = "address"
    JOURNAL = "journal"
    CONSOLE = "console"


class Says(enum.Enum):
    """One sentence and, where it is not well, another on what to do; parameters stand in the catalogue's entry."""

    REFUSED = enum.auto()
    """A code of the error catalogue with its sentence, which says what to do itself."""
    UNFORESEEN = enum.auto()
    SETTINGS_READ = enum.auto()
    SECRET_SAFE = enum.auto()
    DIRECTORY_WRITABLE = enum.auto()
    DIRECTORY_UNWRITABLE = enum.auto()
    DIRECTORY_ABSENT = enum.auto()
    DIRECTORY_TO_COME = enum.auto()
    DIRECTORY_OPEN = enum.auto()
    DISK_ROOM = enum.auto()
    DISK_SHORT = enum.auto()
    DESCRIPTOR_IN_FORCE = enum.auto()
    DESCRIPTOR_ENDS = enum.auto()
    DESCRIPTOR_BEHIND = enum.auto()
    OFFER_WAITS = enum.auto()
    CERTIFICATE_IN_FORCE = enum.auto()
    CERTIFICATE_ENDS = enum.auto()
    CERTIFICATE_NOT_RENEWED = enum.auto()
    CLOCK_RIGHT = enum.auto()
    CLOCK_AHEAD = enum.auto()
    CLOCK_BEHIND = enum.auto()
    CLOCK_FAR_AHEAD = enum.auto()
    CLOCK_FAR_BEHIND = enum.auto()
    CLOCK_ALONE = enum.auto()
    CLOCK_UNKNOWN = enum.auto()
    PEER_ANSWERS = enum.auto()
    PEER_NOT_READY = enum.auto()
    PEER_KNOWS_US_NOT = enum.auto()
    PEER_NOT_NAMED = enum.auto()
    PEER_NOTHING_LISTENS = enum.auto()
    PEER_SILENT = enum.auto()
    PEER_HANDSHAKE = enum.auto()
    PEER_NOT_TRIED = enum.auto()
    STORE_CURRENT = enum.auto()
    STORE_ABSENT = enum.auto()
    STORE_UNREAD = enum.auto()
    DAEMON_RUNS = enum.auto()
    DAEMON_RESTS = enum.auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject`: which one, where there are several; `code`: of the error catalogue, where it failed."""

    topic: Topic
    level: Level
    says: enum.Enum
    parameters: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""
    code: Code | None = None


def well(topic: Topic, says: enum.Enum, subject: str = "", /, **parameters: object) -> Finding:
    return Finding(topic, Level.OK, says, parameters, subject)


def warning(topic: Topic, says: enum.Enum, subject: str = "", /, **parameters: object) -> Finding:
    return Finding(topic, Level.WARNING, says, parameters, subject)


def failed(topic: Topic, code: Code, says: enum.Enum, subject: str = "", /, **parameters: object) -> Finding:
    return Finding(topic, Level.FAILED, says, parameters, subject, code)


def refused(topic: Topic, error: UppropError, subject: str = "", level: Level = Level.FAILED) -> Finding:
    """What an error of the catalogue says."""
    return Finding(topic, level, Says.REFUSED, {"sentence": error.sentence}, subject, error.code)


_WORST_FIRST = (
    Topic.SETTINGS,
    Topic.SECRET,
    Topic.DIRECTORY,
    Topic.CLOCK,
    Topic.DESCRIPTOR,
    Topic.CERTIFICATE,
    Topic.STORE,
)
"""What keeps the most from working; among the others the first that was found."""


def exit_code_of(found: Sequence[Finding]) -> int:
    """0 where all is well or only warned of, else that of the worst finding."""

    def rank(finding: Finding) -> int:
        return _WORST_FIRST.index(finding.topic) if finding.topic in _WORST_FIRST else len(_WORST_FIRST)

    worst = sorted((each for each in found if each.level is Level.FAILED), key=rank)
    return exit_code(worst[0].code or Code.INTERNAL) if worst else 0


def counted(found: Iterable[Finding], level: Level) -> int:
    return sum(each.level is level for each in found)
