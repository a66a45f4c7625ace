"""Whether another member accounts for a gap (design §6): pure, from the signals of one group and a date.

Invariants: the states depend on the highest versions, the last contacts, the answers given before and the date alone —
never on the order in which anything arrived; what is silent, late or in doubt answers nothing; a drill meets drills of
its own member alone; a day that is yet to come counts once it has come. `recheck_on` is a lower bound: before that day
nothing changes unless a new signal, contact or release comes. The limits of `federation.rules.limits` withhold or keep
answers and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from federation.rules.calendar import DAY, SchoolCalendar, due_on
from federation.rules.limits import NOTHING, Given, Remembered, barred_until, counted, kept, precedence
from federation.rules.vocabulary import (
    GapState,
    Handle,
    MemberId,
    Opening,
    OpeningKind,
    Policy,
    Presence,
    Pseudonym,
    Signal,
    Urgency,
)

REMEMBERED_MONTHS = 13
"""A presence without `begins` is older than this; an answer so old has aged out and stands."""

DUTY_ENDED_DAYS = 60
"""An end of duty accounts for a gap that began at most so many days after it."""

SHORT_STAY_SCHOOL_DAYS = 20
"""A presence that its member ended by end of duty so soon answers nobody."""

SILENT_DAYS = 14
"""A member that was last heard from before the gap, and longer ago than this, answers nobody."""

GapName = tuple[MemberId, Handle, int]
"""(member, handle, opening number)."""


@dataclass(frozen=True, slots=True)
class MemberSignal:
    """The highest version of one (member, handle). Pseudonyms may be the registry's keyed ones."""

    member: MemberId
    signal: Signal


