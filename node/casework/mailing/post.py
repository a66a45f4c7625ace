"""A mail handed to the municipality's mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.runtime import is_loopback
from federation.settings import parse_address
from node.casework.mailing.model import sound_address
from node.casework.mailing.settings import MailSettings

TIMEOUT_SECONDS = 30


class NotSentError(Exception):
    """The server did not take it. Names neither whom nor what it was about."""


class Post:
    """Sends by SMTP, each mail over a connection of its own: they are few."""

    def __init__(self, settings: MailSettings) -> None:
        """Raises UppropError(CONFIG_INVALID)."""
        self._host, self._port = parse_address(settings.server)
        if settings.security == "none" and not is_loopback(self._host):
            raise UppropError(
                Code.CONFIG_INVALID,
                'security = "none" in [mail] is for a server on this machine. Use starttls.',
            )
        if not sound_address(settings.sender):
            raise UppropError(
                Code.CONFIG_INVALID, "sender in [mail] is no mail address: write one like upprop@host.se."
            )
        self._settings = settings
        self._password = "" if settings.password_file is None else read_secret(settings.password_file).decode().strip()
        self._tls = None
        if settings.security != "none":
            self._tls = ssl.create_default_context(cafile=settings.ca_file)

    def send(self, message: EmailMessage) -> None:
        """Hand it over. Raises NotSentError."""
        try:
            with self._connected() as server:
                if self._settings.user:
                    server.login(self._settings.user, self._password)
                server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            # Without its text: a server's answer repeats the address.
            raise NotSentError(type(error).__name__) from None

    def _connected(self) -> smtplib.SMTP:
        if self._settings.security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=self._tls)
        server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        if self._tls is not None:
            try:
                server.starttls(context=self._tls)
            except BaseException:
                server.close()
                raise
        return server
