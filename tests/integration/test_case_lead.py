"""Who leads a case: by the rule, by who rests, by a hand-over that both sides have said; real parties throughout."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from federation.rules.vocabulary import CaseStatus
from node.casework.statuses.leading import LeadMovedError
from node.casework.statuses.model import Wishes
from node.store.gaps import Gaps
from registry.store.schema_casework import case_statements
from tests.harness.console import TOKEN, actor, client
from tests.integration.contact_parties import ASKER, DUE, LEAD, OTHER, THIRD, file_of, journal, linked
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played

NEXT = DUE + timedelta(days=1)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("linked"), linked)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        for node in (LEAD, OTHER):
            parties.nodes[node].sync(notices_only=True)
        yield parties


def leads(node: Node) -> bool:
    file = file_of(node)
    assert file.gap is not None
    desk = node.app.desk
    name = file.gap
    found = desk.database.view("t", lambda tx: Gaps.of_handles(desk.gaps, tx, [name.handle]))
    return found[name.handle][-1].lead


def day(federation: Federation, today: date) -> None:
    """Sync, close, and hear."""
    federation.set_today(today)
    for name in (LEAD, OTHER):
        assert federation.nodes[name].sync().problems == ()
    federation.close_day()
    for name in (LEAD, OTHER):
        federation.nodes[name].sync(notices_only=True)


def rest(node: Node, status: CaseStatus, until: date | None = None) -> None:
    file = file_of(node)
    node.app.desk.case_files.set_status(file.file_id, file.revision, status, ASKER, why="Väntar.", until=until)


def test_a_lead_that_suspends_its_case_file_leads_no_more_and_leads_again_after_it(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    assert (leads(lead), leads(other)) == (True, False)
    rest(lead, CaseStatus.SUSPENDED, NEXT + timedelta(days=2))
    assert leads(lead)
    day(federation, NEXT)
    assert (leads(lead), leads(other)) == (False, True)
    day(federation, NEXT + timedelta(days=2))
    assert (leads(lead), leads(other)) == (True, False)


def test_where_all_rest_the_last_lead_keeps_it(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    for node in (lead, other):
        rest(node, CaseStatus.SUSPENDED, NEXT + timedelta(days=20))
    day(federation, NEXT)
    assert (leads(lead), leads(other)) == (True, False)


def test_a_hand_over_counts_once_the_other_takes_it_and_lapses_when_that_one_rests(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    lead.app.desk.leading.wish(file_of(lead).file_id, Wishes(offers=True), ASKER)
    day(federation, NEXT)
    # Offered and not taken: somebody leads at every moment.
    assert (leads(lead), leads(other)) == (True, False)
    other.app.desk.leading.wish(file_of(other).file_id, Wishes(takes=True), ASKER)
    assert leads(lead)
    day(federation, NEXT + timedelta(days=1))
    assert (leads(lead), leads(other)) == (False, True)
    # It lasts, though what was offered is offered no more.
    lead.app.desk.leading.wish(file_of(lead).file_id, Wishes(), ASKER)
    day(federation, NEXT + timedelta(days=2))
    assert (leads(lead), leads(other)) == (False, True)
    rest(other, CaseStatus.SUSPENDED, NEXT + timedelta(days=30))
    day(federation, NEXT + timedelta(days=3))
    assert (leads(lead), leads(other)) == (True, False)


def test_a_lead_that_was_handed_over_stands_in_both_journals_and_is_not_offered_again(federation: Federation) -> None:
    lead, other = federation.nodes[LEAD], federation.nodes[OTHER]
    lead.app.desk.leading.wish(file_of(lead).file_id, Wishes(offers=True), ASKER)
    other.app.desk.leading.wish(file_of(other).file_id, Wishes(takes=True), ASKER)
    day(federation, NEXT)
    for node, expected in ((lead, False), (other, True)):
        assert [body.get("leads") for body in journal(node, "LEAD")][-1] is expected
        file_id = file_of(node).file_id
        wished = node.app.desk.database.view("t", functools.partial(node.app.desk.leading.wishes, file_id=file_id))
        assert wished == Wishes()
    # A page that was shown before the close saves nothing of it.
    with pytest.raises(LeadMovedError):
        lead.app.desk.leading.wish(file_of(lead).file_id, Wishes(offers=True), ASKER)
    # The hand-over lapses while its holder rests, and is not made anew by itself once it works again.
    rest(other, CaseStatus.SUSPENDED, NEXT + timedelta(days=5))
    for back in (1, 5, 6):
        day(federation, NEXT + timedelta(days=back))
        assert (leads(lead), leads(other)) == (True, False)


def test_a_lead_is_offered_on_the_page_of_the_case_file(federation: Federation) -> None:
    node = federation.nodes[LEAD]
    asked, path = client(node.app.desk, actor()), f"/sv/arenden/{file_of(node).file_id.hex()}"
    assert "Vi leder ärendet." in html.unescape(asked.get(path).text)
    assert asked.post(f"{path}/ledning", data={"csrf_token": TOKEN, "do": "offer"}).status_code == 303
    shown = html.unescape(asked.get(path).text)
    assert "Vi vill lämna över ledningen." in shown
    assert (
        "Vem som leder"
        not in client(federation.nodes[THIRD].app.desk, actor())
        .get(f"/sv/arenden/{file_of(federation.nodes[THIRD]).file_id.hex()}")
        .text
    )


def test_the_registry_is_told_once_how_a_case_file_stands(federation: Federation) -> None:
    node = federation.nodes[LEAD]
    rest(node, CaseStatus.SUSPENDED, NEXT + timedelta(days=2))
    for _ in range(2):
        assert node.sync().problems == ()
    database = federation.registry_app.database
    [row] = database.view("t", lambda tx: tx.execute(case_statements.select()).all())
    assert (row.version, row.status, row.until) == (1, "SUSPENDED", NEXT + timedelta(days=2))


def test_a_node_that_was_set_back_says_the_next_version(federation: Federation) -> None:
    node, database = federation.nodes[LEAD], federation.registry_app.database
    rest(node, CaseStatus.SUSPENDED, NEXT + timedelta(days=2))
    assert node.sync().problems == ()
    # What a node said that has lost its store since.
    later = case_statements.update().values(version=5, status="ACKNOWLEDGED", until=None)
    database.run("t", lambda tx: tx.execute(later).rowcount)
    file = file_of(node)
    node.app.desk.case_files.set_status(file.file_id, file.revision, CaseStatus.REOPENED, ASKER, why="Nya uppgifter.")
    for _ in range(2):
        assert node.sync().problems == ()
    [row] = database.view("t", lambda tx: tx.execute(case_statements.select()).all())
    assert (row.version, row.status) == (6, "REOPENED")


def test_of_a_pupil_who_is_protected_by_now_nothing_more_is_stated(federation: Federation) -> None:
    node, database = federation.nodes[LEAD], federation.registry_app.database
    rest(node, CaseStatus.SUSPENDED, NEXT + timedelta(days=2))
    file_id = file_of(node).file_id
    node.app.database.run("t", lambda tx: node.app.desk.case_files.protect(tx, file_id, ASKER))
    assert node.sync().problems == ()
    assert database.view("t", lambda tx: tx.execute(case_statements.select()).all()) == []
