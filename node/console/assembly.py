"""The console as the node's settings ask for it: sessions, login, pages, and the server they are served by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from federation.clock import Clock
from federation.errors import Code, UppropError
from federation.observability import Event, Level, Log
from federation.runtime import PageServer, is_loopback
from federation.settings import parse_address
from node.console.app import build
from node.console.desk import Desk
from node.console.login.gate import DevelopmentGate
from node.console.login.stored import StoredSessions
from node.console.serving import ConsoleServer
from node.console.settings import ConsoleSettings
from node.store.sealing import Sealer
from node.store.sessions import Lifetime, SessionStore

DEVELOPMENT_LOGIN = Event("unsafe_development_login", (), Level.WARNING)


def page_servers(
    settings: ConsoleSettings | None, desk: Desk, *, sealer: Sealer, clock: Clock, log: Log
) -> Sequence[PageServer]:
    """The server of the console; none without `[console]`. Raises UppropError(CONFIG_INVALID)."""
    if settings is None:
        return ()
    lifetime = Lifetime(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))
    secure = settings.public_url.startswith("https://")
    sessions = StoredSessions(desk.database, SessionStore(sealer, lifetime), clock, secure=secure)
    if not settings.development_login:
        raise UppropError(Code.CONFIG_INVALID, "The settings' [console] names no login.")
    if not is_loopback(parse_address(settings.listen)[0]):
        raise UppropError(
            Code.CONFIG_INVALID,
            f"development_login lets anybody in and is for loopback only, not for {settings.listen}. Take it out and "
            "set up OpenID Connect.",
        )
    log(DEVELOPMENT_LOGIN)
    app = build(desk, sessions, log=log, gate=DevelopmentGate(sessions))
    return (ConsoleServer(app, settings.listen, settings.proxies),)
