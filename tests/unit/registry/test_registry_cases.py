"""Cases and notices from verdicts: properties that hold for every history of states, and the rules by example."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.rules.matching import GapVerdict, lead_of
from federation.rules.vocabulary import (
    CaseOutcome,
    CaseStatus,
    GapState,
    Handle,
    MemberId,
    NoticeKind,
    Opening,
    OpeningKind,
)
from registry.cases import Settlement, settle
from registry.model import Asked, Case, CaseStated, Gap, GapKey, NoticeDraft

SINCE = date(2026, 9, 1)
DUE = date(2026, 9, 14)
MEMBERS = [MemberId(name) for name in ("0180", "1280", "1480")]
KEYS = [GapKey(member, Handle(bytes([index]) * 16), 1) for index, member in enumerate(MEMBERS)]


@dataclass
class Book:
    """What a store would hold between closes."""

    gaps: dict[GapKey, Gap] = field(default_factory=dict)
    cases: dict[bytes, Case] = field(default_factory=dict)
    asked: set[Asked] = field(default_factory=set)
    notices: list[NoticeDraft] = field(default_factory=list)
    ids: Iterable[int] = field(default_factory=itertools.count)

    def close(
        self,
        verdicts: Sequence[GapVerdict],
        today: date,
        *,
        incomplete: bool = False,
        stated: Mapping[GapKey, CaseStated] | None = None,
    ) -> Settlement:
        ids = iter(self.ids)
        settlement = settle(
            verdicts,
            self.gaps,
            self.cases,
            self.asked,
            today,
            coverage_incomplete=incomplete,
            new_id=lambda: next(ids).to_bytes(16, "big"),
            stated=stated,
        )
        self.gaps.update((gap.key, gap) for gap in settlement.gaps)
        self.cases.update((case.case_id, case) for case in settlement.cases)
        self.asked.update(settlement.asked)
        self.notices.extend(settlement.notices)
        return settlement

    def about(self, key: GapKey) -> list[NoticeDraft]:
        return [notice for notice in self.notices if notice.handle == key.handle]

    def told(self, key: GapKey) -> list[str]:
        return [notice.kind.value for notice in self.about(key)]


def verdict(
    key: GapKey,
    state: GapState,
    *meets: GapKey,
    since: date = SINCE,
    kind: OpeningKind = OpeningKind.LEFT,
    confirm: tuple[tuple[MemberId, Handle], ...] = (),
    recheck_on: date | None = None,
) -> GapVerdict:
    return GapVerdict(
        member=key.member,
        handle=key.handle,
        opening=Opening(key.number, kind, since),
        state=state,
        due_on=DUE + (since - SINCE),
        stated=state is not GapState.VOID,
        confirm=confirm,
        meets=frozenset((other.member, other.handle, other.number) for other in meets),
        recheck_on=recheck_on,
    )


def test_the_only_gap_of_a_case_opens_and_leads() -> None:
    book = Book()
    book.close([verdict(KEYS[0], GapState.OPEN)], DUE)
    assert book.told(KEYS[0]) == ["OPENED", "LEAD"]
    assert len({notice.case_name for notice in book.notices}) == 1


def test_whoever_leads_no_longer_is_told_by_linked() -> None:
    book = Book()
    first, second = KEYS[0], KEYS[1]
    book.close([verdict(first, GapState.OPEN, second), verdict(second, GapState.WATCH, first)], DUE)
    book.close(
        [verdict(first, GapState.OPEN, second), verdict(second, GapState.OPEN, first, since=SINCE + timedelta(days=1))],
        DUE + timedelta(days=1),
    )
    assert book.told(first) == ["OPENED", "LEAD", "LINKED"]
    assert book.told(second) == ["OPENED", "LINKED", "LEAD"]


def test_a_gap_restated_for_a_later_day_is_told_again_when_that_day_comes() -> None:
    book = Book()
    book.close([verdict(KEYS[0], GapState.OPEN)], DUE)
    later = verdict(KEYS[0], GapState.WATCH, since=SINCE + timedelta(days=7))
    book.close([later], DUE + timedelta(days=1))
    assert book.cases[book.gaps[KEYS[0]].case_id or b""].closed_on == DUE + timedelta(days=1)
    book.close([replace(later, state=GapState.OPEN)], DUE + timedelta(days=7))
    assert book.told(KEYS[0]) == ["OPENED", "LEAD", "REOPENED", "LEAD"]
    assert len(book.cases) == 1


def test_answered_before_the_due_day_is_told_on_it() -> None:
    book = Book()
    answered = verdict(KEYS[0], GapState.ANSWERED)
    book.close([answered], SINCE)
    assert (book.notices, book.gaps[KEYS[0]].recheck_on) == ([], DUE)
    book.close([answered], DUE)
    assert book.told(KEYS[0]) == ["ANSWERED"]
    assert book.gaps[KEYS[0]].recheck_on is None
    assert book.gaps[KEYS[0]].state_since == SINCE
    assert book.cases == {}


def test_a_recheck_is_never_today_or_before() -> None:
    book = Book()
    book.close([verdict(KEYS[0], GapState.OPEN, recheck_on=DUE)], DUE)
    assert book.gaps[KEYS[0]].recheck_on == DUE + timedelta(days=1)


def test_coverage_is_stated_with_opened_and_reopened_alone() -> None:
    book = Book()
    book.close([verdict(KEYS[0], GapState.OPEN)], DUE, incomplete=True)
    assert [notice.coverage_incomplete for notice in book.notices] == [True, False]
    book.close([verdict(KEYS[0], GapState.ANSWERED)], DUE + timedelta(days=1), incomplete=True)
    book.close([verdict(KEYS[0], GapState.OPEN)], DUE + timedelta(days=2), incomplete=False)
    assert [n.coverage_incomplete for n in book.notices if n.kind is NoticeKind.REOPENED] == [False]
    assert not book.gaps[KEYS[0]].coverage_incomplete


def test_a_confirmation_is_asked_of_each_handle_once_and_for_open_gaps_alone() -> None:
    book = Book()
    other = (MEMBERS[1], Handle(b"o" * 16))
    book.close([verdict(KEYS[0], GapState.WATCH, confirm=(other,))], SINCE)
    assert book.asked == set()
    for days in range(3):
        book.close([verdict(KEYS[0], GapState.OPEN, confirm=(other,))], DUE + timedelta(days=days))
    assert [(n.member, n.handle, n.case_name) for n in book.notices if n.kind is NoticeKind.CONFIRM] == [(*other, None)]


def test_a_case_held_open_by_gaps_outside_the_group_is_left_to_them() -> None:
    """After two gaps parted, one reopens while the other still holds their old case open elsewhere."""
    elsewhere = Case(
        b"c" * 16, MEMBERS[1], SINCE, None, {MEMBERS[0]: b"a" * 16, MEMBERS[1]: b"b" * 16}, child_year_id=b"y" * 16
    )
    gap = Gap(KEYS[0], Opening(1, OpeningKind.LEFT, SINCE), GapState.ANSWERED, DUE, DUE, told=GapState.ANSWERED)
    book = Book({KEYS[0]: replace(gap, case_id=elsewhere.case_id)}, {elsewhere.case_id: elsewhere})
    book.close([verdict(KEYS[0], GapState.OPEN)], DUE)
    assert book.cases[elsewhere.case_id] == elsewhere
    assert book.gaps[KEYS[0]].case_id != elsewhere.case_id


states = st.sampled_from(GapState)
links = st.sets(st.sampled_from([(0, 1), (1, 2), (0, 2)]))
Step = tuple[tuple[GapState, ...], set[tuple[int, int]], bool]
days = st.lists(st.tuples(st.tuples(states, states, states), links, st.booleans()), min_size=1, max_size=8)


def at(day_number: int, step: Step) -> tuple[list[GapVerdict], date]:
    """The verdicts of one day; before its due day a gap is never open."""
    today = SINCE + timedelta(days=5 * day_number)
    stated, linked, _ = step
    verdicts = []
    for index, (key, drawn) in enumerate(zip(KEYS, stated, strict=True)):
        since = SINCE + timedelta(days=index)
        due = DUE + timedelta(days=index)
        unanswered = GapState.WATCH if today < due else GapState.OPEN
        state = unanswered if drawn in (GapState.WATCH, GapState.OPEN) else drawn
        meets = [KEYS[other] for pair in linked if index in pair for other in pair if other != index]
        verdicts.append(verdict(key, state, *meets, since=since))
    return verdicts, today


@given(days)
@settings(max_examples=300)
def test_every_history_keeps_the_invariants(history: list[Step]) -> None:
    book = Book()
    for number, step in enumerate(history):
        verdicts, today = at(number, step)
        before = dict(book.cases)
        settlement = book.close(verdicts, today, incomplete=step[2])
        check_notices(settlement, verdicts, today)
        check_cases(book, verdicts)
        for case_id, case in book.cases.items():
            # Names once given stay: members hold files under them.
            if case_id in before:
                assert before[case_id].names.items() <= case.names.items()
        # The same verdicts again on the same day change nothing.
        assert book.close(verdicts, today, incomplete=step[2]) == Settlement()


def check_notices(settlement: Settlement, verdicts: Sequence[GapVerdict], today: date) -> None:
    due = {each.handle: each.due_on for each in verdicts}
    for notice in settlement.notices:
        assert notice.handle is not None
        assert due[notice.handle] <= today
        needs_case = notice.kind in (NoticeKind.OPENED, NoticeKind.REOPENED, NoticeKind.LINKED, NoticeKind.LEAD)
        assert notice.case_name is not None or not needs_case
    spoken = [(notice.member, notice.handle, notice.kind) for notice in settlement.notices]
    assert len(set(spoken)) == len(spoken)


def check_cases(book: Book, verdicts: Sequence[GapVerdict]) -> None:
    opened = [each for each in verdicts if each.state is GapState.OPEN]
    by_case: dict[bytes, list[GapVerdict]] = {}
    for each in opened:
        gap = book.gaps[GapKey(*each.name)]
        assert gap.case_id is not None
        assert gap.told is GapState.OPEN
        by_case.setdefault(gap.case_id, []).append(each)
    # A case is open exactly while it has an open gap, and led by one of them.
    assert {case_id for case_id, case in book.cases.items() if case.closed_on is None} == by_case.keys()
    for case_id, of_case in by_case.items():
        assert book.cases[case_id].lead == lead_of(of_case)
        for each in of_case:
            gap = book.gaps[GapKey(*each.name)]
            assert gap.leads == (each.member == lead_of(of_case))
            assert gap.linked == (len({other.member for other in of_case}) > 1)
    # Gaps that meet share a case; those that do not, do not.
    for one, other in itertools.combinations(opened, 2):
        if other.name in one.meets:
            assert book.gaps[GapKey(*one.name)].case_id == book.gaps[GapKey(*other.name)].case_id
    # What members were told last of a gap is how it stands.
    for each in verdicts:
        gap = book.gaps[GapKey(*each.name)]
        if gap.state is GapState.OPEN:
            roles = [notice for notice in book.about(gap.key) if notice.kind in (NoticeKind.LEAD, NoticeKind.LINKED)]
            assert (roles[-1].kind is NoticeKind.LEAD) == gap.leads
            named = [notice.case_name for notice in book.about(gap.key) if notice.case_name is not None]
            assert named[-1] == book.cases[gap.case_id or b""].names[gap.key.member]


@given(days)
def test_no_two_members_know_a_case_by_the_same_name(history: list[Step]) -> None:
    book = Book()
    for number, step in enumerate(history):
        book.close(*at(number, step))
    names = [(name, member) for case in book.cases.values() for member, name in case.names.items()]
    assert len({name for name, _ in names}) == len(names)
    told = {notice.case_name: notice.member for notice in book.notices if notice.case_name is not None}
    assert all((name, member) in names for name, member in told.items())
    assert not {name for name, _ in names} & book.cases.keys()


CLOSED = CaseStated(CaseStatus.CLOSED, outcome=CaseOutcome.PLACED)
OFFERS = CaseStated(CaseStatus.ACKNOWLEDGED, offers_lead=True)
TAKES = CaseStated(CaseStatus.ACKNOWLEDGED, takes_lead=True)
NIGHT = timedelta(days=1)


def trio() -> list[GapVerdict]:
    """Three open gaps of one child; the last member's is the latest, so that it leads by the rule."""
    return [
        verdict(key, GapState.OPEN, *(set(KEYS) - {key}), since=SINCE + timedelta(days=index))
        for index, key in enumerate(KEYS)
    ]


