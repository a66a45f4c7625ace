"""The canonical bytes tell statements apart, and nothing else."""

from dataclasses import replace
from datetime import date

import pytest

from federation.rules.canonical import content_digest
from federation.rules.vocabulary import (
    DutyEnded,
    Handle,
    Opening,
    OpeningKind,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)

SIGNAL = Signal(
    Handle(b"h" * 16),
    3,
    (Pseudonym(1, b"a" * 32), Pseudonym(2, b"b" * 32)),
    (Presence(date(2026, 8, 20), date(2026, 9, 2), date(2026, 8, 24), None),),
    Opening(1, OpeningKind.LEFT, date(2026, 9, 2)),
    DutyEnded(date(2026, 9, 2)),
    nonce=b"n" * 16,
)

OTHERS = [
    replace(SIGNAL, handle=Handle(b"i" * 16)),
    replace(SIGNAL, version=4),
    replace(SIGNAL, pseudonyms=SIGNAL.pseudonyms[:1]),
    replace(SIGNAL, pseudonyms=(Pseudonym(2, b"a" * 32), Pseudonym(1, b"b" * 32))),
    replace(SIGNAL, presences=()),
    replace(SIGNAL, presences=(Presence(date(2026, 8, 20), date(2026, 9, 2), None, date(2026, 8, 24)),)),
    replace(SIGNAL, opening=None),
    replace(SIGNAL, opening=Opening(1, OpeningKind.LEFT, date(2026, 9, 2), Urgency.IMMEDIATE)),
    replace(SIGNAL, opening=Opening(1, OpeningKind.LEFT, date(2026, 9, 2), planned_start=date(2026, 9, 9))),
    replace(SIGNAL, duty_ended=None),
    replace(SIGNAL, duty_ended=DutyEnded(date(2026, 9, 2), date(2026, 12, 1))),
    replace(SIGNAL, retracted=True),
    replace(SIGNAL, drill=True),
]


@pytest.mark.parametrize("other", OTHERS)
def test_another_statement_has_another_digest(other: Signal) -> None:
    assert content_digest(other) != content_digest(SIGNAL)


def test_all_these_digests_differ() -> None:
    assert len({content_digest(signal) for signal in [SIGNAL, *OTHERS]}) == len(OTHERS) + 1


def test_digests_from_before_there_were_drills_stand() -> None:
    assert content_digest(SIGNAL).hex() == "223b076d8d3e2be3a6e200f2e9857b4ca755abf41539ec0dda6b26701592d0c9"


def test_order_of_pseudonyms_and_nonce_state_nothing() -> None:
    same = replace(SIGNAL, pseudonyms=SIGNAL.pseudonyms[::-1], nonce=b"m" * 16)
    assert content_digest(same) == content_digest(SIGNAL)
