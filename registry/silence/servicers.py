"""What the registry answers on its control socket about its members and its own state."""

from __future__ import annotations

from collections.abc import Callable

from federation.clock import Clock
from federation.control import Handlers
from federation.database import Database
from federation.descriptor import Descriptor
from federation.identity import Identity
from federation.v1 import control_pb2
from registry.silence.coverage import Contact, Coverage, Line, coverage
from registry.store import Transaction, closes, ledger, members, restores


def handlers(database: Database, descriptors: Callable[[], Descriptor], clock: Clock, identity: Identity) -> Handlers:
    """Status and ListMembers."""

    def covered() -> Coverage:
        descriptor = descriptors()
        heard = database.view("members_heard", members.heard)
        return coverage(
            descriptor.members, heard, clock.today(), descriptor.policy.silence_school_days, descriptor.calendar
        )

    def list_members(_request: control_pb2.ListMembersRequest) -> control_pb2.ListMembersResponse:
        now = covered()
        return control_pb2.ListMembersResponse(
            members=[_line(line) for line in now.lines],
            covered_percent=now.percent,
            silence_school_days=descriptors().policy.silence_school_days,
        )

    def status(_request: control_pb2.StatusRequest) -> control_pb2.StatusResponse:
        now = covered()
        lines = {
            **database.view("registry_status", _state),
            "members current": f"{now.number(Contact.CURRENT)} of {len(descriptors().members)}",
            "members silent": str(now.number(Contact.SILENT)),
            "members never heard": str(now.number(Contact.NEVER_HEARD)),
            "pupils of current members": f"{now.percent} %",
        }
        return control_pb2.StatusResponse(
            identity=identity.uri,
            business_date=clock.today().isoformat(),
            lines=[control_pb2.StatusLine(name=name, value=value) for name, value in lines.items()],
        )

    return {"Status": status, "ListMembers": list_members}


def _state(tx: Transaction) -> dict[str, str]:
    begun, finished = closes.newest(tx, finished=False), closes.newest(tx, finished=True)
    restored = restores.newest(tx)
    return {
        "newest close": "none" if finished is None else finished.closed_on.isoformat(),
        "close being made": begun.closed_on.isoformat() if begun is not None and begun.working else "none",
        "leaves of the ledger": str(ledger.head(tx).size),
        **({} if restored is None else {"restored from a copy": _restored(restored)}),
    }


def _restored(restored: restores.Restore) -> str:
    made = "" if restored.copied_at is None else f" of {restored.copied_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"{restored.restored_at:%Y-%m-%d %H:%M} UTC, from a copy{made} with {restored.leaves} leaves; "
        f"closes days since {restored.held_until:%Y-%m-%d %H:%M} UTC"
    )


def _line(line: Line) -> control_pb2.MemberLine:
    return control_pb2.MemberLine(
        member=line.member,
        name=line.name,
        state=line.contact.value,
        last_contact=None if line.heard is None else line.heard.last_contact.isoformat(),
        days_silent=line.silent_for,
        roster=None if line.heard is None else line.heard.roster,
    )
