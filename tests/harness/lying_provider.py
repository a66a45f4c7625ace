"""An OpenID provider on loopback that says what a test wants it to say, be it true or not."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

OWN_KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256"}) for _ in range(2))
NONCE = "nonce-of-this-login"


class Liar:
    """Answers as a provider does; a test changes what."""

    def __init__(self) -> None:
        self.key = OWN_KEY
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {"sub": "someone", "groups": ["a-group"], "name": "Någon"}
        self.sign: Callable[[dict[str, Any]], str] = self._sign
        self.asked: list[str] = []
        self.issuer = ""

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(self.header, claims, self.key, algorithms=["RS256"])

    def answer(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            names = {
                "authorization_endpoint": "auth",
                "token_endpoint": "token",
                "jwks_uri": "keys",
                "userinfo_endpoint": "me",
            }
            return {
                "issuer": self.issuer,
                **{key: f"{self.issuer}/{name}" for key, name in names.items()},
                **self.metadata,
            }
        if path == "/keys":
            return {"keys": [OWN_KEY.as_dict(private=False)]}
        if path == "/me":
            return self.userinfo
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "upprop",
            "sub": "someone",
            "nonce": NONCE,
            "iat": now,
            "exp": now + 300,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.sign(claims)}


@contextlib.contextmanager
def lying() -> Iterator[Liar]:
    """Runs while the block does."""
    told = Liar()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(told.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.issuer = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
