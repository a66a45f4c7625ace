"""What the authority does with a request: an entry of the draft.

Invariant: an entry takes the place of another key's only where the authority says so; a request that is refused leaves
the draft as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from federation import descriptor_draft as drafts
from federation.admission.request import AdmissionRequest
from federation.descriptor_file import DEFAULT_CALENDAR, Evaluator, File, Member, Reader, Registry
from federation.errors import Code, UppropError
from federation.identity import OPERATOR_ID, Kind
from federation.signing_request import SigningRequest


class Terms(NamedTuple):
    """What the authority decides, since no request can."""

    population: int | None = None
    calendar: str | None = None
    role: Any = None
    replace: bool = False


def listed_key(file: File, proved: SigningRequest) -> str | None:
    """The key that the draft lists for the party of a request; None where it lists none."""
    name = proved.identity.name
    keys: dict[str, str | None] = {}
    match proved.identity.kind:
        case Kind.NODE:
            keys = {each.id: each.key_sha256 for each in file.members}
        case Kind.EVALUATOR:
            keys = {str(each.index): each.key_sha256 for each in file.evaluators}
        case Kind.REGISTRY:
            keys = {each.name: each.key_sha256 for each in file.registries}
        case Kind.AUTHORITY:
            keys = {each.name: each.key_sha256 for each in file.readers}
    return keys.get(name)


def check(file: File, proved: SigningRequest, terms: Terms) -> None:
    """Raises UppropError(ADMISSION_REFUSED) where the draft lists another key and nobody said to replace it."""
    listed = listed_key(file, proved)
    if listed is not None and listed != proved.key_sha256 and not terms.replace:
        raise UppropError(
            Code.ADMISSION_REFUSED,
            f"{proved.identity} is listed already, with another key. If it has lost that one, and you have spoken to "
            "people there whom you know, admit the new key with --replace. Otherwise somebody asks in another's name.",
        )
    if proved.identity.kind is Kind.OPERATOR:
        raise UppropError(Code.ADMISSION_REFUSED, "Operators are not listed in the descriptor.")


def admit(draft: Path, request: AdmissionRequest, proved: SigningRequest, terms: Terms) -> None:
    """Put the party into the draft. Raises UppropError: ADMISSION_REFUSED, INPUT_REFUSED."""
    file = drafts.read(draft)
    check(file, proved, terms)
    name, key = proved.identity.name, proved.key_sha256
    match proved.identity.kind:
        case Kind.NODE:
            if terms.population is None:
                raise UppropError(
                    Code.INPUT_REFUSED,
                    "State --population: how many pupils the member has, as the official statistics count them.",
                )
            operator = OPERATOR_ID.fullmatch(name) is not None
            before = {each.id: each.calendar for each in file.members}.get(name, DEFAULT_CALENDAR)
            member = Member(
                id=name,
                name=request.name,
                kind="operator" if operator else "municipality",
                population=terms.population,
                key_sha256=key,
                home=(request.home or name[:4]) if operator else None,
                calendar=terms.calendar or before,
            )
            drafts.put(draft, "members", member, replace=True)
        case Kind.EVALUATOR:
            assert request.address is not None
            assert request.signing_key is not None
            evaluator = Evaluator(
                index=int(name), address=request.address, signing_key=request.signing_key, key_sha256=key
            )
            drafts.put(draft, "evaluators", evaluator, replace=True)
        case Kind.REGISTRY:
            assert request.address is not None
            registry = Registry(name=name, address=request.address, key_sha256=key, join_address=request.join_address)
            _ledger(file, request)
            drafts.put(draft, "registries", registry, replace=True)
            if request.ledger_key is not None:
                drafts.change(draft, lambda _file: {"ledger_key": request.ledger_key})
        case _:
            if terms.role is None:
                raise UppropError(Code.INPUT_REFUSED, "State --role: what the reader of the statistics may see.")
            drafts.put(draft, "readers", Reader(name=name, role=terms.role, key_sha256=key), replace=True)


def _ledger(file: File, request: AdmissionRequest) -> None:
    if request.ledger_key is not None and file.ledger_key not in (None, request.ledger_key):
        raise UppropError(
            Code.ADMISSION_REFUSED,
            "The federation's ledger is signed with another key, and all registries sign with one. Copy ledger.key "
            "from the registry that has it, and make the request again.",
        )
