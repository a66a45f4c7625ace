"""A node's database that is stolen without the node's keys: every kind of casework lies in it, and tells nothing."""

from __future__ import annotations

import base64
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.errors import UppropError
from node.casework.actor import Actor, Role
from node.casework.files.by_hand import Told
from node.casework.files.filing import Handed
from node.casework.files.model import Absence, CaseFile, Classification
from node.casework.holds.model import Asked, HoldId
from node.casework.journal.keeping import Upload
from node.casework.statuses.model import Wishes
from node.model import Reason
from node.settings import open_sealer
from node.store import (
    Transaction,
    schema_contact,
    schema_files,
    schema_holds,
    schema_journal,
    schema_mailing,
    schema_routines,
    schema_sessions,
    schema_sources,
    schema_statuses,
)
from node.store.sessions import Lifetime, SessionStore, StoredSession
from tests.integration.contact_parties import DUE, connected, file_of, linked, write
from tests.integration.mail_parties import let_write
from tests.integration.node_parties import Federation, Node
from tests.integration.played import Played
from tests.unit.node.exports import number, person

SECRET = "Hemlig"
WHO = Actor("secret|hemlig-handläggare", "Hemlig Handläggare", frozenset({Role.CASEWORKER, Role.PROTECTED}))
RESIDENT, AWAY, ASKED, WORRIED = 77, 7, 8, 9
SCHEMAS: tuple[types.ModuleType, ...] = (
    schema_contact,
    schema_files,
    schema_holds,
    schema_journal,
    schema_mailing,
    schema_routines,
    schema_sessions,
    schema_sources,
    schema_statuses,
)


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with Played(tmp_path, linked).anew() as parties:
        yield parties


def fill(federation: Federation, directory: Path) -> Node:
    """A node in which something of every kind is kept."""
    lead, _ = connected(federation)
    let_write(lead)
    desk, today = lead.app.desk, DUE
    file = file_of(lead)

    def now() -> CaseFile:
        return desk.database.view("t", lambda tx: desk.case_files.see(tx, file.file_id, WHO))

    desk.keeping.note(file.file_id, "Hemlig anteckning.", WHO)
    desk.keeping.attach(file.file_id, Upload("hemlig.txt", b"Hemligt i bilagan"), "Hemlig bilaga.", WHO)
    desk.case_files.hand(file.file_id, now().revision, Handed.TAKEN, WHO)
    desk.case_files.classify(file.file_id, now().revision, Classification.ADMIN_LAG, WHO, why="Hemlig grund.")
    desk.case_files.decide_absence(file.file_id, now().revision, Absence.MISSING, WHO, why="Hemlig orsak.")
    desk.leading.wish(file.file_id, Wishes(offers=True), WHO)
    desk.database.run("t", lambda tx: desk.journal.viewed(tx, file.file_id, WHO, "case", lead.clock.now()))
    write(lead, "Hemligt meddelande.")
    desk.by_hand.tell(person(WORRIED)["id"], Told.WORRY, "Hemlig oro.", WHO)
    withdrawal = Asked(HoldId(b"h" * 16), today, Reason.MOVED, "Hemlig Rektor", note="Hemlig resa.")
    desk.holding.ask(person(ASKED)["id"], withdrawal, WHO)
    desk.mailing.set_duty(Role.CASEWORKER, 1, today, None, name="Hemlig Jour", address="hemlig@kommun.example")
    residents = directory / "residents.csv"
    row = f"{number(RESIDENT)};Hemlig;Boende;2026-08-03;Hemlig friskola;nej"
    residents.write_text(f"personnummer;förnamn;efternamn;bosatt_från;känd_skola;skyddad\n{row}\n", encoding="utf-8")
    desk.sources.residents_file(residents, today, accept_shrink=False)
    days = [today - timedelta(days=back) for back in range(12)]
    rows = [
        f"{person(place)['id']};{day};{'nej' if place == AWAY else 'ja'};nej;nej"
        for place in range(6, 30)
        for day in days
    ]
    rows.append("Hemlig;någon dag;kanske;;")
    attendance = directory / "attendance.csv"
    attendance.write_text("person_id;datum;närvaro;ledighet;giltig\n" + "\n".join(rows), encoding="utf-8")
    desk.sources.attendance_file(attendance, "main")
    sessions = SessionStore(open_sealer(lead.settings), Lifetime(timedelta(minutes=30), timedelta(hours=10)))
    instant = lead.clock.now()
    session = StoredSession(WHO, "Hemlig token", False, instant, instant, "Hemlig id_token")
    desk.database.run("t", lambda tx: sessions.add(tx, "Hemlig kaka", session))
    (directory / "unreadable.csv").write_text("Hemlig\n", encoding="utf-8")
    with pytest.raises(UppropError):
        desk.sources.residents_file(directory / "unreadable.csv", today, accept_shrink=False)
    lead.sync()
    return lead


def disguises(secret: str) -> list[bytes]:
    """The ways in which a text might stand in a file that does not hide it."""
    plain = secret.encode()
    return [
        plain,
        secret.lower().encode(),
        secret.upper().encode(),
        secret.encode("utf-16-le"),
        plain.hex().encode(),
        base64.b64encode(plain)[: len(plain) // 3 * 4],
    ]


def test_a_stolen_database_full_of_casework_names_nobody_and_tells_nothing(
    federation: Federation, tmp_path: Path
) -> None:
    lead = fill(federation, tmp_path)
    tables = [each for module in SCHEMAS for each in vars(module).values() if isinstance(each, sa.Table)]

    def empty(tx: Transaction) -> list[str]:
        return [table.name for table in tables if tx.execute(sa.select(table).limit(1)).first() is None]

    # A table that this test does not fill it says nothing of.
    assert lead.app.database.view("test_empty", empty) == []
    lead.app.database.close()
    stolen = b"".join(path.read_bytes() for path in lead.settings.data_dir.glob("node.sqlite*"))
    persons = [person(place) for place in (0, AWAY, ASKED, WORRIED)]
    secrets = [
        SECRET,
        "kommun.example",
        number(RESIDENT),
        *(each["civicNo"]["value"] for each in persons),
    ]
    secrets += [each[name] for each in persons for name in ("familyName", "id")]
    assert [secret for secret in secrets for form in disguises(secret) if form in stolen] == []
    # What is no secret is found: the search would find the others.
    assert b"ADMIN_LAG" in stolen