def lead(book: Book) -> MemberId:
    [case] = book.cases.values()
    [leading] = [gap.key.member for gap in book.gaps.values() if gap.leads]
    assert leading == case.lead
    return leading


def test_a_lead_that_closes_passes_it_on_by_the_rule_and_is_told_so() -> None:
    book, today = Book(), DUE + timedelta(days=10)
    book.close(trio(), today)
    assert lead(book) == MEMBERS[2]
    book.close(trio(), today + NIGHT, stated={KEYS[2]: CLOSED})
    assert lead(book) == MEMBERS[1]
    assert (book.told(KEYS[2])[-1], book.told(KEYS[1])[-1]) == ("LINKED", "LEAD")
    # Its gap stays its own, open and linked: a status closes no gap.
    assert all(gap.state is GapState.OPEN and gap.linked for gap in book.gaps.values())


def test_the_last_lead_keeps_it_where_all_rest() -> None:
    book, today = Book(), DUE + timedelta(days=10)
    book.close(trio(), today)
    book.close(trio(), today + NIGHT, stated={KEYS[2]: CLOSED})
    book.close(trio(), today + 2 * NIGHT, stated=dict.fromkeys(KEYS, CLOSED))
    assert lead(book) == MEMBERS[1]


def test_a_suspension_is_looked_at_again_on_the_day_that_it_ends() -> None:
    book, today = Book(), DUE + timedelta(days=10)
    rests = {KEYS[2]: CaseStated(CaseStatus.SUSPENDED, today + timedelta(days=7))}
    book.close(trio(), today, stated=rests)
    assert lead(book) == MEMBERS[1]
    assert min(gap.recheck_on for gap in book.gaps.values() if gap.recheck_on) == today + timedelta(days=7)
    book.close(trio(), today + timedelta(days=7), stated=rests)
    assert lead(book) == MEMBERS[2]


