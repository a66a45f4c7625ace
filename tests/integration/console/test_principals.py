"""What principals see: pupils of their own school units, and of nobody else that there is such a pupil."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date

import pytest
from starlette.testclient import TestClient

from federation.rules.vocabulary import Handle, Notice, NoticeKind
from node.casework.actor import Actor, Role
from node.settings import open_sealer
from node.store.notices import Notices
from node.store.pupils import Pupils
from tests.harness.console import TOKEN, actor, client
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person

MEMBER = "0180"
BASELINE, ARRIVED, NOW = date(2026, 8, 24), date(2026, 8, 31), date(2026, 9, 8)
MINE, HELD_MINE, THEIRS, HELD_THEIRS, UNKNOWN = 40, 3, 41, 4, 99
"""Places of pupils: arrived at a unit, and to be withdrawn from one; of the one unit and of the other."""
OURS, OTHERS = actor(Role.PRINCIPAL, name="Rut"), actor(Role.PRINCIPAL, name="Pål", units=[OTHER_UNIT])
NOBODYS = actor(Role.PRINCIPAL, name="Eva", units=[])

_TASK = re.compile(r'href="(/sv/uppgifter/[0-9a-f]{32})"')
_HOLD = re.compile(r'href="(/sv/sparrar/[0-9a-f]{32})"')


def at_other(place: int, start: str = "2025-08-18") -> dict[str, object]:
    return person(place, enrolment(start, enroledAt={"id": OTHER_UNIT}))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """An arrival, a hold and a question of each unit, and a sweep of each; no test here answers any."""
    with running(tmp_path_factory.mktemp("principals") / "federation", [MEMBER], BASELINE) as parties:
        found = settled(parties)
        yield found


def settled(parties: Federation) -> Node:
    here = [at_other(place) if place % 2 == 0 else person(place) for place in range(30)]
    parties.day(BASELINE, {MEMBER: here})
    here += [person(MINE, enrolment(ARRIVED.isoformat())), at_other(THEIRS, ARRIVED.isoformat())]
    parties.day(ARRIVED, {MEMBER: here})
    parties.set_today(NOW)
    node = parties.nodes[MEMBER]
    for place in (HELD_MINE, HELD_THEIRS):
        assert ask(seat(node, actor()), number(place))[0] == 303
    parties.set_today(date(2026, 11, 2))  # the Monday after a week off
    node.app.desk.sources.noticing.look()
    pupils = Pupils(open_sealer(node.settings))
    known = node.app.database.view("test_pupils", lambda tx: pupils.load_all(tx, pupils.on_roster(tx)))
    handles = {pupil.identity.family_name: pupil.handle for pupil in known.values()}
    asked = [
        Notice(place, NoticeKind.OVERLAP, NOW, Handle(handles[f"Efternamn{place}"]), None) for place in (MINE, THEIRS)
    ]
    node.app.database.run("test_notices", lambda tx: Notices().keep(tx, asked, THEIRS, NOW))
    return node


def seat(node: Node, who: Actor) -> TestClient:
    return client(node.app.desk, who)


def read(node: Node, who: Actor, path: str) -> tuple[int, str]:
    answer = seat(node, who).get(path)
    return answer.status_code, html.unescape(answer.text)


def ask(browser: TestClient, who: str) -> tuple[int, str]:
    form = {"csrf_token": TOKEN, "form": "", "person": who, "last_day": "2026-11-06", "reason": "moved"}
    answer = browser.post("/sv/sparrar", data={**form, "responsible": "Rut"})
    return answer.status_code, html.unescape(answer.text)


def tell(browser: TestClient, who: str) -> tuple[int, str]:
    form = {"csrf_token": TOKEN, "person": who, "what": "WORRY", "why": "Borta."}
    answer = browser.post("/sv/oro", data=form)
    return answer.status_code, html.unescape(answer.text)


def name_of(place: int) -> str:
    return f"Förnamn{place} Efternamn{place}"


def same(one: tuple[int, str], other: tuple[int, str], *typed: str) -> bool:
    """Whether two answers differ in nothing but what was typed, or asked for, and what is random in every form."""
    plain = []
    for status, shown in (one, other):
        found = re.sub(r'name="form" value="[0-9a-f]+"', "", shown)
        plain.append((status, re.sub("|".join(typed), "", found) if typed else found))
    return plain[0] == plain[1]


@pytest.mark.parametrize(("who", "mine", "theirs"), [(OURS, MINE, THEIRS), (OTHERS, THEIRS, MINE)])
def test_a_principal_sees_arrivals_sweeps_and_questions_of_their_own_unit(
    node: Node, who: Actor, mine: int, theirs: int
) -> None:
    status, shown = read(node, who, "/sv/uppgifter")
    assert status == 200
    # Once where it is asked whether the pupil was seen, once where another member asks.
    assert shown.count(f">{name_of(mine)}<") == 2
    assert name_of(theirs) not in shown
    own = set(_TASK.findall(shown))
    everything = set(_TASK.findall(read(node, actor(), "/sv/uppgifter")[1]))
    assert len(own) == 2
    assert len(everything) == 4
    nowhere = f"/sv/uppgifter/{'0' * 32}"
    for path in everything - own:
        assert same(read(node, who, path), read(node, who, nowhere), path[-32:], "0" * 32)
        form = {"csrf_token": TOKEN, "answer": "SEEN", "on": "2026-11-02"}
        refused = [seat(node, who).post(each, data=form) for each in (path, nowhere)]
        assert [answer.status_code for answer in refused] == [404, 404]
        listed = {"csrf_token": TOKEN, "task": path[-32:], f"answer-{path[-32:]}": "SEEN", "on": "2026-11-02"}
        assert seat(node, who).post("/sv/uppgifter", data=listed).status_code == 404


@pytest.mark.parametrize(("who", "mine", "theirs"), [(OURS, HELD_MINE, HELD_THEIRS), (OTHERS, HELD_THEIRS, HELD_MINE)])
def test_a_pupil_of_another_unit_is_nobody_to_a_principal(node: Node, who: Actor, mine: int, theirs: int) -> None:
    shown = read(node, who, "/sv/sparrar")[1]
    assert name_of(mine) in shown
    assert name_of(theirs) not in shown
    [own] = _HOLD.findall(shown)
    [other] = set(_HOLD.findall(read(node, actor(), "/sv/sparrar")[1])) - {own}
    nowhere = f"/sv/sparrar/{'0' * 32}"
    assert same(read(node, who, other), read(node, who, nowhere), other[-32:], "0" * 32)
    form = {"csrf_token": TOKEN, "do": "override", "why": "Visat biljett."}
    assert [seat(node, who).post(each, data=form).status_code for each in (other, nowhere)] == [404, 404]
    typed = number(theirs), number(UNKNOWN)
    for send in (ask, tell):
        known, unknown = (send(seat(node, who), each) for each in typed)
        assert known[0] == 400
        assert "En rektor når bara elever på sina egna skolenheter" in known[1]
        assert same(known, unknown, *typed)


def test_a_principal_without_a_unit_sees_nobody_and_is_told_why(node: Node) -> None:
    for path in ("/sv/uppgifter", "/sv/sparrar", "/sv/oro"):
        status, shown = read(node, NOBODYS, path)
        assert status == 200
        assert "Be den som är administratör i din kommun" in shown
        assert not _TASK.findall(shown) + _HOLD.findall(shown)
        assert not any(name_of(place) in shown for place in (MINE, THEIRS, HELD_MINE, HELD_THEIRS))
        assert "Be den som är administratör" not in read(node, OURS, path)[1]
    assert "which school units" in read(node, NOBODYS, "/en/tasks")[1]


def test_a_principal_who_works_case_files_too_sees_all(node: Node) -> None:
    both = actor(Role.PRINCIPAL, Role.CASEWORKER, units=[])
    for path in ("/sv/uppgifter", "/sv/sparrar"):
        assert same(read(node, both, path), read(node, actor(), path))
    assert "Be den som är administratör" not in read(node, both, "/sv/oro")[1]
    assert UNIT not in repr(OURS)
