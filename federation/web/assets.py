"""Static files of a package: read once, served under an address that changes with their content."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

YEAR_SECONDS = 365 * 24 * 3600

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str
    version: str


class Assets:
    """The files of `static/` in one package."""

    def __init__(self, package: str) -> None:
        self._package = package

    @functools.cached_property
    def files(self) -> Mapping[str, Asset]:
        found: dict[str, Asset] = {}
        for file in resources.files(self._package).joinpath("static").iterdir():
            kind = _TYPES.get(file.name.rpartition(".")[2])
            if kind is not None:
                content = file.read_bytes()
                found[file.name] = Asset(content, kind, hashlib.sha256(content).hexdigest()[:12])
        return found

    def path(self, name: str) -> str:
        """The address of a file; KeyError for one that there is not."""
        return f"/static/{name}?v={self.files[name].version}"

    def answer(self, request: Request) -> Response:
        """For the route `/static/{name}`."""
        asset = self.files.get(request.path_params["name"])
        if asset is None:
            return PlainTextResponse("There is no such file.\n", 404)
        fresh = request.query_params.get("v") == asset.version
        caching = f"public, max-age={YEAR_SECONDS}, immutable" if fresh else "no-cache"
        return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": caching})
