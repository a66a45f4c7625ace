"""The people of a demonstration: they work the case files of their municipality in its console, as a browser would.

What they do is invented, and the same on every run. Nothing here knows more of a case file than its pages show.
"""

from __future__ import annotations

import html
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from federation.demo.simulate import Simulation
from federation.errors import Code, UppropError
from federation.web.i18n import Language
from node.casework.actor import Role
from node.console.wording import texts

SECONDS = 30
STAFF = (
    ("Robin Skoglund", (Role.CASEWORKER, Role.PROTECTED)),
    ("Kim Bergdahl", (Role.CASEWORKER,)),
    ("Alex Nyström", (Role.CASEWORKER,)),
)
"""The first one sees to the population register, step 0 of every case file; the others share the case files."""

NOTES = (
    "Ringde vårdnadshavarens nummer två gånger, inget svar. Mentorn har inte hört något sedan sista skoldagen.",
    "Klasskamrater säger att familjen har flyttat till en annan stad. Frågade rektorn på den nya orten.",
    "Brev skickat till folkbokföringsadressen. Syskonets skola är kontaktad.",
    "Vårdnadshavaren ringde upp: eleven börjar i en ny skola. Väntar på att den bekräftar.",
)
STEPS = {
    "kontakter": "onabar",
    "mentor-och-klasskamrater": "inget-nytt",
    "brev": "skickat",
    "syskonens-skolor": "inga-syskon",
    "hembesok": "ingen-oppnade",
    "folkbokforing-igen": "oforandrad",
    "hemkommunen": "har",
    "gemensam-bedomning": "klassificerat",
    "efter-lov": "fortfarande-borta",
}
"""In the order of the routine: two of them a week."""
PROTECTED_STEPS = {
    "bekrafta-skydd": "skyddad",
    "rektor": "okand",
    "formedling": "skickat",
    "ansvarig-socialtjanst": "okant",
    "gemensam-bedomning": "klassificerat",
    "efter-lov": "fortfarande-okant",
}
"""Of a pupil with a protected identity: one a week."""
PROTECTED_NOTE = "Talade enskilt, på plats. Inget är skrivet någon annanstans än här."
CLASSES = (
    "ADMIN_LAG",
    "PROBLEMATIC_ABSENCE",
    "MISSING_UNREACHABLE",
    "IN_SWEDEN_NOT_ENROLLED",
    "MOVED_ABROAD_UNREGISTERED",
)
ABSENCES = {"PROBLEMATIC_ABSENCE": "PROBLEMATIC", "MISSING_UNREACHABLE": "MISSING"}


