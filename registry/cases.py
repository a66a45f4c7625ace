"""Cases and what members are told of them. Pure: verdicts and what stood before, in; what stands now, out.

Invariants
    - Nothing is told about a gap before the first close on or after its due day, so that no submission is an oracle.
    - A gap has at most one case for as long as it lives; open gaps that meet share one; a case is open exactly while it
      has an open gap.
    - Of a linked case, the newest of LINKED and LEAD about a gap says whether its member leads: LEAD yes, LINKED no.
    - A drill's gaps meet no pupil's: a case is a drill's or a child's from its first day.
    - All cases of one child that opened in one year bear one child-year id, by which the child is counted once.
    - Settling the same verdicts again on the same day changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from federation.rules.matching import GapVerdict, lead_of, leading
from federation.rules.vocabulary import CaseStatus, GapState, MemberId, NoticeKind, OpeningKind
from registry.model import Asked, Case, CaseStated, FirstOpening, Gap, GapKey, NoticeDraft

_FIRST_WORD = {
    GapState.OPEN: NoticeKind.OPENED,
    GapState.ANSWERED: NoticeKind.ANSWERED,
    GapState.ENDED: NoticeKind.ENDED,
}
_RELEASED = frozenset({GapState.ANSWERED, GapState.ENDED})
"""A withdrawal that waits is let go once its pupil is accounted for, due or not."""

_LATER_WORD = {
    GapState.OPEN: NoticeKind.REOPENED,
    GapState.ANSWERED: NoticeKind.ANSWERED,
    GapState.ENDED: NoticeKind.ENDED,
    GapState.VOID: NoticeKind.VOIDED,
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one group's verdicts change: only gaps and cases that differ from before, in a fixed order.

    `first_openings` of the cases that have come to be, drills' left out: no statistics count one.
    """

    gaps: tuple[Gap, ...] = ()
    cases: tuple[Case, ...] = ()
    notices: tuple[NoticeDraft, ...] = ()
    asked: tuple[Asked, ...] = ()
    first_openings: tuple[FirstOpening, ...] = ()


def settle(
    verdicts: Sequence[GapVerdict],
    before: Mapping[GapKey, Gap],
    cases: Mapping[bytes, Case],
    asked: Collection[Asked],
    today: date,
    *,
    coverage_incomplete: bool,
    new_id: Callable[[], bytes],
    stated: Mapping[GapKey, CaseStated] | None = None,
) -> Settlement:
    """Turn the verdicts about one group into its gaps, cases and notices.

    `before` and `cases` hold what stood for this group, `asked` the confirmations already asked for; `new_id` gives 16
    random bytes; `stated` is what members say of their case files.
    """
    by_key = {_key(verdict): verdict for verdict in verdicts}
    opened = [verdict for verdict in verdicts if verdict.state is GapState.OPEN]
    after_cases = _assign(_linked_sets(opened), before, cases, today, new_id, stated or {})
    case_of = {key: case for case, keys in after_cases for key in keys}
    members_of = {case.case_id: {key.member for key in keys} for case, keys in after_cases}
    # On that day its member leads again, if it did before.
    resumes = {
        key: each.until
        for key, each in (stated or {}).items()
        if each.rests(today) and key in case_of and len(members_of[case_of[key].case_id]) > 1
    }

    gaps: list[Gap] = []
    notices: list[NoticeDraft] = []
    now_asked: list[Asked] = []
    for key in sorted(by_key):
        verdict, old = by_key[key], before.get(key)
        told, word = _tell(verdict, old, today)
        case = case_of.get(key)
        gap = Gap(
            key=key,
            opening=verdict.opening,
            state=verdict.state,
            state_since=old.state_since if old is not None and old.state is verdict.state else today,
            due_on=verdict.due_on,
            answer=verdict.answer,
            told=told,
            case_id=case.case_id if case is not None else old.case_id if old is not None else None,
            linked=case is not None and members_of[case.case_id] != {key.member},
            leads=case is not None and case.lead == key.member,
            coverage_incomplete=(
                coverage_incomplete
                if word in (NoticeKind.OPENED, NoticeKind.REOPENED)
                else old is not None and old.coverage_incomplete
            ),
            recheck_on=_recheck_on(verdict, told, today, resumes=resumes.get(key)),
        )
        if gap != old:
            gaps.append(gap)
        notices.extend(_notices(gap, old, word, case))
    for key, member, handle in confirmations(verdicts):
        if (key, member, handle) not in asked:
            now_asked.append((key, member, handle))
            notices.append(NoticeDraft(member, NoticeKind.CONFIRM, handle))

    settled = {case.case_id: case for case, _ in after_cases}
    for case_id, case in cases.items():
        # Open before, and none of its gaps is open any more, or another case took them: the last lead keeps it.
        if case.closed_on is None and case_id not in settled and _held_here(case_id, before):
            settled[case_id] = replace(case, closed_on=today)
    settled = _counted_once({**cases, **settled})
    changed = tuple(settled[case_id] for case_id in sorted(settled) if settled[case_id] != cases.get(case_id))
    begun = [(case, keys) for case, keys in after_cases if case.case_id not in cases and not case.drill]
    first_openings = tuple(_first_opening(case, [by_key[key] for key in keys]) for case, keys in begun)
    return Settlement(tuple(gaps), changed, tuple(notices), tuple(now_asked), first_openings)


