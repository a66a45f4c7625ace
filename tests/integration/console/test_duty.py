"""Who is on duty is told, by a mail server of its own, and the mail says nothing of whom it is about."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller

from federation.clock import ManualClock
from federation.database import Database
from federation.observability import Log
from node.casework.actor import Role
from node.casework.files.filing import CaseFiles
from node.casework.files.model import CaseFile, OpenedFor
from node.casework.mailing.model import on_duty, sound_address
from node.casework.mailing.post import NotSentError, Post
from node.casework.mailing.sending import Mailing
from node.casework.mailing.settings import MailSettings
from node.casework.routines.catalogue import Catalogue
from node.casework.routines.working import Routines
from node.store.case_keys import CaseKeys
from node.store.checklists import Checklists
from node.store.files import Files
from node.store.journal import Journal
from node.store.mailing import Duties
from tests.harness.console import TOKEN, actor, client
from tests.harness.ports import free_ports
from tests.integration.node_alone import CALENDAR
from tests.integration.node_parties import Node
from tests.store.node.stored import SEALER, opened, pupil, pupil_id

TODAY = date(2026, 9, 21)
FIRST, SECOND, HIDDEN = "ada@kommunen.example.se", "bo@kommunen.example.se", "pia@kommunen.example.se"


class Inbox:
    """A mail server that keeps what it is given; `refuses` as often as it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Message]] = []
        self.refuses = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuses:
            self.refuses -= 1
            return f"451 {envelope.rcpt_tos[0]}: try again later"
        [to] = envelope.rcpt_tos
        self.taken.append((to, message_from_bytes(envelope.content)))
        return "250 OK"

    @property
    def whom(self) -> list[str]:
        return [to for to, _ in self.taken]


@dataclass
class Office:
    inbox: Inbox
    database: Database
    clock: ManualClock
    mailing: Mailing
    case_files: CaseFiles
    journal: Journal
    logged: list[Any] = field(default_factory=list)
    later: timedelta = timedelta()

    def open(self, place: int = 1, *, protected: bool = False) -> CaseFile:
        return self.database.run(
            "test_open",
            lambda tx: self.case_files.open_in(
                tx, pupil_id(place), OpenedFor.WORRY, "Efternamn1 kom inte", actor(), protected=protected
            ),
        )

    def look(self, file: CaseFile, role: Role = Role.CASEWORKER) -> None:
        at = self.clock.now()
        self.database.run("test_view", lambda tx: self.journal.viewed(tx, file.file_id, actor(role), "case", at))

    def contact(self, file: CaseFile, key: str = "contact") -> None:
        self.database.run("test_contact", lambda tx: self.mailing.contact(tx, file, key))

    def hold_due(self, file: CaseFile | None = None, *, protected: bool = False) -> None:
        self.database.run("test_hold", lambda tx: self.mailing.hold_due(tx, b"h" * 16, file, protected=protected))

    def protect(self, file: CaseFile) -> None:
        self.database.run("test_protect", lambda tx: self.case_files.protect(tx, file.file_id, actor()))

    def subjects(self, to: str) -> list[str]:
        return [str(make_header(decode_header(message["Subject"]))) for whom, message in self.inbox.taken if whom == to]


class Shifted(ManualClock):
    """A clock of which time passes by words."""

    ahead = timedelta()

    def now(self) -> Any:
        return super().now() + self.ahead


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    inbox = Inbox()
    [port] = free_ports(1)
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    settings = MailSettings(server=f"127.0.0.1:{port}", sender="upprop@kommunen.example.se", security="none")
    clock = Shifted("Europe/Stockholm", TODAY)
    keys = CaseKeys(tmp_path / "case-keys", SEALER)
    files, journal = Files(keys), Journal(keys, SEALER)
    routines = Routines(Catalogue.of(None), Checklists(), journal, lambda: (None, CALENDAR), clock)  # type: ignore[arg-type,return-value]
    with opened(database, pupil(1), pupil(2)) as store:
        mailing = Mailing(
            store,
            files,
            routines,
            Duties(SEALER),
            clock,
            Log(),
            settings=settings,
            post=Post(settings),
            member="Stockholm",
            public_url="https://upprop.kommunen.example.se",
            zone=lambda: ZoneInfo("Europe/Stockholm"),
        )
        case_files = CaseFiles(
            store, files, journal, clock, on_opened=(routines.opened, mailing.opened), on_changed=(mailing.changed,)
        )
        mailing.set_duty(Role.CASEWORKER, 1, TODAY, None, name="Ada", address=FIRST)
        mailing.set_duty(Role.CASEWORKER, 2, TODAY, None, name="Bo", address=SECOND)
        mailing.set_duty(Role.PROTECTED, 1, TODAY, None, name="Pia", address=HIDDEN)
        yield Office(inbox, store, clock, mailing, case_files, journal)
    server.stop()


