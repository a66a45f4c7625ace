"""Tasks of no routine, from the sources that bring them up to the answers that people give on their pages."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from federation.errors import Code, UppropError
from federation.rules.vocabulary import GapState, Handle, Notice, NoticeKind, Policy
from node.casework.actor import Role
from node.casework.tasks.model import TaskKind
from node.settings import open_sealer
from node.store.notices import Notices
from node.store.pupils import Pupils
from tests.harness.console import TOKEN, actor, client
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import enrolment, number, person, person_id

MEMBER = "0180"
BASELINE, ARRIVED, NOW = date(2026, 8, 24), date(2026, 8, 31), date(2026, 9, 8)
DAYS = [date(2026, 8, 24) + timedelta(days=n) for n in range(16)]
SCHOOL_DAYS = [day for day in DAYS if day.weekday() < 5]
ABSENT, ON_LEAVE, ABSENT_PROTECTED, VALID = 5, 6, 7, 8
"""Not in school since 31 August; by what is known of it."""
NEW, NEW_PROTECTED = 40, 41
"""Enrolled from 31 August on."""
LAST_DAY = date(2026, 8, 28)

_TASK = re.compile(r'href="/sv/uppgifter/([0-9a-f]{32})"')


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [MEMBER], BASELINE, policy=Policy(second_person=True)) as parties:
        here = [person(place) for place in range(30)]
        here[ABSENT_PROTECTED] = person(ABSENT_PROTECTED, securityMarking="Sekretessmarkering")
        parties.day(BASELINE, {MEMBER: here})
        here.append(person(NEW, enrolment(ARRIVED.isoformat())))
        here.append(person(NEW_PROTECTED, enrolment(ARRIVED.isoformat()), securityMarking="Skyddad folkbokföring"))
        parties.day(ARRIVED, {MEMBER: here})
        parties.set_today(NOW)
        yield parties


@pytest.fixture
def node(federation: Federation) -> Node:
    return federation.nodes[MEMBER]


def attendance(directory: Path, *, last: date = NOW, back: int | None = None) -> Path:
    """Everyone is in school but those of the names above; `back`: this one is, on the last day."""
    lines = ["person_id;datum;närvaro;ledighet;giltig"]
    for day in [each for each in SCHOOL_DAYS if each <= last]:
        for place in range(30):
            away = place in (ABSENT, ON_LEAVE, ABSENT_PROTECTED, VALID) and day > LAST_DAY
            there = not away or (place == back and day == last)
            leave = "ja" if place == ON_LEAVE and away else "nej"
            valid = "ja" if place == VALID and away else "nej"
            lines.append(f"{person_id(place)};{day};{'ja' if there else 'nej'};{leave};{valid}")
    lines += [f"nobody;{last};ja;nej;nej", f"{person_id(1)};2027-01-01;ja;nej;nej", f"{person_id(1)};{last};kanske;;"]
    path = directory / "attendance.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def name_of(place: int) -> str:
    return f"Förnamn{place} Efternamn{place}"


def page(node: Node, *roles: Role, path: str = "/sv/uppgifter") -> str:
    answer = client(node.app.desk, actor(*roles)).get(path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def task_of(node: Node, place: int, *roles: Role) -> str:
    """The address of the task about a pupil."""
    found = re.search(rf'href="(/sv/uppgifter/[0-9a-f]{{32}})">{name_of(place)}', page(node, *roles))
    assert found is not None
    return found[1]


def send(node: Node, path: str, *roles: Role, **fields: str | list[str]) -> tuple[int, str]:
    answer = client(node.app.desk, actor(*roles)).post(path, data={"csrf_token": TOKEN, **fields})
    return answer.status_code, html.unescape(answer.text) or answer.headers.get("location", "")


def test_five_days_without_attendance_come_up_for_triage_and_granted_leave_does_not(node: Node, tmp_path: Path) -> None:
    sources = node.app.desk.sources
    report = sources.attendance_file(attendance(tmp_path, last=date(2026, 9, 3)), "main")
    # Four days: nobody yet.
    assert name_of(ABSENT) not in page(node)
    assert (report.unknown, len(report.remarks)) == (1, 2)
    sources.attendance_file(attendance(tmp_path), "main")
    shown = page(node)
    assert name_of(ABSENT) in shown
    assert name_of(VALID) in shown
    assert name_of(ON_LEAVE) not in shown
    assert name_of(ABSENT_PROTECTED) not in shown
    assert name_of(ABSENT_PROTECTED) in page(node, Role.PROTECTED)
    # A principal answers for schools; what is behind an absence is the case workers'.
    assert name_of(ABSENT) not in page(node, Role.PRINCIPAL)
    hidden = task_of(node, ABSENT_PROTECTED, Role.PROTECTED)
    for roles in ((Role.CASEWORKER,), (Role.AUDITOR,)):
        assert client(node.app.desk, actor(*roles)).get(hidden).status_code == 404
        status, _ = send(node, hidden, Role.CASEWORKER, answer="BACK")
        assert status == 404
    assert "anmäld som giltig" in page(node, path=task_of(node, VALID))
    # Back in school: the question is gone, and the same import again asks nothing twice.
    sources.attendance_file(attendance(tmp_path, back=ABSENT), "main")
    sources.attendance_file(attendance(tmp_path, back=ABSENT), "main")
    assert name_of(ABSENT) not in page(node)
    assert page(node).count(name_of(VALID)) == 1


def test_an_absence_is_told_problematic_or_missing_and_what_decided_it_is_kept(node: Node, tmp_path: Path) -> None:
    node.app.desk.sources.attendance_file(attendance(tmp_path), "main")
    path = task_of(node, ABSENT)
    status, shown = send(node, path, answer="PROBLEMATIC", why="")
    assert (status, "Skriv vad som avgjorde det." in shown) == (422, True)
    status, shown = send(node, path, answer="MISSING", why="x" * 2_001)
    assert (status, "för lång" in shown, "x" * 2_001 in shown) == (422, True, True)
    status, shown = send(node, path, answer="LEAVE", why="Resa", until="2026-09-01")
    assert (status, "har redan varit" in shown) == (422, True)
    status, where = send(node, path, answer="PROBLEMATIC", why="<script>Mentor & vårdnadshavare</script>")
    assert (status, where.startswith("/sv/arenden/")) == (303, True)
    shown = client(node.app.desk, actor()).get(where.partition("?")[0]).text
    assert "&lt;script&gt;Mentor &amp; vårdnadshavare&lt;/script&gt;" in shown
    assert "Frågor om eleven" in shown
    assert "<script>" not in shown
    # Sent twice, or by somebody who had the page open: told, and nothing is done again.
    status, shown = send(node, path, answer="MISSING", why="Ingen svarar")
    assert (status, "Någon annan har redan svarat" in shown, "Kim Handläggare" in shown) == (409, True, True)
    assert name_of(ABSENT) not in page(node)


def test_gone_though_enrolled_is_looked_for_at_once(federation: Federation, node: Node, tmp_path: Path) -> None:
    node.app.desk.sources.attendance_file(attendance(tmp_path), "main")
    path = task_of(node, ABSENT)
    status, _ = send(node, path, answer="GONE", why="Ingen har sett eleven", on="2026-12-01")
    assert status == 422
    status, where = send(node, path, answer="GONE", why="Ingen har sett eleven", on=LAST_DAY.isoformat())
    assert (status, where.endswith("?said=task-file-waits")) == (303, True)
    node.sync()
    [case] = node.cases()
    assert (case.kind, case.urgency, case.state, case.effective_date) == (
        "LEFT",
        "IMMEDIATE",
        GapState.OPEN,
        LAST_DAY + timedelta(days=1),
    )
    # One case file, which the gap has joined: what decided it stands there.
    assert page(node, path="/sv/").count(name_of(ABSENT)) == 1
    shown = page(node, path=where.partition("?")[0])
    assert ("Ingen har sett eleven" in shown, "Saknad: Ingen har sett eleven" in shown) == (True, True)
    assert "Utan skola sedan" in shown


def test_an_arrival_is_to_be_seen_and_the_answer_becomes_a_saying(federation: Federation, node: Node) -> None:
    shown = page(node, Role.PRINCIPAL)
    assert name_of(NEW) in shown
    assert name_of(NEW_PROTECTED) not in shown
    # Due on the fifth school day, which was the Friday before.
    assert ("2026-09-04" in shown, "Försenad" in shown) == (True, True)
    assert name_of(0) not in shown  # who was here at the baseline is no arrival
    task = task_of(node, NEW, Role.PRINCIPAL).rpartition("/")[2]
    fields = {"task": task, f"answer-{task}": "SEEN"}
    status, shown = send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, on="2026-12-24")
    assert (status, "Dagen har inte varit än" in shown) == (422, True)
    status, shown = send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, on="2026-08-25")
    assert (status, "Dagen är för tidig" in shown) == (422, True)
    assert send(node, "/sv/uppgifter", Role.AUDITOR, **fields, on="2026-09-02")[0] == 403
    status, where = send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, on="2026-09-02")
    assert (status, where) == (303, "/sv/uppgifter?said=tasks-answered")
    node.sync()
    assert name_of(NEW) not in page(node, Role.PRINCIPAL)
    node.restart()
    assert name_of(NEW) not in page(node, Role.PRINCIPAL)
    # The protected one: that role answers, and a no is a no-show that waits for a second person.
    path = task_of(node, NEW_PROTECTED, Role.PROTECTED)
    status, where = send(node, path, Role.PROTECTED, answer="NOT_SEEN")
    assert (status, where) == (303, "/sv/uppgifter?said=tasks-wait")
    node.sync()
    assert [(case.route, case.kind) for case in node.cases()] == [("protected", "LEFT")]


def test_an_arrival_that_a_command_says_was_met_is_asked_about_no_more(node: Node) -> None:
    node.app.sayings.say(person_id(NEW), "met", on=date(2026, 9, 3), said_by="Ada Berg")
    node.sync()
    assert name_of(NEW) not in page(node)


def residents(directory: Path, *lines: str) -> Path:
    path = directory / "residents.csv"
    head = "personnummer;förnamn;efternamn;bosatt_från;känd_skola;skyddad"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_resident_without_a_known_school_is_asked_about_and_can_be_not_placed(node: Node, tmp_path: Path) -> None:
    sources = node.app.desk.sources
    rows = [f"{number(place)};Barn;Nr{place};2020-01-01;;nej" for place in (*range(10), 200, 201, 202)]
    rows += [
        f"{number(203)};Barn;Nr203;2026-08-03;Internationella skolan;nej",
        f"{number(204)};Barn;Nr204;2026-08-03;;ja",
        "202208019803;Barn;Nr205;2026-08-03;;nej",  # too young, and a wrong number besides
        "20130101TF01;Barn;Nr206;;;nej",
    ]
    report = sources.residents_file(residents(tmp_path, *rows), NOW, accept_shrink=False)
    assert sources.standing(TaskKind.NOT_PLACED) == 3
    assert [remark.field for remark in report.remarks] == ["personnummer", "personnummer"]
    shown = page(node)
    assert all(f"Barn Nr{place}" in shown for place in (200, 201, 202))
    assert not any(f"Barn Nr{place}<" in shown for place in (*range(10), 203, 204))
    assert "Barn Nr204" in page(node, Role.PROTECTED)
    assert "Barn Nr200" not in page(node, Role.PRINCIPAL)

    def answer(name: str, *roles: Role, **fields: str) -> tuple[int, str]:
        found = re.search(rf'href="(/sv/uppgifter/[0-9a-f]{{32}})">{name}', page(node, *roles))
        assert found is not None
        return send(node, found[1], *roles, **fields)

    assert answer("Barn Nr200", answer="NOT_PLACED")[0] == 303
    assert answer("Barn Nr201", answer="ELSEWHERE", why="Intyg från skolan")[0] == 303
    assert answer("Barn Nr204", Role.PROTECTED, answer="NOT_PLACED")[0] == 303
    node.sync()
    gaps = {gap.number: (gap.route, gap.kind) for gap in node.cases()}
    assert gaps == {number(204): ("protected", "NOT_PLACED")}  # the other one is in watch, and waits for its review
    # The list again: who was answered is not asked about anew, who is no longer in it is dropped.
    rest = [row for row in rows if "Nr202" not in row]
    sources.residents_file(residents(tmp_path, *rest), NOW, accept_shrink=False)
    assert sources.standing(TaskKind.NOT_PLACED) == 0
    with pytest.raises(UppropError) as caught:
        sources.residents_file(residents(tmp_path, *rest[:3]), NOW, accept_shrink=False)
    assert caught.value.code is Code.EXPORT_SHRUNK
    assert "Minst hälften saknas" in page(node, Role.ADMINISTRATOR, path="/sv/inlasning")


def test_after_a_long_break_each_unit_is_swept_and_who_did_not_come_is_looked_into(
    federation: Federation, node: Node
) -> None:
    federation.set_today(date(2026, 11, 2))  # the Monday after a week off
    node.sync()
    node.app.desk.sources.noticing.look()
    node.app.desk.sources.noticing.look()
    [sweep] = [
        path
        for path in _TASK.findall(page(node, Role.PRINCIPAL))
        if "Skolstart" in page(node, Role.PRINCIPAL, path=f"/sv/uppgifter/{path}")
    ]
    path = f"/sv/uppgifter/{sweep}"
    shown = page(node, Role.PRINCIPAL, path=path)
    assert name_of(3) in shown
    assert name_of(ABSENT_PROTECTED) not in shown
    absent = re.search(rf'name="absent" value="([0-9a-f]{{32}})"[^>]*> <label[^>]*>{name_of(3)}<', shown)
    assert absent is not None
    assert send(node, path, Role.PRINCIPAL, answer="SWEPT", absent=[absent[1]])[0] == 303
    assert name_of(3) in page(node)
    node.app.desk.sources.noticing.look()  # nothing that attendance does not show takes it away
    assert "Kom inte tillbaka efter lovet." in page(node, path=task_of(node, 3))


def test_the_page_of_imports_names_rows_and_how_to_mend_them_and_no_pupil(node: Node, tmp_path: Path) -> None:
    sources = node.app.desk.sources
    sources.attendance_file(attendance(tmp_path), "main")
    shown = page(node, Role.ADMINISTRATOR, path="/sv/inlasning")
    assert "är inte en dag till och med i dag: raden är inte inläst" in shown
    assert "är varken ja eller nej" in shown
    assert "Rätta raden i källan" in shown
    assert "Ingen lista har lästs in" in shown
    assert "kanske" not in shown  # a value
    assert not any(name_of(place) in shown for place in range(42))
    assert "is not a day up to today" in page(node, Role.ADMINISTRATOR, path="/en/imports")
    assert client(node.app.desk, actor(Role.PRINCIPAL)).get("/sv/inlasning").status_code == 403
    broken = tmp_path / "broken.csv"
    broken.write_text("no;columns\n1;2\n", encoding="utf-8")
    with pytest.raises(UppropError):
        sources.attendance_file(broken, "main")
    assert "Nekad" in page(node, Role.ADMINISTRATOR, path="/sv/inlasning")
    sources.attendance_file(attendance(tmp_path), "main")
    assert "Nekad" not in page(node, Role.ADMINISTRATOR, path="/sv/inlasning")


def test_what_the_store_holds_of_tasks_names_nobody(node: Node, tmp_path: Path) -> None:
    node.app.desk.sources.attendance_file(attendance(tmp_path), "main")
    rows = [f"{number(place)};Barn;Nr{place};2020-01-01;;nej" for place in (200, 201)]
    node.app.desk.sources.residents_file(residents(tmp_path, *rows), NOW, accept_shrink=False)
    held = b"".join(each.read_bytes() for each in node.settings.data_dir.glob("node.sqlite*"))
    for told in ("Nr200", number(200), number(ABSENT), "Efternamn5"):
        assert told.encode() not in held


def test_what_another_member_asks_is_answered_on_the_same_page(node: Node) -> None:
    pupils = node.app.database.view("test_roster", Pupils(open_sealer(node.settings)).on_roster)
    found = node.app.database.view("test_load", lambda tx: Pupils(open_sealer(node.settings)).load_all(tx, pupils))
    asked = {pupil.identity.family_name: pupil for pupil in found.values()}
    notices = [
        Notice(1, NoticeKind.CONFIRM, NOW, Handle(asked["Efternamn3"].handle), None),
        Notice(2, NoticeKind.CONFIRM, NOW, Handle(asked["Efternamn7"].handle), None),
    ]
    node.app.database.run("test_keep", lambda tx: Notices().keep(tx, notices, 2, NOW))
    shown = page(node, Role.PRINCIPAL)
    assert "Har eleven setts i skolan? En annan huvudman" in shown
    assert name_of(ABSENT_PROTECTED) not in shown
    assert name_of(ABSENT_PROTECTED) in page(node, Role.PROTECTED)
    fields = {"pupil": asked["Efternamn3"].pupil_id.hex(), "asks": "CONFIRM"}
    assert send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, answer="", on="")[0] == 422
    assert send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, answer="SEEN", on="2027-01-01")[0] == 422
    assert send(node, "/sv/uppgifter", Role.PRINCIPAL, **fields, answer="SEEN", on=str(NOW))[0] == 303
    assert name_of(3) not in page(node, Role.PRINCIPAL)
    # Nobody answers about a pupil whom they may not see, nor what nobody asks.
    hidden = {"pupil": asked["Efternamn7"].pupil_id.hex(), "asks": "CONFIRM", "answer": "GONE", "on": str(NOW)}
    send(node, "/sv/uppgifter", Role.PRINCIPAL, **hidden)
    assert name_of(ABSENT_PROTECTED) in page(node, Role.PROTECTED)
    node.sync()
    assert node.cases() == ()
