"""Which version of a signal comes next (design §4.2): pure, from the newest version made and what can be said today.

Invariants: a version that was made never changes; the same statement over the same newest version makes none, so that
repetition and restarts are harmless; versions count up by one per handle; a version names the pseudonyms that join it
at sending, so that sending it again sends the same content.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.matching import REMEMBERED_MONTHS, months_before
from federation.rules.vocabulary import (
    MAX_PRESENCES,
    MAX_PSEUDONYMS,
    NONCE_BYTES,
    Handle,
    Presence,
    Signal,
)
from node.model import Statement

FIRST_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class PseudonymRef:
    """A pseudonym by what it is made of: the epoch and the keyed index of the number (32 bytes, local to the node)."""

    epoch: int
    number_index: bytes

    def __repr__(self) -> str:
        return f"PseudonymRef(epoch={self.epoch})"


@dataclass(frozen=True, slots=True)
class Version:
    """A signal as it stands in the outbox: without pseudonyms, but naming those that join it at sending.

    `repeats`: it says nothing but what was said before, under an epoch that this did not carry.
    """

    signal: Signal
    carries: tuple[PseudonymRef, ...]
    repeats: bool = False


def references(numbers: Sequence[bytes], epochs: Sequence[int]) -> tuple[PseudonymRef, ...]:
    """Each of a pupil's numbers under each standing epoch, at most `MAX_PSEUDONYMS`.

    `numbers` come with the current one first. Where there are too many, older numbers give way before any epoch does:
    a member that has one epoch alone must still be met.
    """
    newest_first = sorted(set(epochs), reverse=True)
    return tuple([PseudonymRef(epoch, number) for number in numbers for epoch in newest_first][:MAX_PSEUDONYMS])


def next_version(
    newest: Version | None,
    statement: Statement,
    *,
    handle: Handle,
    carries: Sequence[PseudonymRef],
    opening_number: int,
    nonce: bytes,
    today: date,
    drill: bool = False,
) -> Version | None:
    """The version that says `statement`, or None where the newest version says it already or nothing is to be said.

    `newest` is the newest version made, whether acknowledged, waiting or parked; `opening_number` the number the
    statement's opening has (`node.gaps.opening_number`); `nonce` 16 random bytes; `drill`: of a test pupil.
    """
    _check_nonce(nonce)
    if newest is None and not statement.moves:
        # Movers only; an end of duty alone makes no handle known to the registry either.
        return None
    signal = Signal(
        handle=handle,
        version=FIRST_VERSION if newest is None else newest.signal.version + 1,
        pseudonyms=(),
        presences=statement.presences[-MAX_PRESENCES:],
        opening=None if statement.opening is None else statement.opening.numbered(opening_number),
        duty_ended=statement.duty_ended,
        nonce=nonce,
        drill=drill,
    )
    version = Version(signal, tuple(carries))
    if newest is None or not newest.carries:
        return version
    if says_the_same(newest, version, today):
        return None
    return replace(version, repeats=says_the_same(replace(newest, carries=version.carries), version, today))


def retraction(newest: Version | None, *, nonce: bytes, again: bool = False) -> Version | None:
    """The version that takes a handle back; None where nothing was ever made for it or it is taken back already.

    `again`: the registry did not take the retraction that was made, so there is to be another.

    It names no pseudonyms: the handle says enough, and a number that was a typing error may be another child's.
    """
    _check_nonce(nonce)
    if newest is None or (newest.signal.retracted and not again):
        return None
    signal = Signal(
        handle=newest.signal.handle,
        version=newest.signal.version + 1,
        pseudonyms=(),
        retracted=True,
        nonce=nonce,
        drill=newest.signal.drill,
    )
    return Version(signal, ())


def repetition(
    said: Version | None, newest: Version | None, *, numbers: Sequence[bytes], epochs: Sequence[int], nonce: bytes
) -> Version | None:
    """The version that says `said` once more, word for word, under epochs that it lacks; None where none is due.

    For a pupil of whom nothing more is said (protected, renumbered): what was said before stands, so it has to be met
    by the pseudonyms of a new epoch too; and a handle that lacked it would tell the registry which pupils these are.
    `said` is the newest version that the registry has or is sent, `newest` the newest made, `numbers` the indexes of
    the pupil's numbers, the current one first: one that `said` does not carry was never sent and is not sent now.
    """
    _check_nonce(nonce)
    if said is None or newest is None or said.signal.retracted:
        return None
    borne = {ref.number_index for ref in said.carries}
    carries = references([number for number in numbers if number in borne], epochs)
    if set(carries) <= set(said.carries):
        return None
    signal = replace(said.signal, version=newest.signal.version + 1, nonce=nonce)
    return Version(signal, carries, repeats=True)


def narrowed(
    version: Version, said: Version | None, *, missing: AbstractSet[PseudonymRef], epochs: Sequence[int], today: date
) -> Version | None:
    """The version with those pseudonyms alone that are known, if that is enough to be sent; else it waits.

    While two epochs stand, evaluators or a quota may lack for the newer one: what is new about a pupil must not wait
    for that. Enough is every pseudonym of the oldest epoch, which every member's handles carry until it ends, and news
    beyond `said`, the newest version that the registry has or is sent.
    """
    known = tuple(ref for ref in version.carries if ref not in missing)
    oldest = min(epochs)
    if not known or any(ref.epoch == oldest for ref in version.carries if ref in missing):
        return None
    narrow = replace(version, carries=known)
    return None if said is not None and says_the_same(said, narrow, today) else narrow


def says_the_same(newest: Version, other: Version, today: date) -> bool:
    """Whether `other` says nothing beyond `newest` but what time alone has changed.

    Time alone: a `begins` that has aged to absent, a presence so long ended that it is no longer told, a pseudonym
    of an epoch that no longer stands.
    """
    then, now = newest.signal, other.signal
    if (then.opening, then.duty_ended, then.retracted) != (now.opening, now.duty_ended, now.retracted):
        return False
    if not set(other.carries) <= set(newest.carries):
        return False
    forgotten = months_before(today, REMEMBERED_MONTHS)
    told = [presence for presence in then.presences if not _long_ended(presence, forgotten)]
    still = [presence for presence in now.presences if not _long_ended(presence, forgotten)]
    return len(told) == len(still) and all(map(_aged, told, still))


def _long_ended(presence: Presence, forgotten: date) -> bool:
    return presence.until is not None and presence.until <= forgotten


def _aged(then: Presence, now: Presence) -> bool:
    return now == then or (now.begins is None and now == replace(then, begins=None))


def _check_nonce(nonce: bytes) -> None:
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
