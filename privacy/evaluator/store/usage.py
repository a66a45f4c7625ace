"""What members have asked for within their quota, by business day; and which requests were charged.

A request counts once, however often it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, case, delete, func, insert, select, update

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
    row = tx.execute(_sums(on).where(usage.c.member == member)).one_or_none()
    return Used(0, 0) if row is None else Used(int(row.year), int(row.day))


def used_by_all(tx: Transaction, on: date) -> dict[MemberId, Used]:
    """Of every member that has asked for anything in the year of that day."""
    return {MemberId(row.member): Used(int(row.year), int(row.day)) for row in tx.execute(_sums(on))}


def _sums(on: date) -> Select[tuple[str, int, int]]:
    of_day = case((usage.c.day == on, usage.c.elements), else_=0)
    return (
        select(usage.c.member, func.sum(usage.c.elements).label("year"), func.sum(of_day).label("day"))
        .where(usage.c.day.between(date(on.year, 1, 1), date(on.year, 12, 31)))
        .group_by(usage.c.member)
        .order_by(usage.c.member)
    )


def charge(tx: Transaction, member: MemberId, request_id: bytes, digest: bytes, elements: int, on: date) -> None:
    """Count a request that was not charged before; `elements` of it are charged to the quota."""
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
