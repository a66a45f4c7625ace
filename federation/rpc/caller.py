"""Who is calling: set for the time of one RPC by the guard, asked for by handlers."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass

from federation.identity import Identity, Kind
from federation.rules.vocabulary import MemberId


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated party; `member` is its id where it is a member's node."""

    identity: Identity
    member: MemberId | None

    @classmethod
    def of(cls, identity: Identity) -> Caller:
        return cls(identity, identity.member if identity.kind is Kind.NODE else None)

    def require_member(self) -> MemberId:
        """The member id; a rule for nodes alone guarantees it."""
        if self.member is None:
            raise RuntimeError("the method's rule lets others than nodes in")
        return self.member


current: contextvars.ContextVar[Caller] = contextvars.ContextVar("upprop_caller")


def caller() -> Caller:
    """The caller of the RPC being handled; raises LookupError outside one."""
    return current.get()
