"""The control command of what waits: messages in, `Waitlist`, messages out."""

from __future__ import annotations

from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2
from registry.limits.waiting import Waitlist


def handlers(waitlist: Waitlist) -> Handlers:
    """What the registry answers on its control socket about openings that wait."""

    def unblock(request: control_pb2.UnblockRequest) -> control_pb2.UnblockResponse:
        member = MemberId(request.member)
        if request.released_by or request.reason:
            if not member:
                raise UppropError(Code.REQUEST_INVALID, "Say of which member.")
            found = waitlist.release(member, request.released_by, request.reason)
        else:
            found = waitlist.waiting(member or None)
        return control_pb2.UnblockResponse(
            waiting=[
                control_pb2.WaitingOpenings(member=each.member, month=each.month, openings=each.openings)
                for each in found
            ]
        )

    return {"Unblock": unblock}
