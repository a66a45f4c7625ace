"""The giving out of notices: those of finished closes, and none before."""

from __future__ import annotations

from datetime import date

from federation.database import Database
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId, Notice
from registry.store import Transaction, closes, notices


class Mailbox:
    """Gives members their notices, those of finished closes alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, member: MemberId, after: int, limit: int) -> tuple[list[Notice], bool, date | None]:
        """The next notices after a number, whether there are more, and the day of the newest finished close."""

        def work(tx: Transaction) -> tuple[list[Notice], bool, date | None]:
            close = closes.newest(tx, finished=True)
            if close is None or close.through_position is None:
                return [], False, None
            found, more = notices.page(tx, member, after, limit, close.through_position)
            return found, more, close.closed_on

        return self._database.view("list_notices", work)

    def acknowledge(self, member: MemberId, number: int) -> None:
        """Note what the member has kept. Raises UppropError(REQUEST_INVALID) for a number it was never given."""

        def work(tx: Transaction) -> bool:
            close = closes.newest(tx, finished=True)
            # Bounded by what was delivered, or trying numbers would tell of notices before their delivery.
            return notices.acknowledge(tx, member, number, (close and close.through_position) or 0)

        if not self._database.run("ack_notices", work):
            raise UppropError(Code.REQUEST_INVALID, "No notice of that number was given. Acknowledge what was listed.")
