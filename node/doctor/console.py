"""Whether people can log in at the console, and how long its certificate lasts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from federation.doctor.findings import Finding, Topic, failed, refused, warning, well
from federation.errors import Code, UppropError
from node.casework.actor import Role
from node.console.login.provider import Provider, RefusedLoginError
from node.console.settings import ConsoleSettings
from node.doctor.texts import DoctorText

SOON = timedelta(days=14)


def console(settings: ConsoleSettings, now: datetime) -> Iterator[Finding]:
    """Asks the OpenID provider for what it tells everybody; nobody is logged in."""
    if settings.certificate is not None:
        yield from _certificate(settings.certificate, now)
    if settings.openid is None:
        yield warning(Topic.CONSOLE, DoctorText.CONSOLE_DEVELOPMENT)
        return
    if Role.PRINCIPAL in settings.roles.values() and not settings.openid.units_claim:
        yield warning(Topic.CONSOLE, DoctorText.CONSOLE_PRINCIPALS_BLIND)
    issuer = settings.openid.issuer
    try:
        Provider(settings.openid, settings.public_url).look()
    except UppropError as error:
        yield refused(Topic.CONSOLE, error)
    except RefusedLoginError:
        yield failed(Topic.CONSOLE, Code.PEER_UNREACHABLE, DoctorText.CONSOLE_LOGIN_SILENT, issuer=issuer)
    else:
        yield well(Topic.CONSOLE, DoctorText.CONSOLE_LOGIN_ANSWERS, issuer=issuer)


def _certificate(path: Path, now: datetime) -> Iterator[Finding]:
    try:
        until = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        yield failed(Topic.CONSOLE, Code.CONFIG_INVALID, DoctorText.CONSOLE_CERTIFICATE_UNREAD, path=path)
        return
    told = {"day": until.date().isoformat()}
    if until - now < SOON:
        yield warning(Topic.CONSOLE, DoctorText.CONSOLE_CERTIFICATE_ENDS, **told)
    else:
        yield well(Topic.CONSOLE, DoctorText.CONSOLE_CERTIFICATE_LASTS, **told)
