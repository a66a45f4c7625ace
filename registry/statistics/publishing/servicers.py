"""What the registry answers on its control socket about releases: messages in, `Releasing`, messages out."""

from __future__ import annotations

from collections.abc import Callable

from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.v1 import control_pb2
from registry.statistics.model import parse_release_id
from registry.statistics.releasing import Awaited, Published, Releasing


def handlers(releasing: Releasing, answer_waiting: Callable[[], object]) -> Handlers:
    """Publish; and what waits to be drawn is, for under a manual clock no worker does it."""

    def publish(request: control_pb2.PublishRequest) -> control_pb2.PublishResponse:
        if request.release_id:
            try:
                period = parse_release_id(request.release_id)
            except ValueError as error:
                raise UppropError(
                    Code.REQUEST_INVALID,
                    f"{request.release_id!r} is no release. Name a month (2026-09), a year (2026) or 2026-closed.",
                ) from error
            published = [releasing.publish(period)]
        else:
            published = releasing.publish_due()
        answer_waiting()
        return control_pb2.PublishResponse(
            releases=[_published(each) for each in published], awaited=[_awaited(each) for each in releasing.awaited()]
        )

    return {"Publish": publish}


def _published(each: Published) -> control_pb2.PublishedRelease:
    coverage = each.release.record.coverage
    return control_pb2.PublishedRelease(
        release_id=each.release.release_id,
        drawn_on=each.release.drawn_on.isoformat(),
        drawn_now=each.drawn_now,
        current_members=coverage.current_members,
        silent_municipalities=len(coverage.silent_municipalities),
    )


def _awaited(each: Awaited) -> control_pb2.AwaitedRelease:
    return control_pb2.AwaitedRelease(
        release_id=each.period.release_id, due_on=each.due_on.isoformat(), obstacle=each.obstacle or ""
    )
