"""When each party last called this process, and until when the certificate lasts with which it did.

Invariant: nothing of what was called for; kept in memory alone, so that it ends with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from federation.identity import Kind
from federation.rpc.caller import Party
from federation.rules.vocabulary import MemberId


@dataclass(frozen=True, slots=True)
class Call:
    at: datetime
    certificate_expires: datetime


class MembersSeen:
    """Told by the authoriser of every member that was let in. Safe to use from several threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._calls: dict[MemberId, Call] = {}

    def __call__(self, party: Party, certificate_expires: datetime) -> None:
        if party.identity.kind is Kind.NODE:
            self._calls[party.identity.member] = Call(self._now(), certificate_expires)

    def last(self, member: MemberId) -> Call | None:
        """The member's last call of this process."""
        return self._calls.get(member)