def pass_time(office: Office, **ahead: int) -> None:
    assert isinstance(office.clock, Shifted)
    office.clock.ahead += timedelta(**ahead)


def test_the_first_is_told_once_and_the_second_if_nobody_looks(office: Office) -> None:
    office.open()
    office.mailing.run()
    told = len(office.inbox.taken)
    assert set(office.inbox.whom) == {FIRST}
    office.mailing.run()
    assert len(office.inbox.taken) == told
    pass_time(office, minutes=121)
    office.mailing.run()
    assert set(office.inbox.whom[told:]) == {SECOND}
    office.mailing.run()
    assert len(office.inbox.taken) == 2 * told


def test_the_second_is_left_alone_where_somebody_looked(office: Office) -> None:
    file = office.open()
    office.mailing.run()
    pass_time(office, minutes=30)
    office.look(file)
    pass_time(office, minutes=600)
    office.mailing.run()
    assert set(office.inbox.whom) == {FIRST}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PRINCIPAL])
def test_the_look_of_one_who_works_no_case_files_is_nobodys(office: Office, role: Role) -> None:
    file = office.open()
    office.mailing.run()
    office.look(file, role)
    pass_time(office, minutes=121)
    office.mailing.run()
    assert SECOND in office.inbox.whom


def test_news_of_another_member_and_a_hold_that_is_due_are_told_once_and_to_the_second_if_nobody_looks(
    office: Office,
) -> None:
    file = office.open()
    office.mailing.run()
    office.look(file)
    before = len(office.inbox.taken)
    for _ in range(2):
        office.contact(file)
        office.hold_due(file)
        office.mailing.run()
    told = [
        f"Nytt i kontakten med en annan huvudman, ärende {file.reference}",
        "En spärrad utskrivning behöver ses över",
    ]
    assert sorted(office.subjects(FIRST)[before:]) == sorted(told)
    assert office.subjects(SECOND) == []
    pass_time(office, minutes=121)
    office.mailing.run()
    assert sorted(office.subjects(SECOND)) == sorted(told)


def test_a_hold_of_no_case_file_leads_to_the_page_of_holds(office: Office) -> None:
    office.hold_due(protected=True)
    office.mailing.run()
    [(whom, message)] = office.inbox.taken
    assert whom == HIDDEN
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "Öppna: https://upprop.kommunen.example.se/sv/sparrar" in payload.decode().splitlines()


def test_what_waited_while_the_case_file_became_protected_goes_to_that_role_alone(office: Office) -> None:
    office.inbox.refuses = 9
    file = office.open()
    office.contact(file)
    office.mailing.run()
    assert office.inbox.taken == []
    office.protect(file)
    office.inbox.refuses = 0
    for minutes in (5, 200):
        pass_time(office, minutes=minutes)
        office.mailing.run()
    assert set(office.inbox.whom) == {HIDDEN}
    assert any("kontakten" in subject for subject in office.subjects(HIDDEN))


def test_a_mail_says_nothing_of_the_pupil_and_names_the_case_file(office: Office) -> None:
    file = office.open()
    office.mailing.run()
    for _, message in office.inbox.taken:
        payload = message.get_payload(decode=True)
        assert isinstance(payload, bytes)
        text = f"{message['Subject']} {payload.decode()}"
        assert file.reference in text
        assert f"/sv/arenden/{file.file_id.hex()}" in text
        assert f"/en/cases/{file.file_id.hex()}" in text
        for secret in ("Efternamn1", "Förnamn", "20120101", "person-1"):
            assert secret not in text


def test_of_a_protected_case_file_its_role_alone_is_told(office: Office) -> None:
    office.open(protected=True)
    office.mailing.run()
    pass_time(office, minutes=500)
    office.mailing.run()
    assert set(office.inbox.whom) == {HIDDEN}


