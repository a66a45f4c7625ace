"""What this evaluator reported of its quotas: one row a business day, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, insert, select

from federation.rules.vocabulary import MemberId
from privacy.evaluator.store import Transaction
from privacy.evaluator.store.schema import usage
from privacy.evaluator.store.schema_witness import quota_reports

Asked = tuple[MemberId, int, int]
"""A member, and the elements it asked for in the calendar year so far and on the day."""

_decoder = msgspec.json.Decoder(tuple[Asked, ...])


@dataclass(frozen=True, slots=True)
class QuotaReport:
    """`digest` is over `asked` under `salt`; `signature` is the evaluator's."""

    day: date
    salt: bytes = field(repr=False)
    asked: tuple[Asked, ...]
    digest: bytes
    signature: bytes


def newest(tx: Transaction) -> QuotaReport | None:
    row = tx.execute(select(quota_reports).order_by(quota_reports.c.day.desc()).limit(1)).one_or_none()
    return None if row is None else _report(row)


def every(tx: Transaction) -> Sequence[QuotaReport]:
    """All of them, oldest first."""
    return [_report(row) for row in tx.execute(select(quota_reports).order_by(quota_reports.c.day))]


def keep(tx: Transaction, report: QuotaReport) -> None:
    tx.execute(
        insert(quota_reports).values(
            day=report.day,
            salt=report.salt,
            asked=msgspec.json.encode(report.asked).decode(),
            digest=report.digest,
            signature=report.signature,
        )
    )


def asked_until(tx: Transaction, on: date) -> tuple[Asked, ...]:
    """What each member asked for within its quota in the year up to and on a day; by member."""
    of_day = func.sum(usage.c.elements).filter(usage.c.day == on)
    query = (
        select(usage.c.member, func.sum(usage.c.elements), func.coalesce(of_day, 0))
        .where(usage.c.day.between(date(on.year, 1, 1), on))
        .group_by(usage.c.member)
        .order_by(usage.c.member)
    )
    return tuple((MemberId(member), int(year), int(one_day)) for member, year, one_day in tx.execute(query))


def _report(row: Any) -> QuotaReport:
    return QuotaReport(row.day, row.salt, _decoder.decode(row.asked), row.digest, row.signature)
