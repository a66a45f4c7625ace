"""Asking a running registry to publish, over its control socket."""

from __future__ import annotations

from typing import TypedDict

from federation.v1 import control_pb2, control_pb2_grpc


class PublishedLine(TypedDict):
    """A release that stands, as it is printed."""

    release_id: str
    drawn_on: str
    drawn_now: bool
    current_members: int
    silent_municipalities: int


class AwaitedLine(TypedDict):
    """A release to come. `obstacle` is a sentence where it is due and something stands in its way."""

    release_id: str
    due_on: str
    obstacle: str | None


class PublishedLines(TypedDict):
    releases: list[PublishedLine]
    awaited: list[AwaitedLine]


def publish(stub: control_pb2_grpc.ControlServiceStub, release_id: str) -> PublishedLines:
    """Publish one release, or all that are due where none is named. Raises UppropError."""
    answer = stub.Publish(control_pb2.PublishRequest(release_id=release_id))
    return PublishedLines(
        releases=[
            PublishedLine(
                release_id=each.release_id,
                drawn_on=each.drawn_on,
                drawn_now=each.drawn_now,
                current_members=each.current_members,
                silent_municipalities=each.silent_municipalities,
            )
            for each in answer.releases
        ],
        awaited=[
            AwaitedLine(release_id=each.release_id, due_on=each.due_on, obstacle=each.obstacle or None)
            for each in answer.awaited
        ],
    )
