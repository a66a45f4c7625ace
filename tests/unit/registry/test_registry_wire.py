"""What a message must be to become a signal, and what a rejected one leaves behind."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Code, UppropError
from federation.rules.vocabulary import (
    Disposition,
    DispositionKind,
    DutyEnded,
    Handle,
    MemberId,
    Notice,
    NoticeKind,
    Opening,
    OpeningKind,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)
from federation.v1 import registry_pb2, signal_pb2
from registry import wire
from registry.model import Rejection, ref_of

DAYS = st.dates(wire.FIRST_DATE, wire.LAST_DATE)


def message() -> signal_pb2.Signal:
    """A sound message with everything in it."""
    return signal_pb2.Signal(
        handle=b"h" * 16,
        version=3,
        pseudonyms=[signal_pb2.Pseudonym(epoch=1, value=b"p" * 32), signal_pb2.Pseudonym(epoch=2, value=b"q" * 32)],
        presences=[
            signal_pb2.Presence(until="2026-02-01", affirmed_on="2025-09-01"),
            signal_pb2.Presence(begins="2026-02-01", until="2026-09-01", met_on="2026-08-30"),
        ],
        opening=signal_pb2.Opening(
            number=1,
            kind=signal_pb2.OPENING_KIND_LEFT,
            since="2026-09-01",
            urgency=signal_pb2.URGENCY_NORMAL,
            planned_start="2026-09-20",
        ),
        duty_ended=signal_pb2.DutyEnded(begins="2026-09-01", review="2026-12-01"),
        nonce=b"n" * 16,
    )


def test_a_sound_message_becomes_the_signal_it_states() -> None:
    assert wire.parse_signal(message()) == Signal(
        handle=Handle(b"h" * 16),
        version=3,
        pseudonyms=(Pseudonym(1, b"p" * 32), Pseudonym(2, b"q" * 32)),
        presences=(
            Presence(None, date(2026, 2, 1), date(2025, 9, 1)),
            Presence(date(2026, 2, 1), date(2026, 9, 1), None, date(2026, 8, 30)),
        ),
        opening=Opening(1, OpeningKind.LEFT, date(2026, 9, 1), Urgency.NORMAL, date(2026, 9, 20)),
        duty_ended=DutyEnded(date(2026, 9, 1), date(2026, 12, 1)),
        nonce=b"n" * 16,
    )


def test_a_drill_says_so() -> None:
    sent = message()
    said = wire.parse_signal(sent)
    assert isinstance(said, Signal)
    sent.drill = True
    assert wire.parse_signal(sent) == replace(said, drill=True)


def test_a_retraction_needs_no_pseudonym() -> None:
    bare = signal_pb2.Signal(handle=b"h" * 16, version=2, retracted=True, nonce=b"n" * 16)
    assert isinstance(wire.parse_signal(bare), Signal)


Edit = Callable[[signal_pb2.Signal], object]


def _presences(*intervals: tuple[str | None, str | None]) -> Edit:
    def edit(message: signal_pb2.Signal) -> None:
        del message.presences[:]
        for begins, until in intervals:
            message.presences.add(begins=begins, until=until)

    return edit


def _set(path: str, value: object) -> Edit:
    def edit(message: signal_pb2.Signal) -> None:
        *parents, last = path.split(".")
        target: object = message
        for name in parents:
            target = target[int(name)] if name.isdigit() else getattr(target, name)  # type: ignore[index]
        setattr(target, last, value)

    return edit


MALFORMED: dict[str, Edit] = {
    "no handle": lambda m: m.ClearField("handle"),
    "short handle": _set("handle", b"h" * 15),
    "long handle": _set("handle", b"h" * 17),
    "version 0": _set("version", 0),
    "no nonce": lambda m: m.ClearField("nonce"),
    "long nonce": _set("nonce", b"n" * 17),
    "no pseudonym": lambda m: m.ClearField("pseudonyms"),
    "five pseudonyms": lambda m: m.pseudonyms.extend(
        [signal_pb2.Pseudonym(epoch=1, value=bytes([number]) * 32) for number in range(3)]
    ),
    "pseudonym twice": lambda m: m.pseudonyms.append(m.pseudonyms[0]),
    "short pseudonym": _set("pseudonyms.0.value", b"p" * 31),
    "no epoch": _set("pseudonyms.1.epoch", 0),
    "nine presences": _presences(*((f"2026-0{month}-01", f"2026-0{month}-02") for month in range(1, 10))),
    "presence ends as it begins": _presences(("2026-02-01", "2026-02-01")),
    "presence ends before it begins": _presences(("2026-02-02", "2026-02-01")),
    "presences in the wrong order": _presences(("2026-05-01", "2026-06-01"), ("2026-02-01", "2026-03-01")),
    "presences that overlap": _presences(("2026-02-01", "2026-03-02"), ("2026-03-01", "2026-04-01")),
    "a presence after one in force": _presences(("2026-02-01", None), ("2026-03-01", None)),
    "a second presence without begin": _presences((None, "2026-02-01"), (None, "2026-03-01")),
    "opening number 0": _set("opening.number", 0),
    "no kind": _set("opening.kind", 0),
    "unknown kind": _set("opening.kind", 9),
    "no urgency": _set("opening.urgency", 0),
    "unknown urgency": _set("opening.urgency", 9),
    "no since": lambda m: m.opening.ClearField("since"),
    "planned start of an immediate opening": _set("opening.urgency", signal_pb2.URGENCY_IMMEDIATE),
    "planned start that is no date": _set("opening.planned_start", ""),
    "end of duty without a day": lambda m: m.duty_ended.ClearField("begins"),
    "review that is no date": _set("duty_ended.review", "soon"),
    "a retraction that states something": _set("retracted", True),
    **{
        f"date {text!r}": _set("opening.since", text)
        for text in (
            "20260901",
            "2026-W36-2",
            "2026-9-1",
            "2026-09-31",
            "2026-02-29",
            "2026-09-01T00:00",
            " 2026-09-1",
            "٢٠٢٦-٠٩-٠١",
            "1989-12-31",
            "2200-01-01",
            "9999-12-31",
            "0001-01-01",
        )
    },
}


@pytest.mark.parametrize("edit", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_message_is_rejected(edit: Edit) -> None:
    broken = message()
    edit(broken)
    answer = wire.parse_signal(broken)
    assert isinstance(answer, Rejection)
    assert answer.code == "SIGNAL_MALFORMED"


def test_a_withdrawal_that_waits_is_an_opening_like_any_other() -> None:
    held = message()
    held.opening.kind = signal_pb2.OPENING_KIND_HELD
    answer = wire.parse_signal(held)
    assert isinstance(answer, Signal)
    assert answer.opening is not None
    assert answer.opening.kind is OpeningKind.HELD


def test_a_rejection_does_not_depend_on_the_pseudonyms_and_does_on_all_else() -> None:
    broken = message()
    broken.version = 0
    other_pseudonym = signal_pb2.Signal.FromString(broken.SerializeToString())
    other_pseudonym.pseudonyms[0].value = b"x" * 32
    other_handle = signal_pb2.Signal.FromString(broken.SerializeToString())
    other_handle.handle = b"x" * 16
    first, same, other = (wire.parse_signal(each) for each in (broken, other_pseudonym, other_handle))
    assert first == same
    assert first != other


@given(st.integers(0, len(message().SerializeToString()) - 1), st.integers(0, 255))
def test_no_byte_changed_on_the_way_does_harm(position: int, value: int) -> None:
    content = bytearray(message().SerializeToString())
    content[position] = value
    try:
        parsed = signal_pb2.Signal.FromString(bytes(content))
    except DecodeError:
        return
    assert isinstance(wire.parse_signal(parsed), Signal | Rejection)


dates = DAYS.map(date.isoformat) | st.text(string.digits + "-", max_size=11)
maybe_dates = st.none() | dates
messages = st.builds(
    signal_pb2.Signal,
    handle=st.binary(min_size=15, max_size=17),
    version=st.integers(0, 2**32 - 1),
    pseudonyms=st.lists(
        st.builds(signal_pb2.Pseudonym, epoch=st.integers(0, 2), value=st.binary(min_size=31, max_size=32)), max_size=5
    ),
    presences=st.lists(
        st.builds(signal_pb2.Presence, begins=maybe_dates, until=maybe_dates, affirmed_on=maybe_dates), max_size=9
    ),
    opening=st.none()
    | st.builds(
        signal_pb2.Opening,
        number=st.integers(0, 3),
        kind=st.integers(0, 4),
        since=dates,
        urgency=st.integers(0, 3),
        planned_start=maybe_dates,
    ),
    duty_ended=st.none() | st.builds(signal_pb2.DutyEnded, begins=dates, review=maybe_dates),
    retracted=st.booleans(),
    nonce=st.binary(min_size=15, max_size=17),
)


@given(messages)
def test_whatever_is_taken_obeys_the_contract(sent: signal_pb2.Signal) -> None:
    signal = wire.parse_signal(sent)
    if isinstance(signal, Rejection):
        assert len(signal.digest) == 32
        return
    assert len(signal.handle) == len(signal.nonce) == 16
    assert signal.version >= 1
    assert len(set(signal.pseudonyms)) == len(signal.pseudonyms) <= 4
    assert signal.pseudonyms or signal.retracted
    assert len(signal.presences) <= 8
    for presence in signal.presences:
        assert presence.begins is None or presence.until is None or presence.begins < presence.until
    for before, after in itertools.pairwise(signal.presences):
        assert before.until is not None
        assert after.begins is not None
        assert before.until <= after.begins
    if signal.opening is not None:
        assert signal.opening.kind is not OpeningKind.HELD
        assert signal.opening.urgency is Urgency.NORMAL or signal.opening.planned_start is None
    if signal.retracted:
        assert (signal.presences, signal.opening, signal.duty_ended) == ((), None, None)


@given(DAYS, st.integers(1, 400))
def test_a_presence_of_any_length_is_taken(begins: date, days: int) -> None:
    sent = message()
    del sent.presences[:]
    until = min(begins + timedelta(days=days), wire.LAST_DATE)
    sent.presences.add(begins=begins.isoformat(), until=until.isoformat())
    assert isinstance(wire.parse_signal(sent), Signal) == (begins < until)


@pytest.mark.parametrize("size", [0, 15, 17])
def test_a_batch_id_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(UppropError) as refused:
        wire.parse_batch_id(b"i" * size)
    assert refused.value.code is Code.REQUEST_INVALID


@pytest.mark.parametrize(("as_of", "roster"), [("2026-9-1", 50), ("", 50), ("2026-09-01", 51), ("2026-09-01", 2**31)])
def test_a_roster_must_be_dated_and_rounded(as_of: str, roster: int) -> None:
    with pytest.raises(UppropError) as refused:
        wire.parse_roster(registry_pb2.ReportRosterRequest(as_of=as_of, roster=roster))
    assert refused.value.code is Code.REQUEST_INVALID


def test_a_notice_number_beyond_the_stores_integers_is_refused() -> None:
    assert wire.parse_notice_number(2**63 - 1) == 2**63 - 1
    with pytest.raises(UppropError):
        wire.parse_notice_number(2**63)


def test_every_disposition_and_notice_kind_has_its_word_in_the_contract() -> None:
    answer = wire.dispositions(
        b"i" * 16, [Disposition(kind, "CODE" if kind is DispositionKind.REJECTED else None) for kind in DispositionKind]
    )
    names = [registry_pb2.DispositionKind.Name(each.kind) for each in answer.dispositions]
    assert names == [f"DISPOSITION_KIND_{kind.value}" for kind in DispositionKind]
    assert [each.HasField("code") for each in answer.dispositions].count(True) == 1
    for kind in NoticeKind:
        sent = wire.notice(Notice(1, kind, date(2026, 9, 14)))
        assert registry_pb2.NoticeKind.Name(sent.kind) == f"NOTICE_KIND_{kind.value}"
        assert not sent.HasField("handle")
        assert not sent.HasField("case_id")


def test_refs_of_members_and_handles_differ() -> None:
    handles = [Handle(bytes([number]) * 16) for number in range(3)]
    members = [MemberId("0180"), MemberId("0180-5561234567"), MemberId("1480")]
    assert len({ref_of(member, handle) for member in members for handle in handles}) == 9
