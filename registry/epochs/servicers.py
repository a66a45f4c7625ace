"""The control commands of epochs: messages in, `Epochs`, messages out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from federation.control import Handlers
from federation.rules.vocabulary import MemberId
from federation.v1 import control_pb2
from registry.epochs.changing import Epochs
from registry.keys import PseudonymKeys


def handlers(epochs: Epochs, keys: PseudonymKeys) -> Handlers:
    """What the registry answers on its control socket about epochs."""

    def begin(request: control_pb2.BeginEpochRequest) -> control_pb2.BeginEpochResponse:
        return control_pb2.BeginEpochResponse(path=str(epochs.begin(request.epoch)))

    def show(_request: control_pb2.ShowEpochsRequest) -> control_pb2.ShowEpochsResponse:
        shown, members = epochs.show()
        return control_pb2.ShowEpochsResponse(
            epochs=[
                control_pb2.EpochLine(
                    epoch=each.epoch,
                    listed=each.listed,
                    has_key=each.has_key,
                    has_rows=each.has_pairs,
                    begun_on=None if each.life is None else each.life.begun_on.isoformat(),
                    ended_on=None if each.life is None else _text(each.life.ended_on),
                )
                for each in shown
            ],
            members=[
                control_pb2.EpochMember(
                    member=each.member,
                    listed=each.listed,
                    done=each.done,
                    quarters=each.quarters,
                    last_contact=_text(each.last_contact),
                )
                for each in members
            ],
        )

    def retire(request: control_pb2.RetireEpochRequest) -> Iterator[control_pb2.RetireEpochResponse]:
        path = keys.path(request.epoch)
        path = path if path is not None and path.exists() else None
        left_behind = [MemberId(member) for member in request.left_behind]
        for done, total in epochs.retire(request.epoch, left_behind, look_only=request.look_only):
            yield control_pb2.RetireEpochResponse(progress=control_pb2.Progress(step="retire", done=done, total=total))
        report = control_pb2.RetireEpochReport(path=None if path is None else str(path))
        yield control_pb2.RetireEpochResponse(report=report)

    return {"BeginEpoch": begin, "ShowEpochs": show, "RetireEpoch": retire}


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
