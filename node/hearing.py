"""What the registry tells a node: its notices made durable and handled, and what to do where nothing is heard.

Invariants: a notice is durable before it is acknowledged; a registry that is silent, closes no day or withholds its
states opens case files, never less of them.
"""

from __future__ import annotations

import functools
from collections.abc import Generator

from federation.database import Database
from federation.errors import UppropError
from federation.observability import Event, Level, Log
from node.casework.opening import WITHHOLDING, Casework, is_late
from node.casework.silence import SilenceMetrics
from node.links import Links, Page
from node.recovery.guard import Guard
from node.store import Transaction
from node.store.notices import Notices
from node.sync import STORE_BEHIND, Progress, Sync

# None of them counts notices: an operator does not learn how many children are missed.
REGISTRY_SILENT = Event("registry_silent_case_files_opened", (), Level.WARNING)
REGISTRY_LATE = Event("registry_closes_no_day", ("closed_on",), Level.ERROR)
REGISTRY_WITHHOLDS = Event("registry_withholds_states", (), Level.ERROR)


class Hearing:
    """What is heard of the registry, and what is not."""

    def __init__(
        self, database: Database, notices: Notices, casework: Casework, guard: Guard, silence: SilenceMetrics, log: Log
    ) -> None:
        self._database = database
        self._notices = notices
        self._casework = casework
        self._guard = guard
        self._silence = silence
        self._log = log

    def fetch(self, run: Sync, links: Links) -> Generator[Progress, None, bool]:
        """Make all notices there are durable; returns whether that was possible."""
        more, kept = True, 0
        while more:
            cursor = self._database.view("node_notice_cursor", self._notices.state).cursor
            try:
                registry = links.registry()
                page = registry.list_notices(cursor)
            except UppropError as error:
                run.failed("notices", error)
                record = functools.partial(self._notices.record_fetch, day=run.today, succeeded=False)
                self._database.run("node_fetch_failed", record)
                return False
            run.late, run.closed_on = is_late(page.closed_on, run.today, run.judge.calendar), page.closed_on
            kept += self._database.run("node_notices_keep", functools.partial(self._keep, page, run))
            try:
                # Though nothing came: to whoever counts calls, a member with a notice looks like one without.
                registry.acknowledge(page.through)
            except UppropError as error:
                # The cursor is durable: a later acknowledgement covers these notices too.
                run.failed("acknowledge", error)
            more = page.more
            yield Progress("notices", kept, kept)
        return True

    def _keep(self, page: Page, run: Sync, tx: Transaction) -> int:
        # A registry that closes no day tells as little as one that is not there.
        self._notices.record_fetch(tx, run.today, succeeded=not run.late)
        return self._notices.keep(tx, page.notices, page.through, page.closed_on)

    def handle(self, run: Sync) -> None:
        more, unmatched = True, 0
        while more:
            handled = self._database.run("node_notices_handle", self._casework.handle_notices)
            run.notices += handled.number
            unmatched += handled.unmatched
            more = handled.more
        if unmatched and not run.behind:
            self._guard.doubt()
            self._log(STORE_BEHIND, of="notices")
            run.say(
                f"The registry told of {unmatched} openings that this node does not know: its store seems to be an "
                "older copy. Look into them with the registry's operator."
            )

    def open_unheard(self, run: Sync) -> None:
        look = functools.partial(self._casework.open_unheard, today=run.today, calendar=run.judge.calendar)
        unheard = self._database.run("node_open_unheard", look)
        if unheard.opened:
            self._log(REGISTRY_SILENT)
        if run.late and unheard.failed_day is not None:
            self._log(REGISTRY_LATE, closed_on=run.closed_on)
            run.say(
                f"The registry answers, but the newest day it has closed is {run.closed_on or 'none at all'}: it "
                "judges no gaps. Those past due get their case files here. Turn to its operator."
            )
        if unheard.withheld:
            self._log(REGISTRY_WITHHOLDS)
            run.say(WITHHOLDING)
        self._silence.show(late=run.late and unheard.failed_day is not None, withholds=unheard.withheld)
