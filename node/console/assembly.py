"""The console as the node's settings ask for it: sessions, login, pages, and the server they are served by."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import timedelta
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
    return (ConsoleServer(app, settings.listen, settings.proxies, tls=lambda: tls(settings)),)


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


def tls(settings: ConsoleSettings) -> ssl.SSLContext | None:
    """What the console shows browsers; None where a proxy ends TLS. Raises UppropError(CONFIG_INVALID)."""
    if settings.certificate is None or settings.private_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(settings.certificate, settings.private_key)
    except (OSError, ssl.SSLError) as error:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The console's certificate {settings.certificate} and key {settings.private_key} cannot be used together. "
            "Give a certificate chain (PEM) and its own key.",
        ) from error
    return context
