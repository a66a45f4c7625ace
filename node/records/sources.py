"""Which source a delivery comes from. A new source is a module here and a line below."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from pathlib import Path

from node.records.oneroster.delivery import OneRoster
from node.records.person import Delivery
from node.records.plain_csv import PlainCsv
from node.records.ss12000_file import Ss12000Changes, Ss12000File


class Source(enum.StrEnum):
    """What an administrator can hand over as a file or directory."""

    SS12000_FILE = "SS12000_FILE"
    ONEROSTER = "ONEROSTER"
    CSV = "CSV"
    SS12000_CHANGES = "SS12000_CHANGES"


_DELIVERIES: Mapping[Source, Callable[[Path], Delivery]] = {
    Source.SS12000_FILE: Ss12000File,
    Source.ONEROSTER: OneRoster,
    Source.CSV: PlainCsv,
    Source.SS12000_CHANGES: Ss12000Changes,
}


def delivery_of(source: Source, path: Path) -> Delivery:
    """The delivery at a path; nothing is read yet."""
    return _DELIVERIES[source](path)
