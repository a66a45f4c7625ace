"""Whether the parties that the descriptor names can be reached, know us and are ready; and what time it is there.

Asked all at once, each with short deadlines: the slowest of them is what a doctor takes.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from federation.descriptor import Descriptor, read_authority_key, verify
from federation.descriptor_file import Evaluator, Registry
from federation.doctor.findings import Finding, Level, Says, Topic, failed, refused, warning, well
from federation.doctor.papers import Credentials, Papers
from federation.errors import Code, UppropError
from federation.rpc.admission import Fetched, descriptor_from, fetch_descriptor
from federation.rpc.client import Peer
from federation.rpc.health import is_serving
from federation.settings import DaemonSettings, parse_address
from federation.tls import CLOCK_TOLERANCE

CONNECT_SECONDS = 3.0
CALL_SECONDS = 5.0

CLOCK_WARNED = timedelta(seconds=30)

_MOST_AT_ONCE = 16
_PASSING = frozenset({Code.PEER_UNREACHABLE, Code.DEADLINE, Code.OVERLOADED})


@dataclass(frozen=True, slots=True)
class Told:
    """What one party was found to be, and what a registry told of its time and its descriptor."""

    found: Finding
    skew: timedelta | None = None
    descriptor: bytes | None = None


def peers(
    settings: DaemonSettings,
    papers: Papers,
    *,
    registries: int,
    evaluators: int | None,
    now: Callable[[], datetime],
) -> Iterator[Finding]:
    """Findings on clock, registries and evaluators.

    `registries` and `evaluators`: how many of them must answer for this party to work; where so many do, another that
    does not is only warned of. `evaluators` is None for a party that calls none.
    """
    descriptor, credentials = papers.descriptor, papers.credentials
    if descriptor is None or credentials is None:
        yield failed(Topic.REGISTRY, Code.CONFIG_INVALID, Says.PEER_NOT_TRIED)
        return
    serial = max(descriptor.serial, papers.offered)
    others = [each for each in descriptor.registries if each.identity != papers.identity]
    called = () if evaluators is None else descriptor.evaluators
    with ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="doctor") as pool:
        asked = [pool.submit(_ask_registry, each, credentials, serial, now) for each in others]
        met = [pool.submit(_ask_evaluator, each, credentials) for each in called]
        told = [each.result() for each in asked]
        answers = [each.result() for each in met]
    yield from _clock(zip((each.name for each in others), told, strict=True), now)
    for registry, each in zip(others, told, strict=True):
        if each.descriptor is not None:
            yield _newer(settings, descriptor, registry.name, each.descriptor)
    yield from _enough([each.found for each in told], registries)
    yield from _enough(answers, evaluators or 0)


def _ask_registry(registry: Registry, credentials: Credentials, serial: int, now: Callable[[], datetime]) -> Told:
    with contextlib.closing(Peer(registry.identity, registry.address, credentials)) as peer:
        found = _reached(Topic.REGISTRY, registry.name, peer)
        begun = now()
        fetched = None
        with contextlib.suppress(UppropError):
            if found.code not in _PASSING:
                fetched = descriptor_from(peer, serial)
        if fetched is None and registry.join_address is not None:
            # The way for those whose certificate is not taken tells the time too.
            begun = now()
            with contextlib.suppress(UppropError):
                fetched = fetch_descriptor(registry.join_address, registry.identity, credentials.roots_pem, serial)
        return Told(found) if fetched is None else Told(found, _skew(begun, now(), fetched), fetched.content)


def _skew(begun: datetime, ended: datetime, fetched: Fetched) -> timedelta:
    return begun + (ended - begun) / 2 - fetched.now


def _ask_evaluator(evaluator: Evaluator, credentials: Credentials) -> Finding:
    with contextlib.closing(Peer(evaluator.identity, evaluator.address, credentials)) as peer:
        return _reached(Topic.EVALUATOR, str(evaluator.index), peer)


def _reached(topic: Topic, name: str, peer: Peer) -> Finding:
    address = peer.address
    unreachable = Code.PEER_UNREACHABLE
    host, port = parse_address(address)
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except socket.gaierror:
        return failed(topic, unreachable, Says.PEER_NOT_NAMED, name, address=address, host=host)
    except ConnectionRefusedError:
        return failed(topic, unreachable, Says.PEER_NOTHING_LISTENS, name, address=address)
    except OSError:
        return failed(topic, unreachable, Says.PEER_SILENT, name, address=address)
    try:
        if is_serving(peer, CALL_SECONDS):
            return well(topic, Says.PEER_ANSWERS, name, address=address)
    except UppropError as error:
        if error.code is unreachable:
            return failed(topic, unreachable, Says.PEER_HANDSHAKE, name, address=address)
        if error.code is Code.IDENTITY_UNLISTED:
            return failed(topic, error.code, Says.PEER_KNOWS_US_NOT, name, address=address)
        return refused(topic, error, name)
    return failed(topic, unreachable, Says.PEER_NOT_READY, name, address=address)


def _clock(told: Iterable[tuple[str, Told]], now: Callable[[], datetime]) -> Iterator[Finding]:
    asked = list(told)
    known = [(name, each.skew) for name, each in asked if each.skew is not None]
    if not asked:
        yield well(Topic.CLOCK, Says.CLOCK_ALONE, now=f"{now():%Y-%m-%d %H:%M:%S}")
        return
    if not known:
        yield warning(Topic.CLOCK, Says.CLOCK_UNKNOWN, now=f"{now():%Y-%m-%d %H:%M:%S}")
        return
    # Of several registries the one whose time is nearest: that one of theirs is wrong is not this machine's fault.
    name, skew = min(known, key=lambda each: abs(each[1]))
    seconds = round(abs(skew).total_seconds())
    if abs(skew) <= CLOCK_WARNED:
        yield well(Topic.CLOCK, Says.CLOCK_RIGHT, name=name, seconds=max(1, seconds))
        return
    ahead = skew > timedelta(0)
    if abs(skew) <= CLOCK_TOLERANCE:
        yield warning(Topic.CLOCK, Says.CLOCK_AHEAD if ahead else Says.CLOCK_BEHIND, name=name, seconds=seconds)
    else:
        says = Says.CLOCK_FAR_AHEAD if ahead else Says.CLOCK_FAR_BEHIND
        yield failed(Topic.CLOCK, Code.CLOCK_WRONG, says, name=name, seconds=seconds)


def _newer(settings: DaemonSettings, ours: Descriptor, name: str, content: bytes) -> Finding:
    try:
        brought = verify(content, read_authority_key(settings.authority_key))
    except UppropError as error:
        return refused(Topic.OFFER, error, name)
    return warning(Topic.OFFER, Says.DESCRIPTOR_BEHIND, name=name, newer=brought.serial, serial=ours.serial)


def _enough(found: Sequence[Finding], needed: int) -> Iterator[Finding]:
    answering = sum(each.level is Level.OK for each in found)
    for each in found:
        passing = each.level is Level.FAILED and each.code in _PASSING and answering >= needed
        yield replace(each, level=Level.WARNING) if passing else each
