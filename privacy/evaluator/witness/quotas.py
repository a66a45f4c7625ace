"""What the evaluator reports of its quotas to the registry's ledger: who asked it for how much, as a salted digest.

The registry learns nothing by it, and notes it in the ledger; the evaluator keeps what it is made of. So nobody can say
later that a member asked for less or more: not the evaluator, whose signature stands in the ledger, nor the registry,
which cannot make one.

Invariants: a business day has one report, made once the day is over and made durable before it is given out; it is
given again until the next day's, so that a lost answer loses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.database import Database
from federation.rules.canonical import SALT_BYTES, quota_digest, quota_signed_bytes
from privacy.evaluator.store import Transaction
from privacy.evaluator.store import quota_reports as store
from privacy.evaluator.store.quota_reports import QuotaReport
from privacy.group import RandomBytes


class QuotaReports:
    """The reports of evaluator `index`; without its signing key it makes none."""

    def __init__(
        self, database: Database, index: int, signing_key: Ed25519PrivateKey | None, random_bytes: RandomBytes
    ) -> None:
        self._database, self._index, self._signing_key = database, index, signing_key
        self._random_bytes = random_bytes

    def newest(self, today: date) -> QuotaReport | None:
        """That of yesterday, made now where there is none; None without a signing key.

        Where the business date was set back, the newest there is.
        """
        key, yesterday = self._signing_key, today - timedelta(days=1)
        if key is None:
            return None
        there = self._database.view("evaluator_quota_report", store.newest)
        if there is not None and there.day >= yesterday:
            return there

        def work(tx: Transaction) -> QuotaReport:
            before = store.newest(tx)
            if before is not None and before.day >= yesterday:
                return before
            salt, asked = self._random_bytes(SALT_BYTES), store.asked_until(tx, yesterday)
            digest = quota_digest(salt, self._index, yesterday, asked)
            signature = key.sign(quota_signed_bytes(self._index, yesterday, digest))
            report = QuotaReport(yesterday, salt, asked, digest, signature)
            store.keep(tx, report)
            return report

        return self._database.run("evaluator_quota_report_made", work)


def every(database: Database) -> Sequence[QuotaReport]:
    """All that were made, oldest first."""
    return database.view("evaluator_quota_reports", store.every)


def follows(report: QuotaReport, index: int) -> bool:
    """Whether what was given to the ledger follows from what is kept of it here."""
    return quota_digest(report.salt, index, report.day, report.asked) == report.digest
