"""Who a party is: the URI that its certificate carries.

`upprop://node/0180` (a municipality), `upprop://node/0180-5561234567` (an independent operator), `upprop://evaluator/1`,
`upprop://registry/a`, `upprop://authority/…`, `upprop://operator/…`. Anything else is refused, upper case and trailing
slashes included, so that one party has one spelling.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId

SCHEME = "upprop://"


class Kind(enum.StrEnum):
    NODE = "node"
    REGISTRY = "registry"
    EVALUATOR = "evaluator"
    AUTHORITY = "authority"
    OPERATOR = "operator"


MUNICIPALITY_ID = re.compile(r"[0-9]{4}")
OPERATOR_ID = re.compile(r"[0-9]{4}-[0-9]{10}")
"""The code of the municipality where its schools stand, and its organisation number."""

_NAMES = {
    Kind.NODE: re.compile(f"{MUNICIPALITY_ID.pattern}|{OPERATOR_ID.pattern}"),
    Kind.EVALUATOR: re.compile(r"[1-9][0-9]{0,2}"),
}
# Names become labels of a DNS name, hence 63 letters at most.
_OTHER_NAMES = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """A party; valid by construction (UppropError IDENTITY_FOREIGN otherwise)."""

    kind: Kind
    name: str

    def __post_init__(self) -> None:
        if not _NAMES.get(self.kind, _OTHER_NAMES).fullmatch(self.name):
            raise UppropError(Code.IDENTITY_FOREIGN, f"This is not a name of a {self.kind.value} of the federation.")

    @classmethod
    def parse(cls, uri: str) -> Identity:
        """The identity that a URI names; raises UppropError(IDENTITY_FOREIGN) for any other string."""
        kind, slash, name = uri.removeprefix(SCHEME).partition("/")
        if not uri.startswith(SCHEME) or not slash or kind not in set(Kind):
            raise UppropError(Code.IDENTITY_FOREIGN, "The certificate names no party of the federation.")
        return cls(Kind(kind), name)

    @property
    def uri(self) -> str:
        return f"{SCHEME}{self.kind.value}/{self.name}"

    @property
    def dns_name(self) -> str:
        """The name a caller pins, whatever address it dials."""
        return f"{self.name}.{self.kind.value}.upprop.internal"

    @property
    def member(self) -> MemberId:
        """The member id of a node; raises UppropError(IDENTITY_FOREIGN) for any other kind."""
        if self.kind is not Kind.NODE:
            raise UppropError(Code.IDENTITY_FOREIGN, f"A {self.kind.value} is not a member of the federation.")
        return MemberId(self.name)

    def __str__(self) -> str:
        return self.uri


def node(member: MemberId | str) -> Identity:
    return Identity(Kind.NODE, member)


def evaluator(index: int) -> Identity:
    return Identity(Kind.EVALUATOR, str(index))


def registry(name: str) -> Identity:
    return Identity(Kind.REGISTRY, name)
