"""Who is calling: set for the time of one RPC by the guard, asked for by handlers."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from typing import Protocol, TypeVar

from federation.identity import Identity, Kind
from federation.rules.vocabulary import MemberId


class Caller(Protocol):
    """Whoever an authoriser let through, by the name that logs give."""

    @property
    def uri(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Party:
    """An authenticated party of the federation; `member` is its id where it is a member's node."""

    identity: Identity
    member: MemberId | None

    @classmethod
    def of(cls, identity: Identity) -> Party:
        return cls(identity, identity.member if identity.kind is Kind.NODE else None)

    @property
    def uri(self) -> str:
        return self.identity.uri

    def require_member(self) -> MemberId:
        """The member id; a rule for nodes alone guarantees it."""
        if self.member is None:
            raise RuntimeError("the method's rule lets others than nodes in")
        return self.member


current: contextvars.ContextVar[Caller] = contextvars.ContextVar("upprop_caller")

CallerT = TypeVar("CallerT", bound=Caller)


def caller(kind: type[CallerT]) -> CallerT:
    """The caller of the RPC being handled, of the kind that the server lets in; raises LookupError outside one."""
    found = current.get()
    if not isinstance(found, kind):
        raise TypeError(f"this server lets in callers of another kind than {kind.__name__}")
    return found
