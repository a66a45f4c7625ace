"""A municipality with case files of several kinds, as its console shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.integration.node_parties import Federation, Node, running
from tests.integration.played import Played
from tests.unit.node.exports import enrolment, person

MEMBER, OTHER = "0180", "1280"
BASELINE, LEFT_SHOWN, DUE_PAST = date(2026, 8, 24), date(2026, 9, 7), date(2026, 9, 21)
LAST_DAY = "2026-09-04"
OPEN, PROTECTED, MOVED, WATCHED = 0, 1, 2, 3
"""Places of the pupils in the export, by what becomes of them."""


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("municipality"), municipality)


@pytest.fixture
def federation(played: Played) -> Iterator[Federation]:
    with played.anew() as parties:
        yield parties


@contextlib.contextmanager
def municipality(directory: Path) -> Iterator[Federation]:
    """On 21 September: one gap is open, one protected, one answered by a move, and one that is watched since Friday."""
    with running(directory, [MEMBER, OTHER], BASELINE) as parties:
        here, there = [person(place) for place in range(30)], [person(place) for place in range(100, 130)]
        parties.day(BASELINE, {MEMBER: here, OTHER: there})
        here[OPEN] = person(OPEN, enrolment(end=LAST_DAY))
        here[PROTECTED] = person(PROTECTED, enrolment(end=LAST_DAY), securityMarking="Sekretessmarkering")
        here[MOVED] = person(MOVED, enrolment(end=LAST_DAY))
        there.append(person(MOVED, enrolment("2026-09-07")))
        parties.day(LEFT_SHOWN, {MEMBER: here, OTHER: there})
        parties.day(date(2026, 9, 14), {MEMBER: here, OTHER: there})
        here[WATCHED] = person(WATCHED, enrolment(end="2026-09-18"))
        parties.day(DUE_PAST, {MEMBER: here, OTHER: there})
        yield parties


@pytest.fixture
def node(federation: Federation) -> Node:
    return federation.nodes[MEMBER]