def _first_opening(case: Case, linked: Iterable[GapVerdict]) -> FirstOpening:
    """What statistics count the child of a new case by, whatever becomes of the case."""
    first = leading(linked)
    assert first is not None  # a case has at least one gap on the day it opens
    return FirstOpening(case.case_id, case.opened_on, first.member, first.opening.kind)


def confirmations(verdicts: Iterable[GapVerdict]) -> list[Asked]:
    """Whom to ask whether the pupil was seen: for open gaps that lack nothing else."""
    opened = (verdict for verdict in verdicts if verdict.state is GapState.OPEN)
    return [(_key(verdict), member, handle) for verdict in opened for member, handle in verdict.confirm]


def _key(verdict: GapVerdict) -> GapKey:
    return GapKey(*verdict.name)


def _held_here(case_id: bytes, before: Mapping[GapKey, Gap]) -> bool:
    """Whether an open gap of this group holds the case open."""
    return any(gap.case_id == case_id and gap.state is GapState.OPEN for gap in before.values())


def _linked_sets(opened: Iterable[GapVerdict]) -> list[list[GapVerdict]]:
    """Open gaps that meet, directly or over other open gaps, as sorted lists in a fixed order."""
    by_name = {verdict.name: verdict for verdict in opened}
    left = set(by_name)
    sets = []
    for first in sorted(by_name):
        if first not in left:
            continue
        left.remove(first)
        linked, frontier = {first}, {first}
        while frontier:
            frontier = {name for near in frontier for name in by_name[near].meets if name in left}
            left -= frontier
            linked |= frontier
        sets.append([by_name[name] for name in sorted(linked)])
    return sets


def _assign(
    sets: Sequence[Sequence[GapVerdict]],
    before: Mapping[GapKey, Gap],
    cases: Mapping[bytes, Case],
    today: date,
    new_id: Callable[[], bytes],
    stated: Mapping[GapKey, CaseStated],
) -> list[tuple[Case, list[GapKey]]]:
    """Give every set of linked open gaps one case: the oldest its gaps have, else a new one.

    Where gaps of one case no longer meet (a pseudonym was taken back), the set that comes first keeps the case. A case
    that is held open by gaps outside this group is left to them.
    """
    claimed: set[bytes] = set()
    assigned = []
    for linked in sets:
        keys = [_key(verdict) for verdict in linked]
        # In the order of the gaps, so that no random id decides which of two cases of one day stays.
        theirs = dict.fromkeys(gap.case_id for key in keys if (gap := before.get(key)) is not None)
        free = [
            cases[case_id]
            for case_id in theirs
            if case_id is not None
            and case_id not in claimed
            and (cases[case_id].closed_on is not None or _held_here(case_id, before))
        ]
        # Cases open now come first: their names are the ones that members hold open files under.
        oldest = min(free, key=lambda case: (case.closed_on is not None, case.opened_on), default=None)
        lead, handed_to = _lead(linked, oldest, stated, today)
        case = oldest if oldest is not None else _new_case(lead, today, new_id, drill=linked[0].drill)
        lead_since = case.lead_since if lead == case.lead else today
        claimed.add(case.case_id)
        unnamed = sorted({key.member for key in keys} - case.names.keys())
        names = {**case.names, **{member: new_id() for member in unnamed}} if unnamed else case.names
        assigned.append(
            (replace(case, lead=lead, lead_since=lead_since, closed_on=None, names=names, handed_to=handed_to), keys)
        )
    return assigned


def _lead(
    linked: Sequence[GapVerdict], case: Case | None, stated: Mapping[GapKey, CaseStated], today: date
) -> tuple[MemberId, MemberId | None]:
    """Who leads a set of linked gaps, and to whom it was handed over, if to anybody.

    Whose case file is closed or suspended leads no more. A hand-over counts once the lead offers it and another one
    says that it takes it: until then the lead leads, so that somebody does at every moment. Where all rest, the last
    lead keeps it.
    """
    working = [verdict for verdict in linked if not _stated(verdict, stated).rests(today)]
    members = {verdict.member for verdict in working}
    by_rule = lead_of(working) or lead_of(linked)
    assert by_rule is not None  # a set holds at least one gap
    if not working:
        last = None if case is None else case.lead
        return (last if last in {verdict.member for verdict in linked} else by_rule), None
    handed_to = case.handed_to if case is not None and case.handed_to in members else None
    lead = handed_to or by_rule
    offered = any(verdict.member == lead and _stated(verdict, stated).offers_lead for verdict in working)
    takers = [verdict.member for verdict in working if verdict.member != lead and _stated(verdict, stated).takes_lead]
    # Told by an earlier close: an offer by who does not know yet that it leads would pass on what it never had.
    led = case is not None and case.lead == lead and (case.lead_since is None or case.lead_since < today)
    if offered and takers and led:
        handed_to = lead = min(takers)
    return lead, handed_to


