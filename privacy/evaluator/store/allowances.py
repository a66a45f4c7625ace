"""What members may ask for beyond their quota: one allowance per member, granted by the evaluator's administrator.

State of an allowance: granted (in place of the one before) → used up by charges, or past its last day, or taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, select, update

from federation.rules.vocabulary import MemberId
from privacy.evaluator.store import Transaction
from privacy.evaluator.store.schema import allowances


@dataclass(frozen=True, slots=True)
class Allowance:
    """Elements that are left of it, and the last day on which they may be asked for."""

    elements: int
    until: date


def grant(tx: Transaction, member: MemberId, allowance: Allowance) -> None:
    """Put it in place of what the member was allowed before; one of no elements takes that back."""
    tx.execute(delete(allowances).where(allowances.c.member == member))
    if allowance.elements:
        tx.execute(insert(allowances).values(member=member, elements=allowance.elements, until=allowance.until))


def left(tx: Transaction, member: MemberId, on: date) -> int:
    """Elements that the member may ask for beyond its quota on that day."""
    query = select(allowances.c.elements).where(allowances.c.member == member, allowances.c.until >= on)
    return tx.execute(query).scalar() or 0


def use(tx: Transaction, member: MemberId, elements: int) -> None:
    """Take so many elements, which must be left, off the member's allowance."""
    tx.execute(
        update(allowances).where(allowances.c.member == member).values(elements=allowances.c.elements - elements)
    )


def standing(tx: Transaction, on: date) -> dict[MemberId, Allowance]:
    """The allowances that may be used on that day, by member."""
    query = select(allowances).where(allowances.c.until >= on).order_by(allowances.c.member)
    return {MemberId(row.member): Allowance(row.elements, row.until) for row in tx.execute(query)}


def forget(tx: Transaction, before: date) -> None:
    """Drop allowances whose last day lies before a day."""
    tx.execute(delete(allowances).where(allowances.c.until < before))
