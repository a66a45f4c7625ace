"""The console's settings: the table `[console]` of a node's `config.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from federation.errors import UppropError
from federation.runtime import is_loopback
from federation.settings import parse_address
from node.casework.actor import Role

DEFAULT_LISTEN = "127.0.0.1:7470"


class OpenId(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The municipality's OpenID provider: `[console.openid]`.

    `issuer` is its address exactly as it names itself; `client_secret_file` (mode 0600) is left out for a public
    client. `groups_claim` is the claim that holds a person's groups, in the ID token or in what the provider tells when
    asked (userinfo), and `units_claim` the one that holds a principal's school units, empty where there is none;
    `scope` is what is asked for. `ca_file` holds the certificates to trust in place of the system's.
    """

    issuer: str
    client_id: Annotated[str, msgspec.Meta(min_length=1)]
    client_secret_file: Path | None = None
    scope: str = "openid profile"
    groups_claim: str = "groups"
    units_claim: str = ""
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        # msgspec says of a ValueError where in the file it was.
        parts = urlsplit(self.issuer)
        if not parts.hostname or parts.query or parts.fragment:
            raise ValueError("issuer is the provider's address, as https://login.kommun.example")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
            raise ValueError("issuer has to begin with https://")
        if "openid" not in self.scope.split():
            raise ValueError("scope lacks openid")


class ConsoleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `[console]` holds; without the table no console is served.

    `public_url` is the address by which people reach it, without a slash at its end; needed wherever that is not
    loopback. Beyond loopback it is served by TLS, with `certificate` and `private_key` (PEM), or behind a reverse proxy
    that ends TLS: `proxies` are the addresses of those that are believed whom they ask for. `openid` is how people log
    in, `roles` which group of the provider has which role, and `units` which school unit (the school system's id) a
    value of `units_claim` stands for; one that is not there is taken for such an id itself. `development_login` in
    place of these: anybody may log in as anybody, with a warning on every page; on loopback only. A session ends after
    `idle_minutes` without a page, and after `session_hours`.
    """

    listen: str = DEFAULT_LISTEN
    public_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?$")] = ""
    certificate: Path | None = None
    private_key: Path | None = None
    proxies: tuple[str, ...] = ()
    openid: OpenId | None = None
    roles: dict[str, Role] = {}
    units: dict[str, str] = {}
    development_login: bool = False
    idle_minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 30
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 10

    def __post_init__(self) -> None:
        try:
            loopback = is_loopback(parse_address(self.listen)[0])
        except UppropError as error:
            raise ValueError(error.sentence.rstrip(".")) from error
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        if self.development_login == (self.openid is not None):
            raise ValueError("give either openid or development_login")
        if self.openid is not None and not (self.public_url and self.roles):
            raise ValueError("openid needs public_url, and roles for its groups")
        if not loopback:
            self._beyond_loopback()

    def _beyond_loopback(self) -> None:
        if self.development_login:
            raise ValueError(
                "development_login lets anybody in and is for loopback only. Take it out and set up openid"
            )
        if not self.public_url.startswith("https://"):
            raise ValueError("other machines reach this address: public_url has to begin with https://")
        if self.certificate is None and not self.proxies:
            raise ValueError("other machines reach this address: give certificate and private_key, or proxies")

    @property
    def secure(self) -> bool:
        """Whether people reach it by TLS."""
        return self.public_url.startswith("https://")