def test_a_lead_is_handed_to_who_takes_it_and_not_before() -> None:
    book, today = Book(), DUE + timedelta(days=10)
    book.close(trio(), today)
    book.close(trio(), today + NIGHT, stated={KEYS[2]: OFFERS})
    assert lead(book) == MEMBERS[2]
    # Whoever would take what nobody offers waits.
    book.close(trio(), today + 2 * NIGHT, stated={KEYS[0]: TAKES})
    assert lead(book) == MEMBERS[2]
    both = {KEYS[2]: OFFERS, KEYS[0]: TAKES}
    book.close(trio(), today + 3 * NIGHT, stated=both)
    assert lead(book) == MEMBERS[0]
    assert book.close(trio(), today + 3 * NIGHT, stated=both) == Settlement()
    # It lapses for good when its holder rests.
    book.close(trio(), today + 4 * NIGHT, stated={KEYS[0]: CLOSED})
    assert lead(book) == MEMBERS[2]
    book.close(trio(), today + 5 * NIGHT, stated={})
    assert lead(book) == MEMBERS[2]


def test_who_never_led_has_nothing_to_offer() -> None:
    book, today = Book(), DUE + timedelta(days=10)
    book.close(trio(), today, stated={KEYS[2]: OFFERS, KEYS[0]: TAKES})
    assert lead(book) == MEMBERS[2]
    book.close(trio(), today + NIGHT, stated={KEYS[1]: OFFERS, KEYS[0]: TAKES})
    assert lead(book) == MEMBERS[2]


