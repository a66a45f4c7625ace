"""A school system with an SS 12000:2020 API, as a server process of its own, that misbehaves when told to.

    with SchoolSystem(tmp_path) as school:
        school.serve([person, …], organisations=[…])
        # upprop node import --ss12000 {school.url} --token-file {school.token_file}
        school.serve([…])              # the next state: who is new or differs is modified now, who lacks is deleted
        school.misbehave("status", status=429, headers={"Retry-After": "1"}, on="persons", at=2)

`persons` are dicts as in the standard's `Person`; a `meta` is added where they have none. It speaks HTTP on loopback;
with `tls=True` HTTPS under a CA of its own (`school.ca_file`). Its clock is the system's, or begins at `now`
(`school.set_clock`), so that a scenario's weeks can pass in a second. `school.token_file` holds a token that does not
expire; `token_url`, `client_id` and `client_secret_file` give tokens that live for `token_uses` requests.

The standard is kept strictly: a `pageToken` beside any other parameter is refused. What differs from server to server
is set by `configure`:

    max_limit=…          the most it gives on a page, whatever is asked
    strict_limit=True    … and a larger `limit` is refused with 400
    filters=False        `meta.modified.after` and `relationship.entity.type` are refused with 400
    filters="ignored"    … are passed over, "first page" … are forgotten by the pages after the first
    filters="misread"    … `relationship.entity.type` finds nobody
    deleted=False        there is no /deletedEntities; "flat": it lists objects, "ids": UUIDs, not UUIDs by type
    forget_deleted=True  who lacks is not listed there
    forbidden=[…]        lists that are answered with 403
    telling_tokens=True  a `pageToken` holds the id of the last person, in the clear
    organisations=False  there is no /organisations
    absent_token=True    the last page has no `pageToken` at all, in place of null
    null_data=True       an empty page has `data: null`
    empty_pages=n        n empty pages with a token before each further page
    forgotten=410        status for a `pageToken` that is not known (any more)
    basic=False          the token endpoint takes the secret in the form alone

`misbehave(kind, on=…, at=…, times=…, …)` lets requests number `at`, `at`+1, … (`times` of them, counted from now, for
the list `on`: persons, organisations, deletedEntities, token) fare badly:

    status    answered with `status` and `headers`        html      200 with a page of HTML
    error     200 with an error document                  slow      answered after `seconds`
    cut       the connection ends amid the body           short     ends early, with a Content-Length that agrees
    redirect  to `location`                               same      the token of the page is the one it was asked by
    twins     the page before is given again, with a new token, for ever
    forget    all page tokens end before it               kill      SIGKILL to the pid in `pid_file`, no answer
    repeat    the last of the page before comes again
    huge      `bytes` bytes, packed small                 changed   `person` replaces what was said of that person
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from federation.pki import new_tls_key, private_pem
from tests.harness.school_system_server import BASE, CLIENT_ID

Json = dict[str, Any]


class SchoolSystem:
    """The test's side: starts and commands the process."""

    def __init__(
        self, directory: Path, *, tls: bool = False, now: datetime | None = None, **configuration: Any
    ) -> None:
        self.directory = directory / f"school-system-{secrets.token_hex(4)}"
        self.directory.mkdir(parents=True)
        self.token_file = self.directory / "token"
        self.client_secret_file = self.directory / "client-secret"
        self.client_id = CLIENT_ID
        self.ca_file = self.directory / "ca.pem"
        self._tls = tls
        self._now = now
        self._configuration = configuration
        for path in (self.token_file, self.client_secret_file):
            _secret(path, secrets.token_urlsafe(24))
        if tls:
            _make_certificates(self.directory)

    def __enter__(self) -> SchoolSystem:
        command = [sys.executable, "-m", "tests.harness.school_system_server", str(self.directory)]
        self._process = subprocess.Popen(
            [*command, "--tls"] if self._tls else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = threading.Lock()
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.configure(**self._configuration)
        if self._now is not None:
            self.set_clock(self._now)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + BASE

    @property
    def token_url(self) -> str:
        return self.origin + "/token"

    def serve(self, persons: Iterable[Mapping[str, Any]], organisations: Iterable[Mapping[str, Any]] = ()) -> None:
        """From now on this is what the school system knows."""
        path = self.directory / "state.json"
        path.write_text(json.dumps({"persons": list(persons), "organisations": list(organisations)}), encoding="utf-8")
        self._tell("serve", path=str(path))

    def serve_as_is(self, persons: Iterable[Any]) -> None:
        """`persons` are given in this order, and may hold anything: the same id twice, or no person at all."""
        path = self.directory / "state.json"
        path.write_text(json.dumps(list(persons)), encoding="utf-8")
        self._tell("serve as is", path=str(path))

    def serve_attendance(self, on: str, elements: Iterable[Any]) -> None:
        """Have the list `on` (aggregatedAttendance or attendanceEvents); until then there is none."""
        path = self.directory / f"{on}.json"
        path.write_text(json.dumps(list(elements)), encoding="utf-8")
        self._tell("attendance", on=on, path=str(path))

    def reset(self) -> None:
        """As it was at its start: it knows nobody, keeps the standard, and its clock is right."""
        self._tell("reset")
        self.rotate_token()

    def set_clock(self, now: datetime) -> None:
        """Its clock shows `now`, and goes on from there."""
        self._tell("clock", now=now.isoformat())

    def configure(self, **configuration: Any) -> None:
        self._tell("configure", **configuration)

    def misbehave(self, kind: str, *, on: str = "persons", at: int = 1, times: int = 1, **fault: Any) -> None:
        self._tell("misbehave", kind=kind, on=on, at=at, times=times, **fault)

    def behave(self) -> None:
        """Forget all misbehaviour."""
        self._tell("behave")

    def rotate_token(self, *, tell: bool = True) -> None:
        """The token of `token_file` ends; with `tell` the file holds the next one."""
        token = secrets.token_urlsafe(24)
        self._tell("token", token=token)
        if tell:
            _secret(self.token_file, token)

    @property
    def requests(self) -> list[Json]:
        """Requests so far: `on`, `query` (name → values) and `status`."""
        found: list[Json] = self._tell("requests")["requests"]
        return found

    def forget_requests(self) -> None:
        self._tell("forget requests")

    def _tell(self, command: str, **arguments: Any) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
            answer: Json = json.loads(self._process.stdout.readline())
        return answer


def _secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def _make_certificates(directory: Path) -> None:
    ca_key, key = new_tls_key(), new_tls_key()
    now = datetime.now(UTC)

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def builder(name: str, public: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("school system CA"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
        )

    authority = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        builder("school system CA", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(authority, critical=False)
        .sign(ca_key, SHA256())
    )
    leaf = (
        builder("school system", key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        .sign(ca_key, SHA256())
    )
    pem = _pem(leaf)
    (directory / "ca.pem").write_bytes(_pem(ca))
    (directory / "server.pem").write_bytes(private_pem(key) + pem)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
