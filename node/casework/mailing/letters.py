"""The text of a mail: both languages in one, Swedish first. Pure."""

from __future__ import annotations

from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime

from federation.web.i18n import Language, Texts
from node.casework.mailing import wording
from node.casework.mailing.model import SECOND, Duty, Mail, Occasion

_TEXTS = {
    Language.SWEDISH: Texts(Language.SWEDISH, wording.SWEDISH),
    Language.ENGLISH: Texts(Language.ENGLISH, wording.ENGLISH),
}
_PATHS = {Language.SWEDISH: "sv/arenden", Language.ENGLISH: "en/cases"}
_HOLDS = {Language.SWEDISH: "sv/sparrar", Language.ENGLISH: "en/holds"}


def letter(mail: Mail, to: Duty, *, sender: str, member: str, public_url: str, zone: tzinfo) -> EmailMessage:
    """The message. `public_url` is where the console is served; empty: no link stands in it."""
    host = sender.partition("@")[2]
    message = EmailMessage()
    message["From"], message["To"] = sender, to.address
    message["Subject"] = _TEXTS[Language.SWEDISH](f"mail.{mail.occasion}.subject", reference=mail.reference)
    message["Date"] = format_datetime(mail.made_at)
    # Of the mail, so that one sent twice is one to whoever reads it.
    message["Message-ID"] = f"<{mail.mail_id.hex()}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n-- \n\n".join(_text(mail, each, member, public_url, zone) for each in Language))
    return message


def _text(mail: Mail, language: Language, member: str, public_url: str, zone: tzinfo) -> str:
    t = _TEXTS[language]
    lines = [t(f"mail.{mail.occasion}.text", reference=mail.reference)]
    if mail.place == SECOND:
        lines.append(t("mail.second", hour=_hour(mail.made_at, zone)))
    if public_url:
        lines.append(t("mail.link", link=f"{public_url}/{_path(mail, language)}"))
    return "\n\n".join([*lines, t("mail.foot", member=member)])


def _path(mail: Mail, language: Language) -> str:
    if mail.file_id is not None:
        return f"{_PATHS[language]}/{mail.file_id.hex()}"
    return _HOLDS[language] if mail.occasion is Occasion.HOLD else f"{language}/"


def _hour(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