statuses = st.sampled_from(
    [
        None,
        CLOSED,
        OFFERS,
        TAKES,
        CaseStated(CaseStatus.SUSPENDED, DUE + timedelta(days=12)),
        CaseStated(CaseStatus.REOPENED),
    ]
)


@given(st.lists(st.tuples(days.map(lambda each: each[0]), st.tuples(statuses, statuses, statuses)), max_size=8))
@settings(max_examples=200)
def test_whatever_members_state_somebody_leads_and_states_no_gap(
    history: list[tuple[Step, tuple[CaseStated | None, ...]]],
) -> None:
    book, silent = Book(), Book()
    for number, (step, said) in enumerate(history):
        verdicts, today = at(number, step)
        stated = {key: each for key, each in zip(KEYS, said, strict=True) if each is not None}
        book.close(verdicts, today, stated=stated)
        silent.close(verdicts, today)
        for case in book.cases.values():
            of_case = [gap for gap in book.gaps.values() if gap.case_id == case.case_id and gap.state is GapState.OPEN]
            if case.closed_on is None:
                assert {gap.key.member for gap in of_case if gap.leads} == {case.lead}
                rests = {gap.key.member: gap.key in stated and stated[gap.key].rests(today) for gap in of_case}
                assert not rests[case.lead] or all(rests.values())
        # States, and what is told of them, are as if nobody had stated anything.
        for key, gap in book.gaps.items():
            assert (gap.state, gap.told, gap.linked) == (
                silent.gaps[key].state,
                silent.gaps[key].told,
                silent.gaps[key].linked,
            )
        assert book.close(verdicts, today, stated=stated) == Settlement()