_WORKING = CaseStated(CaseStatus.NEW)
"""Of a case file of which nothing was said."""


def _stated(verdict: GapVerdict, stated: Mapping[GapKey, CaseStated]) -> CaseStated:
    return stated.get(_key(verdict), _WORKING)


def _new_case(lead: MemberId, today: date, new_id: Callable[[], bytes], *, drill: bool) -> Case:
    return Case(new_id(), lead, opened_on=today, drill=drill, child_year_id=new_id(), lead_since=today)


def _counted_once(cases: Mapping[bytes, Case]) -> dict[bytes, Case]:
    """The cases of one group, which is one child: those of a year bear the id of the first of them."""
    first: dict[tuple[int, bool], Case] = {}
    for case in sorted(cases.values(), key=lambda case: (case.opened_on, case.case_id)):
        first.setdefault((case.opened_on.year, case.drill), case)
    return {
        case_id: replace(case, child_year_id=first[case.opened_on.year, case.drill].child_year_id)
        for case_id, case in cases.items()
    }


def _tell(verdict: GapVerdict, old: Gap | None, today: date) -> tuple[GapState | None, NoticeKind | None]:
    """What the member has been told after this close, and the notice that tells it now."""
    told, state = (old.told if old is not None else None), verdict.state
    if told is None:
        if verdict.opening.kind is OpeningKind.HELD and state in _RELEASED:
            # Not on the day that is the first to see it, however often it is closed: nobody asks in the evening and
            # knows in the night.
            first = old is None or (old.state in _RELEASED and old.state_since == today)
            return (None, None) if first else (state, _released(verdict, _FIRST_WORD[state]))
        if today < verdict.due_on or state not in _FIRST_WORD:
            return None, None
        return state, _FIRST_WORD[state]
    if state is GapState.WATCH:
        # Restated to a later day: of an open gap its member knows that by itself, but not that an answer is gone.
        return (told, None) if told is GapState.OPEN else (GapState.OPEN, NoticeKind.REOPENED)
    # A gap that went back to WATCH and is open again is told so.
    again = state is GapState.OPEN and old is not None and old.state is not GapState.OPEN
    return (state, _released(verdict, _LATER_WORD[state])) if state is not told or again else (told, None)


def _released(verdict: GapVerdict, word: NoticeKind) -> NoticeKind:
    """Of a withdrawal that waits, an answer lets it go."""
    held = verdict.opening.kind is OpeningKind.HELD
    return NoticeKind.RELEASED if held and word is NoticeKind.ANSWERED else word


def _recheck_on(verdict: GapVerdict, told: GapState | None, today: date, *, resumes: date | None) -> date | None:
    days = [day for day in (verdict.recheck_on, resumes) if day is not None]
    if told is None and verdict.state is not GapState.VOID and today < verdict.due_on:
        # Answered or ended before its due day: the member is told on that day, of a hold by the next close.
        released = verdict.opening.kind is OpeningKind.HELD and verdict.state in _RELEASED
        days.append(today + timedelta(days=1) if released else verdict.due_on)
    # Never today: a close looks at every gap that is due until none is left.
    return max(min(days), today + timedelta(days=1)) if days else None


def _notices(gap: Gap, old: Gap | None, word: NoticeKind | None, case: Case | None) -> Iterable[NoticeDraft]:
    kinds = [word] if word is not None else []
    if case is not None:
        # Another case means another name: all that was told under the old one is told anew.
        same = old is not None and old.case_id == gap.case_id
        was_linked, did_lead = (old.linked, old.leads) if old is not None and same else (False, False)
        if gap.linked and (not was_linked or (did_lead and not gap.leads)):
            kinds.append(NoticeKind.LINKED)
        if gap.leads and (not did_lead or NoticeKind.LINKED in kinds):
            kinds.append(NoticeKind.LEAD)
    name = case.names[gap.key.member] if case is not None else None
    for kind in kinds:
        yield NoticeDraft(
            member=gap.key.member,
            kind=kind,
            handle=gap.key.handle,
            opening_number=gap.key.number,
            case_name=name,
            coverage_incomplete=gap.coverage_incomplete and kind in (NoticeKind.OPENED, NoticeKind.REOPENED),
        )
