"""What the pages of the console work with: the services of casework, each made once by the node's `app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from federation.database import Database
from node.casework.contact.contacting import Contacting
from node.casework.files.by_hand import ByHand
from node.casework.files.filing import CaseFiles
from node.casework.files.searching import Searching
from node.casework.files.showing import Showing
from node.casework.holds.holding import Holding
from node.casework.journal.exporting import HandingOut
from node.casework.journal.keeping import Keeping
from node.casework.mailing.sending import Mailing
from node.casework.quality.reporting import Reporting
from node.casework.routines.help import Directory
from node.casework.routines.leaflets import Leaflets
from node.casework.routines.working import Routines
from node.casework.sources.health import Health
from node.casework.sources.service import Sources
from node.casework.statuses.leading import Leading
from node.casework.tasks.answering import Answering
from node.casework.tasks.naming import Naming
from node.store.gaps import Gaps
from node.store.journal import Journal
from node.store.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A subject's pages use its own service and nothing of the others' stores."""

    member_name: str
    today: Callable[[], date]
    now: Callable[[], datetime]
    zone: Callable[[], tzinfo]
    """In which people read times: the federation's."""
    database: Database
    gaps: Gaps
    case_files: CaseFiles
    by_hand: ByHand
    answering: Answering
    tasks: Tasks
    naming: Naming
    sources: Sources
    health: Health
    journal: Journal
    mailing: Mailing
    keeping: Keeping
    handing_out: HandingOut
    holding: Holding
    leading: Leading
    routines: Routines
    help: Directory
    leaflets: Leaflets
    showing: Showing
    searching: Searching
    contacting: Contacting
    reporting: Reporting