@dataclass
class Form:
    """A form of a page: where it is sent, what it holds already, and what may be chosen."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """Links and forms."""

    def __init__(self, address: str, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._address, self._select = address, ""
        self.text = html.unescape(text)
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        name = held.get("name", "")
        if tag == "a":
            self.links.append(held.get("href", ""))
        elif tag == "form":
            self._open = True
            self.forms.append(Form(held.get("action", self._address)))
        elif not self._open:
            return
        elif tag == "input" and held.get("type") in ("radio", "checkbox"):
            self.forms[-1].options.setdefault(name, []).append(held.get("value", ""))
        elif tag in ("input", "textarea"):
            self.forms[-1].values[name] = held.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "option":
            self.forms[-1].options.setdefault(self._select, []).append(held.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


class Worker:
    """One person before one console."""

    def __init__(self, address: str, name: str, roles: tuple[Role, ...]) -> None:
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        self._send("/sv/inloggning", [("name", name), *(("role", role.value) for role in roles)])

    def read(self, path: str) -> Page:
        return Page(path, self._ask(urllib.request.Request(f"{self._address}{path}")))  # noqa: S310 - loopback, ours

    def send(self, form: Form, **chosen: str) -> None:
        """Send a form with what it holds, and what was chosen."""
        self._send(form.action, [*({**form.values, **chosen}).items()])

    def _send(self, path: str, values: list[tuple[str, str]]) -> None:
        content = urllib.parse.urlencode(values).encode()
        headers = {"Sec-Fetch-Site": "same-origin"}
        self._ask(urllib.request.Request(f"{self._address}{path}", content, headers))  # noqa: S310 - as above

    def _ask(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                text: str = answer.read().decode()
                return text
        except OSError as error:
            raise UppropError(
                Code.INTERNAL, f"A console of the demonstration did not take what it was sent ({type(error).__name__})."
            ) from error


class Offices:
    """All municipalities' people. `between` is a simulation's hook: they work once what the day brought is known."""

    def __init__(self) -> None:
        self._staff: dict[str, list[Worker]] = {}
        self._seen: dict[tuple[str, str], int] = {}

    def between(self, simulation: Simulation, step: str) -> None:
        if step != "heard":
            return
        for member in simulation.trial.nodes:
            if member not in self._staff:
                address = simulation.trial.console(member)
                self._staff[member] = [Worker(address, *each) for each in STAFF]
            self._work(member)

    def staff(self, member: str) -> list[Worker]:
        """Who works there, the one for protected identities first."""
        return self._staff[member]

    def _work(self, member: str) -> None:
        register, *others = self._staff[member]
        seen_by_others = tuple(cases(others[0].read("/sv/")))
        for path in cases(register.read("/sv/")):
            if path not in seen_by_others:
                times = self._seen[member, path] = self._seen.get((member, path), -1) + 1
                _form(register, path, "take")
                for step, outcome in list(PROTECTED_STEPS.items())[times : times + 1]:
                    _step(register, path, step, outcome, PROTECTED_NOTE)
        for place, path in enumerate(seen_by_others):
            times = self._seen[member, path] = self._seen.get((member, path), -1) + 1
            who = others[place % len(others)]
            if _closes(who, path, place):
                continue
            # Some wait: a board on which nothing is late shows nobody what it is for.
            if place % 4 == 3 and times % 3 != 1:
                continue
            if times == 0:
                _step(register, path, "folkbokforing", "inget-hinder", "")
                _form(who, path, "take")
            elif times == 1:
                _step(who, path, "orsak", "ingen-oro", NOTES[place % len(NOTES)])
                _form(who, path, "status", status="ACKNOWLEDGED", why="")
            elif times == 2:
                chosen = CLASSES[place % len(CLASSES)]
                _note(who, path, NOTES[(place + 1) % len(NOTES)])
                _form(who, path, "status", status="SCHOOL_ENQUIRY", why="")
                _form(who, path, "classify", classification=chosen, why=NOTES[place % len(NOTES)])
                if chosen in ABSENCES:
                    _form(who, path, "absence", absence=ABSENCES[chosen], why=NOTES[place % len(NOTES)])
            else:
                for step, outcome in list(STEPS.items())[2 * (times - 3) : 2 * (times - 2)]:
                    asked = register if step == "folkbokforing-igen" else who
                    _step(asked, path, step, outcome, NOTES[(place + times) % len(NOTES)])


def cases(board: Page) -> Iterator[str]:
    yield from dict.fromkeys(link for link in board.links if link.startswith("/sv/arenden/"))


def _closes(who: Worker, path: str, place: int) -> bool:
    """Close a case file whose pupil is accounted for; most, since some wait for somebody to look."""
    if place % 3 == 2 or texts(Language.SWEDISH)("case.asks-close") not in who.read(path).text:
        return False
    _form(who, path, "classify", classification="ADMIN_LAG", why="Den nya skolan har bekräftat.")
    _form(who, path, "status", status="CLOSED", outcome="ENROLLED_ELSEWHERE", why="Eleven går i sin nya skola.")
    return True


def _form(who: Worker, path: str, what: str, **chosen: str) -> None:
    """The form of the case page that does this, where it is there."""
    for form in who.read(path).forms:
        if form.values.get("do") == what and all(_may(form, name, value) for name, value in chosen.items()):
            who.send(form, **chosen)
            return


def _step(who: Worker, path: str, step: str, outcome: str, note: str) -> None:
    for form in who.read(f"{path}/checklista").forms:
        if form.values.get("step") == step and _may(form, "outcome", outcome):
            who.send(form, outcome=outcome, note=note)
            return


def _note(who: Worker, path: str, text: str) -> None:
    for form in who.read(f"{path}/journal").forms:
        if form.values.get("do") == "note":
            who.send(form, text=text)
            return


def _may(form: Form, name: str, value: str) -> bool:
    return value in form.options[name] if name in form.options else name in form.values


def told(addresses: Mapping[str, str]) -> str:
    """What is printed of where the consoles are."""
    width = max(map(len, addresses))
    return "\n".join(f"  {name:<{width}}  {address}/" for name, address in addresses.items())
