"""What keeps the registry from being a search engine (design §6, Against misuse): pure.

    backdated   a `since` long before its opening was first received counts as less long before
    kept        an answer to an opening stands for a while, whatever day the opening is restated to, and is the only one
                that its member gets about the pupil in that time, under however many handles it asks
    waiting     openings beyond what a member may state in a month are answered only once a person lets them

Invariants: an opening is never withheld, an answer may be; an answer that is kept lasts no longer than the presence
that gave it; with a value of 0 in the policy a limit is off; nothing here depends on the order in which anything came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from federation.rules.vocabulary import Handle, MemberId, Opening, Policy, Presence


@dataclass(frozen=True, slots=True)
class Given:
    """The answer that a presence of another member gave: by the close of `on`, to an opening `since` then."""

    on: date
    since: date
    member: MemberId
    handle: Handle = field(repr=False)

    def holds_on(self, today: date, policy: Policy) -> bool:
        """Whether it is so new that it is still the only one to be had."""
        return today < self.ends_on(policy)

    def ends_on(self, policy: Policy) -> date:
        return self.on + timedelta(days=policy.answer_kept_days)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of one opening beside its signal.

    `received_on` is the day the registry first received it; `given` its newest answer by another member, also where it
    has fallen away since; `earlier` those of its member's other openings about the pupil; `waits`: for a person to let
    it be answered.
    """

    received_on: date | None = None
    given: Given | None = None
    earlier: tuple[Given, ...] = ()
    waits: bool = False


NOTHING = Remembered()


def counted(opening: Opening, received_on: date | None, policy: Policy) -> Opening:
    """The opening with the `since` that counts: at most `policy.backdating_days` before it was first received."""
    if received_on is None or not policy.backdating_days:
        return opening
    return replace(opening, since=max(opening.since, received_on - timedelta(days=policy.backdating_days)))


def kept(remembered: Remembered, opening: Opening, today: date, policy: Policy) -> Given | None:
    """The answer that alone can account for an opening restated to another day since; None: match it as ever."""
    given = remembered.given
    if given is None or given.since == opening.since or not given.holds_on(today, policy):
        return None
    return given


def barred_until(
    remembered: Remembered, opening: Opening, own: Iterable[Presence], today: date, policy: Policy
) -> date | None:
    """The day until which no presence elsewhere answers the opening, its member having had an answer about the pupil.

    `own` are the presences of all handles under which the member speaks of the pupil: one that began between the
    openings makes the later one another matter. An opening that has its own answer is no further one beside those that
    were answered since.
    """
    answered = remembered.given
    if answered is not None and answered.since != opening.since and not answered.holds_on(today, policy):
        answered = None
    begun = [presence.begins for presence in own if presence.begins is not None and presence.begins < opening.since]
    return max(
        (
            given.ends_on(policy)
            for given in remembered.earlier
            if given.holds_on(today, policy)
            and (answered is None or given.on < answered.on)
            and not any(begins >= given.since for begins in begun)
        ),
        default=None,
    )


def precedence(remembered: Remembered) -> tuple[bool, date, date]:
    """Of several openings that one member states of one pupil at once the least may be answered, and no other."""
    given = remembered.given
    return remembered.waits, given.on if given is not None else date.max, remembered.received_on or date.min


def monthly_openings(policy: Policy, roster: int | None) -> int | None:
    """How many openings a member may state in a month; None: any number. A roster not told counts as none."""
    if not policy.monthly_openings:
        return None
    return max(policy.monthly_openings, (roster or 0) * policy.monthly_openings_percent // 100)
