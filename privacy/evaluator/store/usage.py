"""What members have asked for, by business day; and the requests that were charged, so that each counts once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, delete, func, insert, select, update

from federation.rules.vocabulary import MemberId
from privacy.evaluator.store import Transaction
from privacy.evaluator.store.schema import requests, usage


@dataclass(frozen=True, slots=True)
class Used:
    """Elements a member has asked for in the calendar year and on the day of one business date, all epochs together."""

    year: int
    day: int


def digest_of(tx: Transaction, member: MemberId, request_id: bytes) -> bytes | None:
    """The digest of a request that was charged; None where it was not."""
    found: bytes | None = tx.execute(
        select(requests.c.digest).where(requests.c.member == member, requests.c.request_id == request_id)
    ).scalar_one_or_none()
    return found


def used(tx: Transaction, member: MemberId, on: date) -> Used:
    of_day = case((usage.c.day == on, usage.c.elements), else_=0)
    row = tx.execute(
        select(func.coalesce(func.sum(usage.c.elements), 0), func.coalesce(func.sum(of_day), 0)).where(
            usage.c.member == member, usage.c.day.between(date(on.year, 1, 1), date(on.year, 12, 31))
        )
    ).one()
    return Used(*map(int, row))


def charge(tx: Transaction, member: MemberId, request_id: bytes, digest: bytes, elements: int, on: date) -> None:
    """Count a request that was not charged before."""
    tx.execute(insert(requests).values(member=member, request_id=request_id, digest=digest, charged_on=on))
    counted = tx.execute(
        update(usage).where(usage.c.member == member, usage.c.day == on).values(elements=usage.c.elements + elements)
    )
    if counted.rowcount == 0:
        tx.execute(insert(usage).values(member=member, day=on, elements=elements))


def forget(tx: Transaction, before: date) -> None:
    """Drop requests charged before a day, and the use of years that ended before the year of that day."""
    tx.execute(delete(requests).where(requests.c.charged_on < before))
    tx.execute(delete(usage).where(usage.c.day < date(before.year, 1, 1)))
