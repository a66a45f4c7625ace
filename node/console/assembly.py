"""The console as the node's settings ask for it: sessions, login, pages, and the server they are served by."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from federation.clock import Clock
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.runtime import PageServer, is_loopback
from federation.settings import parse_address
from node.console.app import build
from node.console.desk import Desk
from node.console.login.gate import DevelopmentGate, Gate
from node.console.login.openid import ANSWER, OpenIdGate
from node.console.login.provider import Provider
from node.console.login.stored import StoredSessions
from node.console.observability import CERTIFICATE_REFUSED
from node.console.serving import ConsoleServer
from node.console.settings import ConsoleSettings
from node.store.sealing import Sealer
from node.store.sessions import Lifetime, SessionStore

DEVELOPMENT_LOGIN = Event("unsafe_development_login", (), Level.WARNING)

LOOPBACK_HOSTS = ("127.0.0.1", "[::1]", "localhost")


def page_servers(
    settings: ConsoleSettings, desk: Desk, *, sealer: Sealer, clock: Clock, log: Log
) -> Sequence[PageServer]:
    """The server of the console. Raises UppropError(CONFIG_INVALID)."""
    lifetime = Lifetime(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))
    sessions = StoredSessions(desk.database, SessionStore(sealer, lifetime), clock, secure=settings.secure)
    gate = _gate(settings, sessions, sealer, clock, log)
    app = build(desk, sessions, log=log, gate=gate, hosts=hosts(settings))
    return (ConsoleServer(app, settings.listen, settings.proxies, tls=lambda: tls(settings, log)),)


def hosts(settings: ConsoleSettings) -> tuple[str, ...]:
    """The names by which the console may be asked for."""
    named = urlsplit(settings.public_url).hostname
    loopback = is_loopback(parse_address(settings.listen)[0])
    return (*(LOOPBACK_HOSTS if loopback else ()), *((named,) if named else ()))


def _gate(settings: ConsoleSettings, sessions: StoredSessions, sealer: Sealer, clock: Clock, log: Log) -> Gate:
    if settings.openid is None:
        log(DEVELOPMENT_LOGIN)
        return DevelopmentGate(sessions)
    return OpenIdGate(
        Provider(settings.openid, f"{settings.public_url}{ANSWER}"),
        sessions,
        sealer,
        public_url=settings.public_url,
        issuer=settings.openid.issuer,
        roles={group: role.value for group, role in settings.roles.items()},
        units=settings.units,
        now=clock.now,
        log=log,
    )


def tls(settings: ConsoleSettings, log: Log | None = None) -> ssl.SSLContext | None:
    """What the console shows browsers; None where a proxy ends TLS. Raises UppropError(CONFIG_INVALID).

    A certificate that was renewed is taken up with the next connection. While one file is new and the other is not yet,
    or what lies there cannot be used, the one before is shown and the log says so; the doctor says until when it holds.
    """
    certificate, key = settings.certificate, settings.private_key
    if certificate is None or key is None:
        return None
    shown, read = _context(certificate, key), _stamp(certificate, key)

    def renewed(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext) -> None:
        nonlocal shown, read
        stamp = _stamp(certificate, key)
        if stamp != read:
            read = stamp
            try:
                shown = _context(certificate, key)
            except UppropError:
                if log is not None:
                    log(CERTIFICATE_REFUSED)
        connection.context = shown

    first = shown
    first.sni_callback = renewed
    return first


def _stamp(*paths: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes whenever one of these files does."""
    found: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            stat = path.stat()
            found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The console's certificate {certificate} and key {key} cannot be used together. "
            "Give a certificate chain (PEM) and its own key.",
        ) from error
    return context
