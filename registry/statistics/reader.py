"""A reader of the statistics, put together from its settings: `upprop query` and the dashboard begin here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from federation import upkeep
from federation.clock import Clock
from federation.descriptor import Reader as Listed
from federation.descriptor_store import DescriptorStore
from federation.identity import Kind
from federation.observability import Log, Metrics
from federation.renewal import own_identity
from federation.runtime import make_clock
from federation.tls import ChannelCredentials, OwnIdentity
from registry.statistics.client import StatisticsClient
from registry.statistics.reading import Level
from registry.statistics.settings import ReaderSettings


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, as the descriptor lists it, and the registry that answers."""

    listed: Listed
    client: StatisticsClient
    descriptors: DescriptorStore
    own: OwnIdentity
    clock: Clock

    @property
    def level(self) -> Level:
        """The most that it may see."""
        return Level.of_role(self.listed.role)


@contextmanager
def connect(
    settings: ReaderSettings, log: Log, metrics: Metrics | None = None, *, stays: bool = True
) -> Iterator[Reader]:
    """The reader of these settings; one that does not stay asks for the newest descriptor first, and renews its
    certificate where that is due.

    Raises UppropError where descriptor or certificate are not in order.
    """
    descriptors = DescriptorStore.of(settings, log)
    own = own_identity(settings, descriptors, Kind.AUTHORITY, log)
    if not stays:
        upkeep.once(settings, descriptors, own, log)
    clock = make_clock(settings, descriptors)
    listed = descriptors.current().reader(own.identity.name)
    with StatisticsClient(descriptors, ChannelCredentials(own), clock, metrics) as client:
        yield Reader(listed, client, descriptors, own, clock)
