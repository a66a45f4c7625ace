"""The process behind `tests.harness.school_system`, which says what it does; commands come as JSON lines.

Run as `python -m tests.harness.school_system_server DIRECTORY [--tls]`; prints its port, and ends with its input.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import email.utils
import gzip
import json
import os
import secrets
import signal
import ssl
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BASE = "/ss12000/v2"
CLIENT_ID = "upprop-node"
DEFAULT_LIMIT = 100

Json = dict[str, Any]


class _State:
    """What the school system knows, and how it behaves."""

    def __init__(self, directory: Path) -> None:
        self.lock = threading.RLock()
        self.token = (directory / "token").read_text(encoding="utf-8").strip()
        self.secret = (directory / "client-secret").read_text(encoding="utf-8").strip()
        self.reset()

    def reset(self) -> None:
        self.issued: dict[str, int] = {}
        self.as_is: list[Any] | None = None
        self.ahead = timedelta()
        self.persons: dict[str, Json] = {}
        self.organisations: dict[str, Json] = {}
        self.deleted: dict[str, datetime] = {}
        self.attendance: dict[str, list[Any]] = {}
        self.pages: dict[str, Json] = {}
        self.configuration: Json = {}
        self.faults: list[Json] = []
        self.counts: Counter[str] = Counter()
        self.requests: list[Json] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def serve(self, persons: list[Json], organisations: list[Json]) -> None:
        shown = self.now()
        now = shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        known = {person["id"]: person for person in persons}
        for gone in self.persons.keys() - known.keys():
            if not self.configuration.get("forget_deleted"):
                self.deleted[gone] = shown
        for person_id, person in known.items():
            before = self.persons.get(person_id)
            same = before is not None and {**before, "meta": None} == {**person, "meta": None}
            if "meta" not in person:
                person["meta"] = before["meta"] if same and before is not None else {"created": now, "modified": now}
        self.persons = known
        self.as_is = None
        self.organisations = {one["id"]: {"meta": {"created": now, "modified": now}, **one} for one in organisations}

    def command(self, told: Json) -> Json:
        with self.lock:
            match told.pop("command"):
                case "serve":
                    state = json.loads(Path(told["path"]).read_text(encoding="utf-8"))
                    self.serve(state["persons"], state["organisations"])
                case "serve as is":
                    self.as_is = json.loads(Path(told["path"]).read_text(encoding="utf-8"))
                case "attendance":
                    self.attendance[told["on"]] = json.loads(Path(told["path"]).read_text(encoding="utf-8"))
                case "reset":
                    self.reset()
                case "clock":
                    self.ahead = datetime.fromisoformat(told["now"]) - datetime.now(UTC)
                case "configure":
                    self.configuration.update(told)
                case "misbehave":
                    told["at"] += self.counts[told["on"]]
                    self.faults.append(told)
                case "behave":
                    self.faults.clear()
                case "token":
                    self.token = told["token"]
                case "requests":
                    return {"requests": self.requests}
                case "forget requests":
                    self.requests = []
        return {}

    def fault(self, on: str) -> Json | None:
        """Counts a request for `on`; what is to go wrong with it."""
        self.counts[on] += 1
        count = self.counts[on]
        for fault in self.faults:
            if fault["on"] == on and fault["at"] <= count < fault["at"] + fault["times"]:
                return fault
        return None

    def allowed(self, token: str) -> bool:
        if token == self.token:
            return True
        left = self.issued.get(token, 0)
        self.issued[token] = left - 1
        return left > 0

    def listed(self, on: str, query: Mapping[str, str]) -> list[Any]:
        """All that a query finds, in a fixed order."""
        filters = self.configuration.get("filters", True)
        if on == "organisations":
            return [self.organisations[key] for key in sorted(self.organisations)]
        if on == "deletedEntities":
            after = datetime.fromisoformat(query["after"]) if "after" in query else datetime.min.replace(tzinfo=UTC)
            return sorted(key for key, at in self.deleted.items() if at > after)
        if on in self.attendance:
            return [
                each
                for each in self.attendance[on]
                if "startDate" not in query or query["startDate"] <= each.get("startDate", "") <= query["endDate"]
            ]
        if self.as_is is not None:
            return self.as_is
        found = [self.persons[key] for key in sorted(self.persons)]
        if filters == "ignored" or (filters == "first page" and "of page" in query):
            return found
        if filters == "misread" and "relationship.entity.type" in query:
            return []
        if query.get("relationship.entity.type") == "enrolment":
            found = [person for person in found if person.get("enrolments")]
        if "meta.modified.after" in query:
            after = datetime.fromisoformat(query["meta.modified.after"])
            found = [person for person in found if datetime.fromisoformat(person["meta"]["modified"]) > after]
        return found

    def page(self, on: str, query: dict[str, str], fault: Json | None) -> tuple[int, Json]:
        """Status and document of one page."""
        kind = None if fault is None else fault["kind"]
        if "pageToken" in query:
            if len(query) > 1:
                return 400, _error("pageToken cannot be combined with other parameters")
            where = self.pages.get(query["pageToken"])
            if where is None or where["on"] != on:
                return self.configuration.get("forgotten", 400), _error("unknown pageToken")
        else:
            if self.configuration.get("filters", True) is False and query.keys() - {"limit", "after"}:
                return 400, _error("unknown parameter")
            limit = int(query.get("limit", DEFAULT_LIMIT))
            most = int(self.configuration.get("max_limit", limit))
            if "limit" in query and limit > most and self.configuration.get("strict_limit"):
                return 400, _error("limit is too large")
            where = {"on": on, "query": query, "limit": min(limit, most), "offset": 0, "empty": 0}
        asked = {**where["query"], "of page": ""} if where["offset"] else where["query"]
        found = self.listed(on, asked)
        offset = where["offset"]
        if kind == "repeat":
            offset -= 1
        if kind == "twins":
            offset = max(0, offset - where["limit"])
        if where["empty"] < self.configuration.get("empty_pages", 0):
            items: list[Any] = []
            further = {**where, "empty": where["empty"] + 1}
        else:
            items = found[offset : where["offset"] + where["limit"]]
            further = {**where, "empty": 0, "offset": where["offset"] + where["limit"]}
        if kind == "twins":
            items = found[offset : offset + where["limit"]]
            further = where
        more = kind == "twins" or further["offset"] < len(found) or further["empty"] > 0
        token = secrets.token_urlsafe(16) if more else None
        if token is not None and items and self.configuration.get("telling_tokens"):
            token += items[-1]["id"]
        if token is not None:
            self.pages[token] = further
        if kind == "same":
            token = query.get("pageToken") or token
        return 200, self._document(on, items, token)

    def _document(self, on: str, items: list[Any], token: str | None) -> Json:
        data: Any = items
        if on == "deletedEntities":
            match self.configuration.get("deleted"):
                case "flat":
                    data = [{"entityType": "Person", "id": item} for item in items]
                case "ids":
                    data = items
                case _:
                    data = {"persons": items, "organisations": []}
        if not items and self.configuration.get("null_data"):
            data = None
        document: Json = {"data": data}
        if token is not None or not self.configuration.get("absent_token"):
            document["pageToken"] = token
        return document


def _error(message: str) -> Json:
    return {"code": "error", "message": message}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return email.utils.format_datetime(self.state.now(), usegmt=True)

    def version_string(self) -> str:
        return "school-system"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in urllib.parse.parse_qs(body).items()}
        with self.state.lock:
            fault = self.state.fault("token")
            if fault is not None and fault["kind"] == "status":
                self._note("token", {}, fault["status"])
                self._send(fault["status"], _error("as told"), fault.get("headers", {}))
                return
            status, document = self._token(form)
            self._note("token", {}, status)
        self._send(status, document)

    def _token(self, form: Mapping[str, str]) -> tuple[int, Json]:
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        given = (form.get("client_id"), form.get("client_secret"))
        if scheme == "Basic" and self.state.configuration.get("basic", True):
            user, _, secret = base64.b64decode(credentials).decode().partition(":")
            given = (urllib.parse.unquote_plus(user), urllib.parse.unquote_plus(secret))
        if form.get("grant_type") != "client_credentials" or given != (CLIENT_ID, self.state.secret):
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(16)
        self.state.issued[token] = int(self.state.configuration.get("token_uses", 1_000_000))
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 60, "scope": form.get("scope", "")}

    def do_GET(self) -> None:
        path, _, query_text = self.path.partition("?")
        on = path.removeprefix(f"{BASE}/")
        query = urllib.parse.parse_qs(query_text, keep_blank_values=True)
        state = self.state
        with state.lock:
            if (
                on not in ("persons", "organisations", "deletedEntities", *state.attendance)
                or state.configuration.get({"deletedEntities": "deleted"}.get(on, on), True) is False
            ):
                self._note(on, query, 404)
                self._send(404, _error("not found"))
                return
            if on in state.configuration.get("forbidden", ()):
                self._note(on, query, 403)
                self._send(403, _error("not for you"))
                return
            fault = state.fault(on)
            kind = None if fault is None else fault["kind"]
            if kind == "forget":
                state.pages.clear()
            if kind == "changed" and fault is not None:
                state.serve(
                    [*({**state.persons, fault["person"]["id"]: fault["person"]}).values()],
                    list(state.organisations.values()),
                )
            if not state.allowed(self.headers.get("Authorization", "").removeprefix("Bearer ")):
                self._note(on, query, 401)
                self._send(401, _error("token"), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
                return
            status, document = state.page(on, {name: values[0] for name, values in query.items()}, fault)
            if fault is not None and kind in ("status", "redirect"):
                status = fault.get("status", 302)
            self._note(on, query, status)
        if fault is None:
            self._send(status, document)
        else:
            self._misbehave(fault, status, document)

    def _misbehave(self, fault: Json, status: int, document: Json) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        match fault["kind"]:
            case "status":
                self._send(status, _error("as told"), fault.get("headers", {}))
            case "redirect":
                self._send(status, _error("moved"), {"Location": fault["location"]})
            case "html":
                self._write(200, b"<!DOCTYPE html><html><body>Maintenance</body></html>", {"Content-Type": "text/html"})
            case "error":
                self._send(200, _error("something went wrong"))
            case "slow":
                time.sleep(fault["seconds"])
                self._send(status, document)
            case "cut":
                self._write(status, body[: len(body) // 2], {"Content-Length": str(len(body))})
                self.close_connection = True
            case "short":
                self._write(status, body[: len(body) // 2], {})
            case "huge":
                bomb = gzip.compress(b'{"data": [' + b" " * fault["bytes"] + b"]}")
                self._write(status, bomb, {"Content-Encoding": "gzip"})
            case "kill":
                os.kill(int(Path(fault["pid_file"]).read_text(encoding="utf-8")), signal.SIGKILL)
                self.close_connection = True
            case _:
                self._send(status, document)

    def _note(self, on: str, query: Mapping[str, list[str]], status: int) -> None:
        self.state.requests.append({"on": on, "query": dict(query), "status": status})

    def _send(self, status: int, document: Json, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(document, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self._write(status, body, headers)

    def _write(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--tls", action="store_true")
    given = arguments.parse_args()
    state = _State(given.directory)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    if given.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.directory / "server.pem")
        # The handshake is the connection's thread's, not the listener's.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)  # noqa: T201 - the test reads it
    # Ends with the test: its end of the pipe is closed then.
    for line in sys.stdin:
        print(json.dumps(state.command(json.loads(line))), flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
