"""Every field of every form, and every part of every address, filled with what no browser of ours would send.

Whatever is sent is answered by a page, in the reader's language, and no log line repeats what was typed.
"""

from __future__ import annotations

import html
import io
import re
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

import pytest
from starlette.testclient import TestClient

from federation.demo.office import Form
from federation.demo.office import Page as Read
from federation.observability import Log
from federation.web.i18n import Language
from federation.web.limits import CallLimit
from node.casework.actor import Role
from node.casework.files.by_hand import Told
from node.casework.journal.keeping import Upload
from node.console import app as console
from node.console.pages import PAGES
from tests.harness.console import TOKEN, actor, client
from tests.integration.console.conftest import OPEN, federation, node, played
from tests.integration.console.test_case_pages import files, name_of
from tests.integration.node_parties import Node
from tests.unit.node.exports import number, person

__all__ = ["federation", "node", "played"]

EVERYBODY = actor(*(role for role in Role if role is not Role.PROTECTED))
SECRETS = (number(OPEN), name_of(OPEN).split()[1], "Hemligt ord")
HOSTILE = (
    "x" * 100_001,
    "Hemligt ord \x00 \x1b[31m \u202e\ufffe<script>alert(1)</script> {{ 7 * 7 }} {n:x|y} %s",
    "2026-02-30",
    "9" * 30,
    number(OPEN),
)
NOT_UTF_8 = "%ED%A0%80%FF%00"
TAKEN = frozenset({200, 303, 400, 403, 404, 405, 409, 410, 413, 415, 422})


def addresses(node: Node, asked: TestClient, language: Language) -> list[str]:
    """Of every page, with a case file, a hold, a task and so on that are there where some are."""
    [file] = files(node, Role.CASEWORKER)
    node.app.desk.by_hand.tell(person(9)["id"], Told.WORRY, "Hemligt ord", EVERYBODY)
    file_id = next(each.file_id for each in node.app.database.view("t", node.app.desk.case_files._files.open))
    attached = node.app.desk.keeping.attach(
        file_id, Upload("brev.txt", b"x"), "", actor(Role.CASEWORKER, Role.PROTECTED)
    )
    known = {"file": file, "attachment": attached.hex(), "name": "saknad-elev", "what": "family", "tongue": "en"}
    for menu, part in (("tasks", "task"), ("holds", "hold")):
        [page] = [page for page in PAGES if page.name == menu]
        found = re.findall(r'href="[^"]*/([0-9a-f]{32})"', asked.get(page.path(language)).text)
        known[part] = found[0] if found else "0" * 32
    paths = []
    for page in PAGES:
        wanted = re.findall(r"{([a-z_]+)}", page.pattern(language))
        paths.append(page.path(language, **{each: known.get(each, "2026") for each in wanted}))
    return paths


class Attacker:
    """Asks and sends, and looks at every answer."""

    def __init__(self, node: Node) -> None:
        self.written = io.StringIO()
        self.sent = 0
        self.browser = client(node.app.desk, EVERYBODY, Log(self.written))

    def answered(self, answer: Any, language: Language, where: object) -> None:
        self.sent += 1
        assert answer.status_code in TAKEN, (where, answer.status_code)
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert "<script>alert" not in answer.text, where
            assert answer.status_code < 400 or f'<html lang="{language}"' in answer.text, where

    def fill(self, form: Form, language: Language) -> None:
        """Each field with each value, and the whole form with what is none."""
        chosen = {name: held[-1] for name, held in form.options.items()}
        fields = {**form.values, **chosen, "csrf_token": TOKEN}
        for name in sorted(fields.keys() - {"csrf_token"}):
            rest = {each: value for each, value in fields.items() if each != name}
            for value in HOSTILE:
                answer = self.browser.post(form.action, data={**rest, name: value})
                self.answered(answer, language, (form.action, name, value[:20]))
            headers = {"content-type": "application/x-www-form-urlencoded"}
            answer = self.browser.post(form.action, content=f"{urlencode(rest)}&{name}={NOT_UTF_8}", headers=headers)
            self.answered(answer, language, (form.action, name, "not UTF-8"))
        for content in (b"", b"\x00" * 1_000, b"[]", b"csrf_token=" + TOKEN.encode() + b"&a=b" * 5_000):
            for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
                answer = self.browser.post(form.action, content=content, headers={"content-type": kind})
                self.answered(answer, language, (form.action, kind))

    def look(self, path: str, language: Language) -> None:
        for value in HOSTILE[1:]:
            text = quote(value[:500])
            for address in (f"{path}?to={text}&q={text}&corrects={text}", path + text):
                self.answered(self.browser.get(address), language, (path, value[:20]))
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            self.answered(self.browser.request(method, path), language, (path, method))


def test_no_form_and_no_address_breaks_a_page_or_reaches_the_log(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    # How many pages a person may ask for is not what is attacked here.
    monkeypatch.setattr(console, "PAGES", CallLimit(100_000, 1))
    attacker = Attacker(node)
    # One thread for all requests, not one for each.
    with attacker.browser:
        for language in Language:
            for path in addresses(node, attacker.browser, language):
                attacker.look(path, language)
                # One language will do for the fields: what is typed is read alike.
                for form in Read(path, attacker.browser.get(path).text).forms if language is Language.SWEDISH else ():
                    attacker.fill(form, language)
    assert attacker.sent > 800
    log = unquote_plus(html.unescape(attacker.written.getvalue()))
    assert "console_failed" not in log
    assert [secret for secret in SECRETS if secret in log] == []
