"""Counts that must not tell of one more: shown in steps, whose places nobody knows. Pure but for the secret.

A count of signals that everybody may scrape would tell of each pupil who leaves. Shown is how many of the thresholds
it has reached, times the step; the thresholds lie one in each step, at a place that a secret of the process decides
anew for each step and each count. So one more shows with a chance of one in `step`, and whoever has seen where one
threshold lay knows nothing of the next.

Invariants: what is shown never falls, is 0 at 0, and differs from the count by less than a step; at a whole multiple of
the step it is exact.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

SECRET_BYTES = 32


def drawn_secret() -> bytes:
    """What decides where the thresholds of a process lie."""
    return secrets.token_bytes(SECRET_BYTES)


class Steps:
    """Shows counts in steps. `secret`: of the process, from the system's random source where it is left out."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = drawn_secret() if secret is None else secret

    def __repr__(self) -> str:
        return "Steps()"

    def shown(self, count: int, step: int, *of: str) -> int:
        """`count`, of whatever `of` names, in steps of `step`."""
        whole, rest = divmod(count, step)
        return (whole + (rest >= self._threshold(whole, step, of))) * step

    def _threshold(self, number: int, step: int, of: tuple[str, ...]) -> int:
        """1 to `step`: how far into a step its threshold lies."""
        named = "\0".join((*of, str(step), str(number))).encode()
        drawn = hmac.digest(self._secret, named, hashlib.sha256)
        return 1 + int.from_bytes(drawn[:16], "big") % step