@dataclass(frozen=True, slots=True)
class Answer:
    """Which presence accounts for a gap; `entered_on` is the later of its `begins` and `affirmed_on`, if any."""

    member: MemberId
    handle: Handle = field(repr=False)
    entered_on: date | None


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A gap of an earlier evaluation, with its opening as it counted last."""

    member: MemberId
    handle: Handle = field(repr=False)
    opening: Opening
    state: GapState
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class GapVerdict:
    """The state of one gap today. `opening` has the `since` that counts (`limits.counted`).

    `confirm` names the handles of other members that lack only `met_on` to answer an immediate gap; `meets` the other
    gaps of the group whose handles meet this one's; `recheck_on` the first later day on which the state may differ;
    `drill`: of a test pupil.
    """

    member: MemberId
    handle: Handle = field(repr=False)
    opening: Opening
    state: GapState
    due_on: date
    stated: bool
    answer: Answer | None = None
    confirm: tuple[tuple[MemberId, Handle], ...] = field(default=(), repr=False)
    meets: frozenset[GapName] = field(default_factory=frozenset, repr=False)
    recheck_on: date | None = None
    drill: bool = False

    @property
    def name(self) -> GapName:
        return (self.member, self.handle, self.opening.number)


Calendars = Callable[[MemberId], SchoolCalendar]
"""The school calendar of a member."""


def evaluate(
    signals: Sequence[MemberSignal],
    known: Sequence[KnownGap],
    last_contacts: Mapping[MemberId, date],
    today: date,
    policy: Policy,
    calendars: Calendars,
    remembered: Mapping[GapName, Remembered] | None = None,
) -> tuple[GapVerdict, ...]:
    """The state of every gap stated by `signals` or known from before, sorted by name.

    `remembered` is what the limits go by; an opening of which nothing is remembered falls under none.
    """
    group = _Group(signals, last_contacts, today, policy, calendars, remembered or {})
    before = {(gap.member, gap.handle, gap.opening.number): gap for gap in known}
    verdicts: dict[GapName, GapVerdict] = {}
    for own in group.signals:
        if own.signal.opening is not None and not own.signal.retracted:
            name = (own.member, own.signal.handle, own.signal.opening.number)
            verdicts[name] = group.stated(own, own.signal.opening, before.get(name))
    for name, gap in before.items():
        if name not in verdicts:
            verdicts[name] = group.no_longer_stated(gap)
    return tuple(group.linked(verdict, verdicts.values()) for _, verdict in sorted(verdicts.items()))


def leading(open_gaps: Iterable[GapVerdict]) -> GapVerdict | None:
    """The gap whose member leads the case: one that says NOT_PLACED, else the latest `since`, else the lowest id."""
    return min(
        open_gaps,
        key=lambda gap: (gap.opening.kind is not OpeningKind.NOT_PLACED, -gap.opening.since.toordinal(), gap.member),
        default=None,
    )


def lead_of(open_gaps: Iterable[GapVerdict]) -> MemberId | None:
    """The member that leads a case."""
    first = leading(open_gaps)
    return None if first is None else first.member


def coverage_incomplete(
    last_contacts: Mapping[MemberId, date],
    members: Iterable[MemberId],
    today: date,
    policy: Policy,
    calendars: Calendars,
) -> bool:
    """Whether some member has been silent for over `policy.silence_school_days` school days, or was never heard."""
    for member in members:
        days = days_silent(last_contacts.get(member), today, calendars(member))
        if days is None or days > policy.silence_school_days:
            return True
    return False


def days_silent(contact: date | None, today: date, calendar: SchoolCalendar) -> int | None:
    """The member's school days since the day of its newest import, today's among them; None: never heard."""
    return None if contact is None else calendar.count(contact + DAY, today + DAY)


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first_of_next = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(first_of_next - DAY, date(year, month + 1, 1) + timedelta(days=day.day - 1))


_Pair = tuple[MemberId | None, int, bytes]
"""What two signals must share to meet: epoch and pseudonym and, for a drill, its member."""


def _pair(own: MemberSignal, pseudonym: Pseudonym) -> _Pair:
    return own.member if own.signal.drill else None, pseudonym.epoch, pseudonym.value


class _Group:
    """One evaluation of one group."""

    def __init__(
        self,
        signals: Sequence[MemberSignal],
        last_contacts: Mapping[MemberId, date],
        today: date,
        policy: Policy,
        calendars: Calendars,
        remembered: Mapping[GapName, Remembered],
    ) -> None:
        self.signals = sorted(signals, key=lambda own: (own.member, own.signal.handle))
        self._remembered = remembered
        self.last_contacts, self.today, self.policy, self.calendars = last_contacts, today, policy, calendars
        self._by_handle = {(own.member, own.signal.handle): own for own in self.signals}
        self._holders: dict[_Pair, list[MemberSignal]] = {}
        for own in self.signals:
            if not own.signal.retracted:
                for pseudonym in own.signal.pseudonyms:
                    self._holders.setdefault(_pair(own, pseudonym), []).append(own)

    def meeting(self, own: MemberSignal) -> list[MemberSignal]:
        """Those that share an (epoch, pseudonym) pair with `own` directly, itself left out, in a fixed order."""
        met = {
            (other.member, other.signal.handle): other
            for pseudonym in own.signal.pseudonyms
            for other in self._holders.get(_pair(own, pseudonym), ())
            if other is not own
        }
        return [met[key] for key in sorted(met)]

    def stated(self, own: MemberSignal, opening: Opening, known: KnownGap | None) -> GapVerdict:
        memory = self._memory(own, opening)
        opening = counted(opening, memory.received_on, self.policy)
        due = due_on(opening, self.policy, self.calendars(own.member))
        others = [other for other in self.meeting(own) if other.member != own.member]
        stands = kept(memory, opening, self.today, self.policy)
        barred = self._barred_until(own, opening, memory)
        withheld = memory.waits or barred is not None or self._stands_behind(own, opening)
        answers: list[Answer] = []
        unconfirmed: list[tuple[MemberId, Handle]] = []
        for other, presence in () if withheld else self._looked_at(others, stands):
            accounts = self._accounts if stands is None else self._lasts
            if not accounts(presence, other, own, opening):
                continue
            if opening.urgency is Urgency.IMMEDIATE and (presence.met_on is None or presence.met_on < opening.since):
                unconfirmed.append((other.member, other.signal.handle))
            else:
                answers.append(Answer(other.member, other.signal.handle, entered_on(presence)))
        answer = min(
            answers, key=lambda given: (given.entered_on or date.min, given.member, given.handle), default=None
        )
        if answer is None and known is not None:
            answer = self._aged_out(known)
        if answer is not None:
            state = GapState.ANSWERED
        elif self._duty_ended(own.signal, opening):
            state = GapState.ENDED
        else:
            state = GapState.WATCH if self.today < due else GapState.OPEN
        return GapVerdict(
            member=own.member,
            handle=own.signal.handle,
            opening=opening,
            state=state,
            due_on=due,
            stated=True,
            answer=answer,
            confirm=tuple(dict.fromkeys(unconfirmed)) if state in (GapState.WATCH, GapState.OPEN) else (),
            recheck_on=self._first_after_today(
                [
                    *self._days_of(own.signal, opening, due, others),
                    barred,
                    None if stands is None else stands.ends_on(self.policy),
                ]
            ),
            drill=own.signal.drill,
        )

    def _looked_at(
        self, others: Sequence[MemberSignal], stands: Given | None
    ) -> Iterator[tuple[MemberSignal, Presence]]:
        """The presences that may answer, as far as they go today: those of the answer that stands, else all."""
        for other in others:
            if stands is None or (other.member, other.signal.handle) == (stands.member, stands.handle):
                for presence in other.signal.presences:
                    yield other, as_of(presence, self.today)

    def _barred_until(self, own: MemberSignal, opening: Opening, memory: Remembered) -> date | None:
        same = (other for other in self.meeting(own) if other.member == own.member)
        presences = [presence for each in (own, *same) for presence in each.signal.presences]
        return barred_until(memory, opening, presences, self.today, self.policy)

    def _stands_behind(self, own: MemberSignal, opening: Opening) -> bool:
        """Whether the member states another opening of the pupil at the same time, which comes before this one."""
        if not self.policy.answer_kept_days or own.signal.drill:
            return False
        ours = (precedence(self._memory(own, opening)), own.signal.handle)
        return any(
            (precedence(self._memory(other, other.signal.opening)), other.signal.handle) < ours
            for other in self.meeting(own)
            if other.member == own.member and other.signal.opening is not None
        )

    def _memory(self, own: MemberSignal, opening: Opening) -> Remembered:
        return self._remembered.get((own.member, own.signal.handle, opening.number), NOTHING)

    def _lasts(self, presence: Presence, other: MemberSignal, own: MemberSignal, opening: Opening) -> bool:  # noqa: ARG002
        """Whether the presence of an answer that stands is in force, whatever day the opening was restated to."""
        return presence.in_force(self.today) and not self._silent(other.member, opening.since)

    def _accounts(self, presence: Presence, other: MemberSignal, own: MemberSignal, opening: Opening) -> bool:
        """Whether another member's presence would answer, `met_on` left aside. The order is that of design §6."""
        if presence.begins is not None and presence.begins > self.today:
            return False
        if presence.until is not None and presence.until <= opening.since:
            return False
        entered = entered_on(presence)
        if entered is None or entered < last_entered(own.signal.presences, opening.since):
            return False
        if opening.kind is OpeningKind.NOT_PLACED and not presence.in_force(self.today):
            return False
        return not self._short_stay(presence, other) and not self._silent(other.member, opening.since)

    def _short_stay(self, presence: Presence, other: MemberSignal) -> bool:
        ended = other.signal.duty_ended
        if ended is None or presence.until is None or presence.begins is None or ended.begins > presence.until:
            return False
        stay = self.calendars(other.member).count(presence.begins, presence.until)
        return ended.begins >= presence.begins and stay <= SHORT_STAY_SCHOOL_DAYS

    def _silent(self, member: MemberId, since: date) -> bool:
        contact = self.last_contacts.get(member)
        return contact is None or (contact < since and (self.today - contact).days > SILENT_DAYS)

    def _duty_ended(self, signal: Signal, opening: Opening) -> bool:
        ended = signal.duty_ended
        if ended is None or ended.begins < opening.since - timedelta(days=DUTY_ENDED_DAYS):
            return False
        return ended.review is None or self.today <= ended.review

    def _aged_out(self, known: KnownGap) -> Answer | None:
        """An answer given before that nobody can state any more because it lies too far back."""
        if known.state is not GapState.ANSWERED or known.answer is None:
            return None
        entered_on = known.answer.entered_on
        if entered_on is None or entered_on < months_before(self.today, REMEMBERED_MONTHS):
            return known.answer
        return None

    def no_longer_stated(self, known: KnownGap) -> GapVerdict:
        own = self._by_handle.get((known.member, known.handle))
        answer = None
        if own is not None and not own.signal.retracted:
            begun = [
                presence.begins
                for presence in own.signal.presences
                if presence.begins is not None and known.opening.since <= presence.begins <= self.today
            ]
            answer = Answer(known.member, known.handle, min(begun)) if begun else self._aged_out(known)
        return GapVerdict(
            member=known.member,
            handle=known.handle,
            opening=known.opening,
            state=GapState.VOID if answer is None else GapState.ANSWERED,
            due_on=due_on(known.opening, self.policy, self.calendars(known.member)),
            stated=False,
            answer=answer,
            recheck_on=self._first_after_today(
                presence.begins for presence in (own.signal.presences if own is not None else ())
            ),
            drill=own is not None and own.signal.drill,
        )

    def linked(self, verdict: GapVerdict, verdicts: Iterable[GapVerdict]) -> GapVerdict:
        own = self._by_handle.get((verdict.member, verdict.handle))
        if own is None:
            return verdict
        met = {(other.member, other.signal.handle) for other in self.meeting(own)}
        met.add((verdict.member, verdict.handle))
        meets = frozenset(
            other.name for other in verdicts if other.name != verdict.name and (other.member, other.handle) in met
        )
        return replace(verdict, meets=meets)

    def _days_of(
        self, own: Signal, opening: Opening, due: date, others: Sequence[MemberSignal]
    ) -> Iterator[date | None]:
        """The days on which what the signals say of the gap may come to another state."""
        yield due
        if own.duty_ended is not None and own.duty_ended.review is not None:
            yield own.duty_ended.review + DAY
        for other in others:
            contact = self.last_contacts.get(other.member)
            if contact is not None and contact < opening.since:
                yield contact + timedelta(days=SILENT_DAYS + 1)
            for presence in other.signal.presences:
                yield from (presence.begins, presence.until, presence.affirmed_on, presence.met_on)

    def _first_after_today(self, days: Iterable[date | None]) -> date | None:
        return min((day for day in days if day is not None and day > self.today), default=None)


def as_of(presence: Presence, today: date) -> Presence:
    """The presence without what is dated after today: a pupil affirmed or seen in the year 2030 is neither yet."""
    affirmed_on, met_on = presence.affirmed_on, presence.met_on
    if all(day is None or day <= today for day in (affirmed_on, met_on)):
        return presence
    return replace(
        presence,
        affirmed_on=None if affirmed_on is not None and affirmed_on > today else affirmed_on,
        met_on=None if met_on is not None and met_on > today else met_on,
    )


def entered_on(presence: Presence) -> date | None:
    """The later of `begins` and `affirmed_on`; None where both lie further back than is told."""
    return max((day for day in (presence.begins, presence.affirmed_on) if day is not None), default=None)


def last_entered(presences: Sequence[Presence], since: date) -> date:
    """`begins` of the member's last presence before `since`; 13 months before where it is absent or there is none."""
    long_ago = months_before(since, REMEMBERED_MONTHS)
    return max(
        (presence.begins or long_ago for presence in presences if presence.begins is None or presence.begins < since),
        default=long_ago,
    )
