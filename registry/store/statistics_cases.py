"""Cases as they were on the day they opened: what statistics count children by.

Invariants
    - A row is written with its case, by the close that opens it, and is not written again: a lead that passes on, or a
      case that opens again, changes nothing of it.
    - Age band and sex are filled in once, by the lead of that day (`statistics.describing`).
    - The ledger holds none of it. Its leaves are what a member is held to, and stay for ever; who is how old bears on
      nobody's alarm, and a hash over one of a dozen values hides none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Connection, select, update

from federation.rules.vocabulary import MemberId
from registry.model import CaseDescription, FirstOpening, Ref, ref_of
from registry.store.bulk import among, chunks, insert
from registry.store.schema import gaps
from registry.store.schema_statistics import statistics_cases


def freeze(tx: Connection, opened: Sequence[FirstOpening]) -> None:
    """Write down cases that have just come to be."""
    rows = [
        {
            "case_id": opening.case_id,
            "year": opening.opened_on.year,
            "lead": opening.lead,
            "kind": opening.kind.value,
        }
        for opening in opened
    ]
    insert(tx, statistics_cases, rows)


def describe(tx: Connection, member: MemberId, said: Sequence[CaseDescription], on: date) -> None:
    """Fill in what a member says of the cases that opened under its lead and of which nothing was said before.

    Whatever else it speaks of is passed over. Of two words about one case the first counts.
    """
    waiting = _waiting(tx, member, {ref_of(member, each.handle) for each in said})
    first: dict[bytes, CaseDescription] = {}
    for each in said:
        if (case_id := waiting.get((ref_of(member, each.handle), each.number))) is not None:
            first.setdefault(case_id, each)
    # One statement for each word that was said, whether or not it is taken: what is done shows no more than the answer.
    alike: dict[tuple[str | None, str | None], list[bytes]] = {(each.age_band, each.sex): [] for each in said}
    for case_id, description in first.items():
        alike[description.age_band, description.sex].append(case_id)
    for (age_band, sex), case_ids in alike.items():
        tx.execute(
            update(statistics_cases)
            .where(among(tx, statistics_cases.c.case_id, sorted(case_ids)), statistics_cases.c.described_on.is_(None))
            .values(age_band=age_band, sex=sex, described_on=on)
        )


def _waiting(tx: Connection, member: MemberId, refs: Iterable[Ref]) -> Mapping[tuple[Ref, int], bytes]:
    """(handle, number) of gaps → their cases, of those that opened under the member's lead and wait for its word.

    The rows are locked, in order, until the transaction ends.
    """
    found: dict[tuple[Ref, int], bytes] = {}
    for chunk in chunks(sorted(refs)):
        query = (
            select(gaps.c.ref, gaps.c.number, statistics_cases.c.case_id)
            .join(statistics_cases, statistics_cases.c.case_id == gaps.c.case_id)
            .where(
                among(tx, gaps.c.ref, chunk),
                statistics_cases.c.lead == member,
                statistics_cases.c.described_on.is_(None),
            )
            .order_by(statistics_cases.c.case_id)
            .with_for_update(of=statistics_cases)
        )
        found.update({(Ref(row.ref), row.number): row.case_id for row in tx.execute(query)})
    return found
