"""A withdrawal that waits: asked for, watched, let go by an arrival elsewhere or by a person, taken back."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from federation.errors import UppropError
from federation.files import write_secret
from federation.observability import Log
from federation.rules.vocabulary import GapState, Urgency
from node.casework.actor import Role
from node.casework.holds.model import Asked, Hold, HoldError, HoldId, HoldState, ReleasedBy
from node.casework.holds.settings import WebhookSettings
from node.casework.holds.webhook import MAX_ATTEMPTS, SIGNATURE, Webhooks
from node.model import Reason
from node.settings import open_sealer
from node.store.case_keys import DIRECTORY, CaseKeys
from node.store.pupils import Pupils
from node.subject.exporting import Exporting
from tests.harness.console import TOKEN, actor, client
from tests.integration.mail_parties import let_write, written
from tests.integration.node_parties import Federation, Node, running
from tests.unit.node.exports import OTHER_UNIT, UNIT, enrolment, number, person

MEMBER, OTHER = "0180", "1280"
BASELINE, ASKED_ON = date(2026, 8, 24), date(2026, 9, 7)
LAST_DAY = date(2026, 9, 11)
DECIDER = actor(Role.PRINCIPAL, name="Rut Rektor")


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    with running(tmp_path / "federation", [MEMBER, OTHER], BASELINE) as parties:
        parties.day(BASELINE, rolls())
        yield parties


def rolls(*arrived: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    here, there = [person(place) for place in range(30)], [person(place) for place in range(100, 130)]
    return {MEMBER: here, OTHER: [*there, *arrived]}


def asked(**changes: Any) -> Asked:
    wanted = Asked(HoldId(secrets.token_bytes(16)), LAST_DAY, Reason.MOVED, "Rut Rektor", "main")
    return replace(wanted, **changes)


def state(node: Node, hold: Hold) -> Hold:
    found = node.app.desk.holding.of_system(hold.asked.hold_id, hold.asked.system)
    assert found is not None
    return found


def ask(federation: Federation) -> tuple[Node, Hold]:
    node = federation.nodes[MEMBER]
    federation.set_today(ASKED_ON)
    return node, node.app.desk.holding.ask(person(0)["id"], asked())


def test_a_hold_is_let_go_by_an_arrival_elsewhere_and_by_no_close_before_it_is_seen_twice(
    federation: Federation,
) -> None:
    node, hold = ask(federation)
    arrived = person(0, enrolment("2026-09-08"))
    federation.day(ASKED_ON, rolls())
    assert state(node, hold).state is HoldState.HELD
    # The other member has the pupil: told in the next delivery, long before the gap would be due.
    federation.day(date(2026, 9, 9), rolls(arrived))
    after = state(node, hold)
    assert (after.state, after.released_by, after.state_since) == (
        HoldState.RELEASED,
        ReleasedBy.ANSWER,
        date(2026, 9, 9),
    )
    assert node.gaps() == ()


def test_who_is_elsewhere_already_is_not_told_in_the_delivery_of_the_day_it_was_asked(federation: Federation) -> None:
    arrived = person(0, enrolment("2026-09-01"))
    federation.day(date(2026, 9, 4), rolls(arrived))
    node, hold = ask(federation)
    federation.day(ASKED_ON, rolls(arrived))
    assert state(node, hold).state is HoldState.HELD
    # Asking again and looking again brings nothing sooner.
    node.app.desk.holding.ask(person(0)["id"], hold.asked)
    for _ in range(3):
        node.sync()
    assert state(node, hold).state is HoldState.HELD
    federation.day(ASKED_ON + timedelta(days=1), rolls(arrived))
    assert state(node, hold).released_by is ReleasedBy.ANSWER


def test_a_hold_that_nobody_answers_is_watched_and_comes_due_like_a_gap(federation: Federation) -> None:
    let_write(federation.nodes[MEMBER])
    node, hold = ask(federation)
    for day in (ASKED_ON, date(2026, 9, 14), date(2026, 9, 24)):
        federation.day(day, rolls())
    assert written(node, "HOLD") == []
    for day in (date(2026, 9, 25), date(2026, 9, 28)):
        federation.day(day, rolls())
    assert state(node, hold).state is HoldState.HELD
    assert written(node, "HOLD") == ["caseworker"]
    [case] = node.cases()
    assert (case.kind, case.state, case.effective_date) == ("HELD", GapState.OPEN, LAST_DAY + timedelta(days=1))
    # Its case file says what waits, and where to decide.
    desk = node.app.desk
    [line] = desk.database.view("t", lambda tx: desk.showing.board(tx, actor()))
    assert line.line.file is not None
    page = client(desk, actor()).get(f"/sv/arenden/{line.line.file.file_id.hex()}").text
    assert f'href="/sv/sparrar/{hold.asked.hold_id.hex()}"' in page


def test_a_documented_end_of_duty_lets_a_hold_go(federation: Federation) -> None:
    node, hold = ask(federation)
    federation.day(ASKED_ON, rolls())
    federation.set_today(date(2026, 9, 15))
    node.app.sayings.say(
        number(0), "duty-ended", on=date(2026, 9, 14), review=date(2027, 1, 15), said_by="Bo Beslutande"
    )
    federation.day(date(2026, 9, 15), rolls())
    assert state(node, hold).released_by is ReleasedBy.DUTY_ENDED


def test_a_decision_that_ends_the_duty_is_noted_on_the_page_and_holds_until_it_is_to_be_looked_at_again(
    federation: Federation,
) -> None:
    node, hold = ask(federation)
    federation.day(date(2026, 9, 14), rolls())
    address, review = f"/sv/sparrar/{hold.asked.hold_id.hex()}", date(2026, 11, 2)
    page = client(node.app.desk, DECIDER)
    noted = {"csrf_token": TOKEN, "do": "duty", "begins": "2026-09-12", "why": "Rektors beslut, dnr 17."}
    noted["review"] = review.isoformat()
    for wrong, said in (
        ({"begins": "2026-09-15"}, "börjar gälla"),
        ({"begins": "2026-06-01"}, "länge sedan"),
        ({"review": "2026-09-14"}, "inom ett år"),
        ({"review": ""}, "ÅÅÅÅ-MM-DD"),
        ({"why": " "}, "Ange skälet"),
    ):
        shown = page.post(address, data={**noted, **wrong})
        assert (shown.status_code, said in html.unescape(shown.text)) == (400, True)
    auditor = client(node.app.desk, actor(Role.AUDITOR))
    assert "<form method=" not in auditor.get(address).text.partition("<main")[2]
    assert auditor.post(address, data=noted).status_code == 403
    for _ in range(2):
        assert page.post(address, data=noted).status_code == 303
    after = state(node, hold)
    assert (after.released_by, after.decided_by) == (ReleasedBy.DUTY_ENDED, "Rut Rektor")
    for day in (date(2026, 9, 15), date(2026, 10, 19), review):
        federation.day(day, rolls())
    assert node.gaps() == ()
    # Nobody looked at it again.
    for day in (review + timedelta(days=1), review + timedelta(days=2)):
        federation.day(day, rolls())
    assert [case.state for case in node.cases()] == [GapState.OPEN]


def test_one_of_unknown_whereabouts_who_stays_after_all_is_not_taken_for_one_the_next_time(
    federation: Federation,
) -> None:
    federation.set_today(ASKED_ON)
    node = federation.nodes[MEMBER]
    hold = node.app.desk.holding.ask(person(0)["id"], asked(reason=Reason.UNKNOWN_WHEREABOUTS, last_day=ASKED_ON))
    federation.day(ASKED_ON + timedelta(days=1), rolls())
    desk = node.app.desk
    assert [case.opened_by for case in node.cases()] == ["immediate"]
    node.app.desk.holding.cancel(hold.asked.hold_id, DECIDER, "Eleven är i skolan.")
    federation.day(date(2026, 9, 14), rolls())
    left = rolls()
    left[MEMBER][0] = person(0, enrolment(end="2026-10-02"))
    federation.day(date(2026, 10, 5), left)
    [watched] = [
        each.line
        for each in desk.database.view("t", lambda tx: desk.showing.board(tx, actor()))
        if each.line.gap and each.line.gap.state is GapState.WATCH
    ]
    assert watched.gap is not None
    assert watched.gap.opening.urgency is Urgency.NORMAL


def test_a_child_in_a_preschool_alone_has_nothing_to_be_withdrawn_from(federation: Federation) -> None:
    small = rolls()
    small[MEMBER][7] = person(7, enrolment(schoolType="FS", schoolYear=None))
    federation.day(date(2026, 9, 4), small)
    with pytest.raises(HoldError, match="not-enrolled"):
        federation.nodes[MEMBER].app.desk.holding.ask(person(7)["id"], asked())


def test_a_named_person_can_always_decide_and_the_pupil_is_looked_for_all_the_same(federation: Federation) -> None:
    node, hold = ask(federation)
    holding = node.app.desk.holding
    with pytest.raises(HoldError, match="reason"):
        holding.override(hold.asked.hold_id, DECIDER, " ")
    with pytest.raises(HoldError, match="role"):
        holding.override(hold.asked.hold_id, actor(Role.AUDITOR), "För att.")
    holding.override(hold.asked.hold_id, DECIDER, "Familjen har visat flyttanmälan.")
    after = state(node, hold)
    assert (after.released_by, after.decided_by) == (ReleasedBy.OVERRIDE, "Rut Rektor")
    # Its case file is open from now on, with the decision in its journal.
    desk = node.app.desk
    [line] = desk.database.view("t", lambda tx: desk.showing.board(tx, actor()))
    assert line.line.file is not None
    file_id = line.line.file.file_id
    entries = desk.database.view("t", lambda tx: desk.keeping.entries(tx, file_id))
    assert [entry.body for entry in entries if entry.author == "Rut Rektor" and entry.kind == "HOLD"]
    for day in (ASKED_ON, date(2026, 9, 25)):
        federation.day(day, rolls())
    assert [case.state for case in node.cases()] == [GapState.OPEN]


def test_what_is_taken_back_is_looked_for_no_more(federation: Federation) -> None:
    node, hold = ask(federation)
    federation.day(ASKED_ON, rolls())
    node.app.desk.holding.cancel(hold.asked.hold_id, DECIDER, "Flytten blev inte av.")
    for day in (date(2026, 9, 14), date(2026, 9, 25)):
        federation.day(day, rolls())
    assert state(node, hold).state is HoldState.CANCELLED
    assert node.cases() == ()


def test_what_is_taken_back_after_its_case_file_opened_stands_in_the_journal(federation: Federation) -> None:
    node, hold = ask(federation)
    for day in (ASKED_ON, date(2026, 9, 25)):
        federation.day(day, rolls())
    node.app.desk.holding.cancel(hold.asked.hold_id, DECIDER, "Flytten blev inte av.")
    desk = node.app.desk
    [line] = desk.database.view("t", lambda tx: desk.showing.board(tx, actor()))
    assert line.line.file is not None
    file_id = line.line.file.file_id
    entries = desk.database.view("t", lambda tx: desk.keeping.entries(tx, file_id))
    [noted] = [entry for entry in entries if entry.kind == "HOLD"]
    assert noted.body is not None
    assert (noted.author, noted.body["text"]) == ("Rut Rektor", "Flytten blev inte av.")


def test_an_end_of_duty_documented_before_lets_a_hold_go_though_no_gap_is_made(federation: Federation) -> None:
    moved = rolls()
    moved[MEMBER][0] = person(0, personStatus="Utvandrad")
    federation.day(ASKED_ON - timedelta(days=3), moved)
    node, hold = ask(federation)
    federation.day(ASKED_ON, moved)
    assert state(node, hold).released_by is ReleasedBy.DUTY_ENDED
    assert node.gaps() == ()


def released(federation: Federation) -> tuple[Node, Hold]:
    """Let go by an arrival elsewhere; its last day is over, and the school lists the pupil on."""
    node, hold = ask(federation)
    for day in (ASKED_ON, date(2026, 9, 9), date(2026, 9, 14)):
        federation.day(day, rolls(person(0, enrolment("2026-09-08"))))
    assert state(node, hold).released_by is ReleasedBy.ANSWER
    return node, hold


def in_roster(node: Node, hold: Hold) -> bool:
    pupils = Pupils(open_sealer(node.settings))
    return node.app.database.view("t", lambda tx: pupils.load(tx, hold.pupil_id)).in_roster


def test_what_was_let_go_and_is_not_made_after_all_is_taken_back_and_the_pupil_is_here_again(
    federation: Federation,
) -> None:
    node, hold = released(federation)
    page, shown = client(node.app.desk, DECIDER), f"/sv/sparrar/{hold.asked.hold_id.hex()}"
    # Long after: it is listed until it is made or taken back.
    federation.day(date(2026, 11, 16), rolls())
    assert "inte utskriven än" in html.unescape(page.get("/sv/sparrar").text)
    assert not in_roster(node, hold)
    back = {"csrf_token": TOKEN, "do": "cancel", "why": ""}
    assert page.post(shown, data=back).status_code == 400
    for _ in range(2):
        assert page.post(shown, data={**back, "why": "Flytten blev inte av."}).status_code == 303
    after = state(node, hold)
    assert (after.state, after.released_by, after.decision) == (HoldState.CANCELLED, None, "Flytten blev inte av.")
    federation.day(date(2026, 11, 17), rolls())
    assert in_roster(node, hold)
    assert node.cases() == ()


def test_what_was_withdrawn_is_not_taken_back_nor_what_a_newer_request_is_about(federation: Federation) -> None:
    node, hold = released(federation)
    holding, why = node.app.desk.holding, "Flytten blev inte av."
    newer = holding.ask(person(0)["id"], asked(last_day=date(2026, 9, 18)))
    with pytest.raises(HoldError, match="newer"):
        holding.cancel(hold.asked.hold_id, DECIDER, why)
    holding.cancel(newer.asked.hold_id, DECIDER, why)
    made = rolls()
    made[MEMBER][0] = person(0, enrolment(end=LAST_DAY.isoformat()))
    federation.day(date(2026, 9, 15), made)
    with pytest.raises(HoldError, match="made"):
        holding.cancel(hold.asked.hold_id, DECIDER, why)


def test_a_school_that_withdraws_while_it_waits_is_seen_on_the_page(federation: Federation) -> None:
    node, hold = ask(federation)
    made = rolls()
    made[MEMBER][0] = person(0, enrolment(end=ASKED_ON.isoformat()))
    federation.day(date(2026, 9, 8), made)
    assert state(node, hold).state is HoldState.HELD
    assert "redan utskriven" in html.unescape(client(node.app.desk, DECIDER).get("/sv/sparrar").text)


def two_places(*places: int) -> dict[str, list[dict[str, Any]]]:
    found, other = rolls(), {"id": OTHER_UNIT, "displayName": "Björkskolan"}
    for place in places:
        found[MEMBER][place] = person(place, enrolment(), enrolment("2026-08-17", enroledAt=other))
    return found


def test_who_leaves_one_school_and_has_a_place_at_another_here_is_let_go_the_day_after(federation: Federation) -> None:
    """But nobody who leaves them all, or whom nobody has seen."""
    stays, leaves_all, missing, decided = everybody = range(4)
    federation.day(date(2026, 9, 4), two_places(*everybody))
    federation.set_today(ASKED_ON)
    node = federation.nodes[MEMBER]
    holding = node.app.desk.holding
    with pytest.raises(HoldError, match="not-at-unit"):
        holding.ask(person(9)["id"], asked(unit=OTHER_UNIT))
    hold = holding.ask(person(stays)["id"], asked(unit=UNIT))
    at_once = holding.ask(person(decided)["id"], asked(unit=UNIT))
    holding.override(at_once.asked.hold_id, DECIDER, "Går kvar på Björkskolan.")
    waiting = [
        holding.ask(person(leaves_all)["id"], asked()),
        holding.ask(person(missing)["id"], asked(unit=UNIT, reason=Reason.UNKNOWN_WHEREABOUTS)),
    ]
    for _ in range(2):
        federation.day(ASKED_ON, two_places(*everybody))
        assert state(node, hold).state is HoldState.HELD
    federation.day(ASKED_ON + timedelta(days=1), two_places(*everybody))
    assert state(node, hold).released_by is ReleasedBy.PLACED_HERE
    # The one place ends; the pupil is here all the time, and no gap comes of it.
    made = two_places(*everybody)
    for place in (stays, decided):
        made[MEMBER][place]["enrolments"][0]["endDate"] = LAST_DAY.isoformat()
    for day in (date(2026, 9, 14), date(2026, 9, 28)):
        federation.day(day, made)
        assert in_roster(node, hold)
        assert in_roster(node, at_once)
    assert {state(node, each).state for each in waiting} == {HoldState.HELD}
    assert {case.person_id for case in node.cases()} == {person(place)["id"] for place in (leaves_all, missing)}


def test_a_withdrawal_that_was_let_go_and_made_is_one_gap_and_stays_answered(federation: Federation) -> None:
    node, hold = ask(federation)
    arrived = person(0, enrolment("2026-09-08"))
    for day in (ASKED_ON, date(2026, 9, 9)):
        federation.day(day, rolls(arrived))
    made = rolls(arrived)
    made[MEMBER][0] = person(0, enrolment(end=LAST_DAY.isoformat()))
    for day in (date(2026, 9, 14), date(2026, 9, 28)):
        federation.day(day, made)
    assert node.gaps() == ()
    assert state(node, hold).state is HoldState.RELEASED


def test_the_form_asks_lists_and_decides_and_says_what_is_wrong(federation: Federation) -> None:
    node = federation.nodes[MEMBER]
    federation.set_today(ASKED_ON)
    page = client(node.app.desk, DECIDER)
    fields = {"csrf_token": TOKEN, "form": "ab" * 16, "reason": "moved", "responsible": "Rut", "last_day": "2026-09-11"}
    shown = page.post("/sv/sparrar", data={**fields, "person": "19000101"}).text
    assert "Ingen elev med det numret" in html.unescape(shown)
    assert page.post("/sv/sparrar", data={**fields, "last_day": "i morgon", "person": number(0)}).status_code == 400
    for _ in range(2):
        assert page.post("/sv/sparrar", data={**fields, "person": number(0)}).status_code == 303
    # Gone back to, changed and sent again: nothing typed is lost, and it goes out under an id of its own.
    changed = page.post("/sv/sparrar", data={**fields, "person": number(0), "note": "Flyttar <b>nu</b>."})
    assert "redan skickat" in html.unescape(changed.text)
    assert "Flyttar &lt;b&gt;nu&lt;/b&gt;." in changed.text
    assert 'value="' + "ab" * 16 not in changed.text
    long_ago = page.post("/sv/sparrar", data={**fields, "person": number(1), "last_day": "2016-09-11"})
    assert "mer än ett år tillbaka" in html.unescape(long_ago.text)
    [link] = re.findall(r'href="(/sv/sparrar/[0-9a-f]{32})"', page.get("/sv/sparrar").text)
    assert page.post(link, data={"csrf_token": TOKEN, "do": "override", "why": ""}).status_code == 400
    assert page.post(link, data={"csrf_token": TOKEN, "do": "override", "why": "Visat biljett."}).status_code == 303
    assert "beslut av Rut Rektor" in html.unescape(page.get("/sv/sparrar").text)


def test_a_protected_pupils_hold_is_the_protected_roles_alone(federation: Federation) -> None:
    node, hold = ask(federation)
    marked = rolls()
    marked[MEMBER][0] = person(0, securityMarking="Sekretessmarkering")
    federation.day(ASKED_ON, marked)
    page = f"/sv/sparrar/{hold.asked.hold_id.hex()}"
    for role in (Role.CASEWORKER, Role.PRINCIPAL):
        asking = client(node.app.desk, actor(role))
        assert asking.get(page).status_code == 404
        assert person(0)["familyName"] not in asking.get("/sv/sparrar").text
    assert client(node.app.desk, actor(Role.PROTECTED)).get(page).status_code == 200


def test_the_data_subjects_copy_holds_who_asked_to_withdraw_and_who_decided(federation: Federation) -> None:
    node, hold = ask(federation)
    node.app.desk.holding.override(hold.asked.hold_id, DECIDER, "Visat biljett.")
    sealer = open_sealer(node.settings)
    keys = CaseKeys(node.settings.data_dir / DIRECTORY, sealer)
    exporting = Exporting(node.app.database, sealer, node.app.member, node.clock, Log(node.log), keys)
    [told] = exporting.export(number(0), "Ada", protected=False)["withdrawals_asked_for"]
    assert (told["state"], told["responsible"], told["decided_by"], told["decision"]) == (
        "RELEASED",
        "Rut Rektor",
        "Rut Rektor",
        "Visat biljett.",
    )


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "http://127.0.0.1:80@example.org/", "https://u:p@example.org/x", "file:///etc/passwd", ""],
)
def test_a_webhook_goes_by_tls_and_names_its_host_plainly(url: str) -> None:
    secret = Path("/etc/upprop/secret")
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert({"url": url, "secret_file": secret}, WebhookSettings)
    msgspec.convert({"url": "https://example.org:8443/x?y=1", "secret_file": secret}, WebhookSettings)


class Receiver:
    """A school system's webhook, as a server of its own; `answers` are the statuses it gives, the last one for good."""

    def __init__(self, *answers: int) -> None:
        self.taken: list[tuple[str, bytes]] = []
        waiting = list(answers)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - the library's name; `self` is the receiver
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.taken.append((handler.headers[SIGNATURE], body))
                handler.send_response(waiting.pop(0) if len(waiting) > 1 else waiting[0])
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805 - as above
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/upprop"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_the_school_system_is_told_by_a_signed_call_that_names_nobody_until_it_takes_it(
    federation: Federation, tmp_path: Path
) -> None:
    node, hold = ask(federation)
    node.app.desk.holding.override(hold.asked.hold_id, DECIDER, "Visat biljett.")
    secret = tmp_path / "secret"
    write_secret(secret, b"a shared secret of some length\n")
    receiver = Receiver(503, 200)
    try:
        webhooks = Webhooks(
            node.app.database,
            open_sealer(node.settings),
            {"main": WebhookSettings(receiver.url, secret)},
            node.clock,
            Log(node.log),
        )
        weak = tmp_path / "weak"
        write_secret(weak, b"password")
        with pytest.raises(UppropError, match="fewer than 16 bytes"):
            Webhooks(
                node.app.database,
                open_sealer(node.settings),
                {"main": WebhookSettings(receiver.url, weak)},
                node.clock,
                Log(node.log),
            )
        assert webhooks.run() == 0
        # Not before its time.
        assert webhooks.run() == 0
        node.app.database.run("t", lambda tx: tx.exec_driver_sql("UPDATE holds SET tell_at = asked_on || ' 00:00:00'"))
        assert webhooks.run() == 1
        assert webhooks.run() == 0
    finally:
        receiver.stop()
    signature, body = receiver.taken[-1]
    assert signature == "sha256=" + hmac.new(b"a shared secret of some length", body, hashlib.sha256).hexdigest()
    assert json.loads(body) == {
        "request_id": hold.asked.hold_id.hex(),
        "state": "RELEASED",
        "state_since": ASKED_ON.isoformat(),
    }
    assert len(receiver.taken) == 2
    assert MAX_ATTEMPTS > 2
