"""A new epoch in the outbox: whatever was said is said under it too, and nothing that is new waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from federation.rules.vocabulary import Handle, OpeningKind, Presence, Urgency
from node.model import OpeningStated, Statement
from node.outbox import PseudonymRef, Version, narrowed, next_version, references, repetition, retraction

TODAY = date(2026, 10, 19)
HANDLE = Handle(bytes(range(16)))
NUMBER, OTHER = b"n" * 32, b"o" * 32
OLD, NEW = PseudonymRef(1, NUMBER), PseudonymRef(2, NUMBER)
HERE = Statement((Presence(date(2026, 8, 17), None, date(2026, 8, 17)),), None, None, moves=True)
LEFT = Statement(
    (Presence(date(2026, 8, 17), TODAY, date(2026, 8, 17)),),
    OpeningStated(OpeningKind.LEFT, TODAY, Urgency.NORMAL),
    None,
    moves=True,
)
NONCE = b"0" * 16


def following(newest: Version | None, said: Statement, *epochs: int) -> Version | None:
    return next_version(
        newest,
        said,
        handle=HANDLE,
        carries=references([NUMBER], epochs),
        opening_number=1,
        nonce=NONCE,
        today=TODAY,
    )


def made(newest: Version | None, said: Statement, *epochs: int) -> Version:
    version = following(newest, said, *epochs)
    assert version is not None
    return version


FIRST = made(None, HERE, 1)


def test_a_new_epoch_alone_makes_a_version_that_only_repeats() -> None:
    both = made(FIRST, HERE, 1, 2)
    assert (both.signal.version, set(both.carries), both.repeats) == (2, {OLD, NEW}, True)
    assert both.signal.presences == FIRST.signal.presences
    assert following(both, HERE, 1, 2) is None
    # The old epoch's end makes none.
    assert following(both, HERE, 2) is None


def test_news_under_a_new_epoch_is_no_repetition() -> None:
    assert not made(FIRST, LEFT, 1, 2).repeats
    assert not made(None, HERE, 1, 2).repeats
    # What was given up unsent was never said, so saying it under the epoch that stands repeats nothing.
    given_up = replace(made(FIRST, LEFT, 1), carries=())
    again = made(given_up, LEFT, 2)
    assert (again.repeats, again.carries) == (False, (NEW,))


def narrow(version: Version, said: Version | None, *missing: PseudonymRef) -> Version | None:
    return narrowed(version, said, missing=frozenset(missing), epochs=[1, 2], today=TODAY)


def test_news_goes_out_without_the_newer_epochs_pseudonym() -> None:
    news = made(FIRST, LEFT, 1, 2)
    assert narrow(news, FIRST, NEW) == replace(news, carries=(OLD,))
    # Afterwards the epoch is still owed.
    assert made(replace(news, carries=(OLD,)), LEFT, 1, 2).repeats


def test_a_new_handle_goes_out_without_the_newer_epochs_pseudonym() -> None:
    version = made(None, HERE, 1, 2)
    assert narrow(version, None, NEW) == replace(version, carries=(OLD,))


def test_what_only_repeats_waits_for_the_pseudonym() -> None:
    assert narrow(made(FIRST, HERE, 1, 2), FIRST, NEW) is None


def test_nothing_goes_out_without_the_oldest_epochs_pseudonyms() -> None:
    news = made(FIRST, LEFT, 1, 2)
    assert narrow(news, FIRST, OLD) is None
    assert narrow(news, FIRST, OLD, NEW) is None
    two = replace(news, carries=references([NUMBER, OTHER], [1, 2]))
    assert narrow(two, FIRST, PseudonymRef(1, OTHER)) is None


def repeated(said: Version | None, newest: Version | None, *epochs: int) -> Version | None:
    return repetition(said, newest, numbers=[OTHER, NUMBER], epochs=epochs, nonce=NONCE)


def test_what_was_said_of_a_protected_pupil_is_repeated_word_for_word() -> None:
    found = repeated(FIRST, FIRST, 1, 2)
    assert found is not None
    assert (found.signal.version, found.repeats) == (2, True)
    assert replace(found.signal, version=1) == FIRST.signal
    # A number that was never sent is not sent now: it may be the one that protects.
    assert set(found.carries) == {OLD, NEW}


def test_what_was_not_sent_before_the_marking_stays_unsaid() -> None:
    unsent = made(FIRST, LEFT, 1)
    found = repeated(FIRST, unsent, 1, 2)
    assert found is not None
    assert (found.signal.version, found.signal.opening) == (3, None)


def test_nothing_is_repeated_that_stands_or_was_never_said() -> None:
    assert repeated(FIRST, FIRST, 1) is None
    assert repeated(None, None, 1, 2) is None
    assert repeated(None, FIRST, 1, 2) is None
    taken_back = retraction(FIRST, nonce=NONCE)
    assert repeated(taken_back, taken_back, 1, 2) is None
    both = made(FIRST, HERE, 1, 2)
    assert repeated(both, both, 2) is None
