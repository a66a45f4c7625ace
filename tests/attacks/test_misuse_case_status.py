"""What a member that lies about case files learns, and what it can do: nothing of others, and nothing to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from federation.errors import Code, UppropError
from federation.rules.vocabulary import CaseOutcome, CaseStatus, Handle
from node.casework.files.model import GapName
from node.casework.statuses.model import Stated, Statement
from registry.store.schema_casework import case_statements
from tests.integration.contact_parties import DUE, LEAD, OTHER, THIRD, file_of, linked
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played

CLOSED = Stated(CaseStatus.CLOSED, outcome=CaseOutcome.PLACED)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("linked"), linked)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        yield parties


def gap_of(node: Node) -> GapName:
    gap = file_of(node).gap
    assert gap is not None
    return gap


def states(node: Node, said: Statement) -> object:
    return node.app.uplink.casework().set_case_status([said])


def test_a_call_answers_the_same_whether_or_not_another_member_looks_for_the_pupil(federation: Federation) -> None:
    """The lead's gap is linked, the third member's is not; a handle that was never said has no gap at all."""
    said = [
        (federation.nodes[LEAD], gap_of(federation.nodes[LEAD])),
        (federation.nodes[THIRD], gap_of(federation.nodes[THIRD])),
        (federation.nodes[THIRD], GapName(Handle(bytes(16)), 1)),
        # Another member's handle, come by somehow.
        (federation.nodes[THIRD], gap_of(federation.nodes[LEAD])),
    ]
    assert [states(node, Statement(gap, 1, CLOSED)) for node, gap in said] == [{}] * 4


def test_nobody_takes_a_lead_that_is_not_offered_nor_closes_another_member_s(federation: Federation) -> None:
    lead, other, third = (federation.nodes[name] for name in (LEAD, OTHER, THIRD))
    for version, node in enumerate((other, third), 1):
        states(node, Statement(gap_of(lead), version, CLOSED))
    takes = Stated(CaseStatus.NEW, takes_lead=True)
    states(other, Statement(gap_of(other), 1, takes))
    states(third, Statement(gap_of(third), 1, takes))
    federation.set_today(DUE + timedelta(days=1))
    federation.close_day()
    cases = federation.registry_app.database.view("t", lambda tx: tx.exec_driver_sql("SELECT lead FROM cases").all())
    assert sorted(row.lead for row in cases) == [LEAD, THIRD]
    rows = federation.registry_app.database.view("t", lambda tx: tx.execute(case_statements.select()).all())
    assert {row.status for row in rows} == {"NEW"}


def test_what_makes_no_sense_is_refused_without_being_repeated(federation: Federation) -> None:
    node = federation.nodes[LEAD]
    for said in (
        Stated(CaseStatus.SUSPENDED),
        Stated(CaseStatus.CLOSED),
        replace(CLOSED, until=DUE),
        Stated(CaseStatus.NEW, outcome=CaseOutcome.PLACED),
        # Two who say both would pass the lead to and fro.
        Stated(CaseStatus.NEW, offers_lead=True, takes_lead=True),
    ):
        with pytest.raises(UppropError) as refused:
            states(node, Statement(gap_of(node), 1, said))
        assert refused.value.code is Code.REQUEST_INVALID
        assert gap_of(node).handle.hex() not in str(refused.value)
