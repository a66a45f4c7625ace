"""What the privacy of a year's children is spent on.

Invariants
    - Spent before anything is drawn, in a transaction of its own: a crash in between leaves it spent.
    - A spend is chosen by name beforehand and counts once, however often it is tried; none is ever taken back, nor is
      what is spent lowered or the cap raised. It pays for what it was made for, and for nothing dearer.
    - Whoever spends holds the year's row: two replicas spend one after the other, within the cap together.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from registry.statistics.model import Budget, Spend
from registry.store.bulk import insert, upsert
from registry.store.schema_statistics import statistics_budgets, statistics_spends


def open_year(tx: Connection, year: int, profile: str, cap_nano_rho: int) -> Budget:
    """The year's budget, locked; one that is there already keeps the profile and cap of its first spend."""
    new = {"year": year, "profile": profile, "cap_nano_rho": cap_nano_rho, "spent_nano_rho": 0}
    upsert(tx, statistics_budgets, [new])
    found = budget(tx, year, lock=True)
    assert found is not None
    return found


def budget(tx: Connection, year: int, *, lock: bool = False) -> Budget | None:
    """The year's budget; None before its first spend."""
    query = select(statistics_budgets).where(statistics_budgets.c.year == year)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    spends_of = select(func.coalesce(func.sum(statistics_spends.c.nano_rho), 0)).where(statistics_spends.c.year == year)
    # The sum again, of rows that the registry's login cannot take away: should somebody have lowered the number.
    spent = max(row.spent_nano_rho, int(tx.execute(spends_of).scalar_one()))
    return Budget(row.year, row.profile, row.cap_nano_rho, spent)


def budgets(tx: Connection) -> list[Budget]:
    """The budgets of all years that anything was spent of, in their order."""
    years = list(tx.scalars(select(statistics_budgets.c.year).order_by(statistics_budgets.c.year)))
    found = (budget(tx, year) for year in years)
    return [each for each in found if each is not None]


def spends(tx: Connection, year: int) -> list[Spend]:
    """What a year's budget was spent on, in the order in which it was."""
    of = statistics_spends.c
    query = select(statistics_spends).where(of.year == year).order_by(of.spent_at, of.spend_id)
    return [
        Spend(row.spend_id, row.year, row.nano_rho, row.spent_at, row.reader, row.role) for row in tx.execute(query)
    ]


def questions_paid(tx: Connection) -> set[str]:
    """The spends on further questions, by name."""
    return set(tx.scalars(select(statistics_spends.c.spend_id).where(statistics_spends.c.reader.is_not(None))))


def paid(tx: Connection, spend_id: str) -> int | None:
    """How much was spent under a name; None: nothing was."""
    query = select(statistics_spends.c.nano_rho).where(statistics_spends.c.spend_id == spend_id)
    return tx.execute(query).scalar_one_or_none()


def spend(tx: Connection, new: Spend) -> bool:
    """Spend, unless it was spent before; False, and nothing is changed, where the cap does not leave so much.

    False too where less was spent under its name: prices that rose with a new version do not bear on a year that has
    begun. Call it after `open_year`, in the same transaction.
    """
    if (before := paid(tx, new.spend_id)) is not None:
        return before >= new.nano_rho
    standing = budget(tx, new.year, lock=True)
    assert standing is not None
    if standing.spent_nano_rho + new.nano_rho > standing.cap_nano_rho:
        return False
    row = {"spend_id": new.spend_id, "year": new.year, "nano_rho": new.nano_rho, "reader": new.reader}
    insert(tx, statistics_spends, [row | {"role": new.role, "spent_at": new.spent_at}])
    tx.execute(
        update(statistics_budgets)
        .where(statistics_budgets.c.year == new.year)
        .values(spent_nano_rho=standing.spent_nano_rho + new.nano_rho)
    )
    return True