def test_a_clock_that_runs_out_is_told_on_its_day(office: Office) -> None:
    file = office.open()
    office.look(file)
    office.mailing.run()
    before = len(office.inbox.taken)
    office.clock.set_today(TODAY + timedelta(days=4))
    office.mailing.run()
    told = office.inbox.taken[before:]
    assert told
    assert all(file.reference in str(make_header(decode_header(message["Subject"]))) for _, message in told)
    office.mailing.run()
    assert len(office.inbox.taken) == before + len(told)


def test_what_is_refused_goes_out_later_under_the_same_id_and_the_error_names_nobody(office: Office) -> None:
    office.inbox.refuses = 1
    office.open()
    office.mailing.run()
    since = office.mailing.waiting_since()
    assert since is not None
    pass_time(office, minutes=2)
    office.mailing.run()
    assert office.mailing.waiting_since() is None
    ids = [message["Message-ID"] for _, message in office.inbox.taken]
    assert len(ids) == len(set(ids))
    post = Post(MailSettings(server="127.0.0.1:9", sender="a@b.se", security="none"))
    with pytest.raises(NotSentError) as refused:
        post.send(message_from_bytes(b"To: x@y.se\r\n\r\n"))  # type: ignore[arg-type]
    assert "@" not in str(refused.value)


def test_while_nobody_is_on_duty_the_mail_waits_and_that_is_told(office: Office) -> None:
    for duty in office.mailing.duties():
        office.mailing.end_duty(duty.duty_id)
    assert office.mailing.lacking() == (Role.CASEWORKER, Role.PROTECTED)
    office.open()
    office.mailing.run()
    assert office.inbox.taken == []
    office.mailing.set_duty(Role.CASEWORKER, 2, TODAY, None, name="Bo", address=SECOND)
    pass_time(office, minutes=5)
    office.mailing.run()
    assert set(office.inbox.whom) == {SECOND}


def test_the_newest_duty_of_a_day_holds_and_ends_on_its_last_day(office: Office) -> None:
    tomorrow = TODAY + timedelta(days=1)
    office.mailing.set_duty(Role.CASEWORKER, 1, tomorrow, tomorrow, name="Cy", address="cy@kommunen.example.se")
    office.mailing.set_duty(Role.CASEWORKER, 1, tomorrow, tomorrow, name="Cy", address="cy@kommunen.example.se")
    duties = office.mailing.duties()
    assert len(duties) == 4
    names = []
    for days in range(3):
        found = on_duty(duties, Role.CASEWORKER, 1, TODAY + timedelta(days=days))
        assert found is not None
        names.append(found.name)
    assert names == ["Ada", "Cy", "Ada"]


@pytest.mark.parametrize("text", ["", "ada", "ada@", "@b.se", "a@b", "a b@c.se", "a@b.se\nBcc: c@d.se", "a@b@c.se"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert not sound_address(text)


def test_the_administrator_sets_duty_and_sees_no_case_file(node: Node) -> None:
    asked = client(node.app.desk, actor(Role.ADMINISTRATOR))
    form = {"csrf_token": TOKEN, "role": "caseworker", "place": "1", "name": "<b>Ada</b>", "address": FIRST}
    day = node.clock.today().isoformat()
    shown = html.unescape(asked.get("/sv/jour").text)
    assert "Ingen har jour i dag för rollen Handläggare." in shown
    wrong = asked.post("/sv/jour", data={**form, "address": "ada", "from": "2020-01-01"})
    assert wrong.status_code == 400
    assert "Skriv en e-postadress" in html.unescape(wrong.text)
    assert 'value="ada"' in wrong.text
    assert asked.post("/sv/jour", data={**form, "from": day}).status_code == 303
    again = asked.get("/en/duty").text
    assert "<b>Ada" not in again
    assert "&lt;b&gt;Ada&lt;/b&gt;" in again
    [duty] = node.app.desk.mailing.duties()
    assert asked.post("/sv/jour", data={"csrf_token": TOKEN, "end": str(duty.duty_id)}).status_code == 303
    assert node.app.desk.mailing.duties() == ()
    assert client(node.app.desk, actor(Role.CASEWORKER)).get("/sv/jour").status_code == 403
