"""The console as the settings ask for it: what is refused at the start, TLS of its own, what the doctor says of it."""

from __future__ import annotations

import datetime
import io
import ssl
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from federation.clock import utc_now
from federation.errors import UppropError
from federation.files import write_secret
from federation.observability import Log
from federation.pki import certificate_pem, private_pem
from node.casework.actor import Role
from node.console.assembly import hosts, tls
from node.console.serving import ConsoleServer
from node.console.settings import ConsoleSettings
from node.doctor.console import console
from node.doctor.texts import DoctorText
from tests.harness.lying_provider import lying
from tests.harness.ports import free_ports

DAY = datetime.timedelta(days=1)
OPENID = {"issuer": "https://login.example.se", "client_id": "upprop"}
SOUND: dict[str, Any] = {
    "listen": "10.0.0.1:7470",
    "public_url": "https://upprop.example.se",
    "proxies": ["10.0.0.2"],
    "openid": OPENID,
    "roles": {"handlaggare": "caseworker"},
}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no login": ({"openid": None}, "either openid or development_login"),
    "both logins": ({"development_login": True}, "either openid or development_login"),
    "a development login that others reach": (
        {"openid": None, "development_login": True},
        "development_login lets anybody in",
    ),
    "pages without TLS": ({"proxies": []}, "give certificate and private_key, or proxies"),
    "an address without TLS": ({"public_url": "http://upprop.example.se"}, "public_url has to begin with https://"),
    "no address": ({"public_url": ""}, "openid needs public_url"),
    "no roles": ({"roles": {}}, "openid needs public_url, and roles"),
    "a role that there is not": ({"roles": {"a": "boss"}}, "Invalid enum value 'boss'"),
    "half a certificate": ({"certificate": "tls.crt"}, "certificate and private_key go together"),
    "a provider without TLS": ({"openid": {**OPENID, "issuer": "http://login.example.se"}}, "begin with https://"),
    "a scope that asks for no login": ({"openid": {**OPENID, "scope": "profile"}}, "scope lacks openid"),
    "an address to listen on that is none": ({"listen": "anywhere"}, "is not an address"),
}


def read(**settings: Any) -> ConsoleSettings:
    def path(_kind: type, value: Any) -> Path:
        return Path(value)

    return msgspec.convert({**SOUND, **settings}, ConsoleSettings, dec_hook=path)


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_would_let_others_in_are_refused_with_what_to_do(wrong: str) -> None:
    settings, sentence = WRONG[wrong]
    with pytest.raises(msgspec.ValidationError, match=sentence.replace("(", r"\(")):
        read(**settings)


def test_beyond_loopback_the_console_answers_to_its_own_name_alone() -> None:
    assert hosts(read()) == ("upprop.example.se",)
    assert "localhost" in hosts(ConsoleSettings(development_login=True))
    assert read().roles == {"handlaggare": Role.CASEWORKER}


Certify = Callable[..., tuple[Path, Path]]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """A certificate of this machine's own, for so many days, and its key."""

    def make(days: int = 90) -> tuple[Path, Path]:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=127.0.0.1")
        now = utc_now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - DAY)
            .not_valid_after(now + days * DAY)
            .sign(key, SHA256())
        )
        (tmp_path / "tls.crt").write_bytes(certificate_pem(certificate))
        (tmp_path / "tls.key").unlink(missing_ok=True)
        write_secret(tmp_path / "tls.key", private_pem(key))
        return tmp_path / "tls.crt", tmp_path / "tls.key"

    return make


def test_with_a_certificate_pages_are_served_by_tls(certify: Certify) -> None:
    certificate, key = certify()
    settings = read(listen="127.0.0.1:0", proxies=[], certificate=str(certificate), private_key=str(key))
    app = Starlette(routes=[Route("/", lambda _request: PlainTextResponse("here"))])
    server = ConsoleServer(app, settings.listen, settings.proxies, tls=lambda: tls(settings))
    port = server.start()
    try:
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/", context=trusting) as answer:
            assert answer.read() == b"here"
    finally:
        server.stop()


def test_a_certificate_that_was_renewed_is_shown_without_a_restart(certify: Certify) -> None:
    certificate, key = certify()
    settings = read(listen="127.0.0.1:0", proxies=[], certificate=str(certificate), private_key=str(key))
    written = io.StringIO()
    server = ConsoleServer(Starlette(), settings.listen, settings.proxies, tls=lambda: tls(settings, Log(written)))
    address = ("127.0.0.1", server.start())
    try:
        before, shown = certificate.read_text(), ssl.get_server_certificate(address)
        assert shown == before
        # One file is new, the other not yet: what is in force goes on.
        new, new_key = (path.read_bytes() for path in certify(30))
        key.write_bytes(b"half a key")
        assert ssl.get_server_certificate(address) == before
        assert "console_certificate_refused" in written.getvalue()
        key.write_bytes(new_key)
        assert ssl.get_server_certificate(address) == new.decode() != before
    finally:
        server.stop()


def test_a_key_of_another_certificate_stops_the_start(certify: Certify, tmp_path: Path) -> None:
    certificate, key = certify()
    other = tmp_path / "other.crt"
    certificate.rename(other)
    certify()
    with pytest.raises(UppropError, match="cannot be used together"):
        tls(read(certificate=str(other), private_key=str(key)))


def test_the_doctor_says_whether_people_can_log_in(certify: Certify) -> None:
    now = utc_now()
    [port] = free_ports(1)

    def said(issuer: str, **settings: Any) -> list[object]:
        return [each.says for each in console(read(openid={**OPENID, "issuer": issuer}, **settings), now)]

    with lying() as provider:
        assert said(provider.issuer) == [DoctorText.CONSOLE_LOGIN_ANSWERS]
        blind = said(provider.issuer, roles={"rektorer": "principal"})
        assert blind == [DoctorText.CONSOLE_PRINCIPALS_BLIND, DoctorText.CONSOLE_LOGIN_ANSWERS]
        provider.metadata["issuer"] = "https://elsewhere.example"
        assert said(provider.issuer) == [DoctorText.CONSOLE_LOGIN_SILENT]
    silent = f"http://127.0.0.1:{port}"
    assert said(silent) == [DoctorText.CONSOLE_LOGIN_SILENT]
    for days, expected in ((90, DoctorText.CONSOLE_CERTIFICATE_LASTS), (3, DoctorText.CONSOLE_CERTIFICATE_ENDS)):
        certificate, key = certify(days)
        assert said(silent, certificate=str(certificate), private_key=str(key))[0] == expected
    assert said(silent, certificate="/nowhere", private_key="/nowhere")[0] == DoctorText.CONSOLE_CERTIFICATE_UNREAD
    assert [each.says for each in console(ConsoleSettings(development_login=True), now)] == [
        DoctorText.CONSOLE_DEVELOPMENT
    ]
