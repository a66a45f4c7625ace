"""The journal's services, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from federation.clock import Clock
from federation.database import Database
from federation.observability import Log, Metrics
from node.casework.files.filing import CaseFiles
from node.casework.files.showing import Showing
from node.casework.journal.exporting import HandingOut
from node.casework.journal.keeping import Keeping
from node.casework.journal.verifying import JournalMetrics, Verifying, Watching
from node.store.attachments import Attachments
from node.store.case_keys import CaseKeys
from node.store.files import Files
from node.store.journal import Journal
from node.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Journals:
    """What people write and read, what is handed out, and who watches over it."""

    keeping: Keeping
    handing_out: HandingOut
    watching: Watching


def build(
    *,
    database: Database,
    sealer: Sealer,
    keys: CaseKeys,
    case_files: CaseFiles,
    files: Files,
    journal: Journal,
    showing: Showing,
    data_dir: Path,
    member: Callable[[], str],
    zone: Callable[[], tzinfo],
    clock: Clock,
    metrics: Metrics,
    log: Log,
) -> Journals:
    """`member` gives the name under which a case file is handed out, `zone` its times."""
    attachments = Attachments(keys)
    return Journals(
        Keeping(database, case_files, journal, attachments, clock),
        HandingOut(database, showing, files, journal, attachments, clock, member, zone),
        Watching(Verifying(database, keys, sealer, data_dir), JournalMetrics(metrics.registry), clock, log),
    )
