"""Where logins are, where they may lead, and which forms come from a page of this console."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from federation.web.i18n import Language

ADDRESSES = {Language.SWEDISH: "/sv/inloggning", Language.ENGLISH: "/en/login"}


def local(to: str, language: Language) -> str:
    """Where to go after a login: a page of this console, never another site."""
    return to if to.startswith(("/sv/", "/en/")) and "\\" not in to and "//" not in to else f"/{language}/"


def own_page(request: Request) -> bool:
    """Whether a form comes from a page of this site, by what every browser since 2023 says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")
