"""What may become of a case file (design §6): pure.

    NEW → ACKNOWLEDGED → SCHOOL_ENQUIRY → CROSS_ENQUIRY → ESCALATED → ABROAD_FOLLOW_UP → CLOSED(outcome)
    SUSPENDED(until) from any of them, and REOPENED out of it, or out of CLOSED

Steps may be passed over and gone back to: work does not go in a straight line. Invariants: nothing leads back to NEW; a
suspension ends on its day, whoever looks; a close has an outcome, a classification that a person chose, and a reason.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from datetime import date, timedelta

from federation.rules.vocabulary import CaseOutcome, CaseStatus, GapState
from node.casework.files.model import CaseFile, Classification

MAX_SUSPENDED_DAYS = 61
"""Two months: for so long at most a case rests on what is doubtful."""

WORKED = frozenset(
    {
        CaseStatus.ACKNOWLEDGED,
        CaseStatus.SCHOOL_ENQUIRY,
        CaseStatus.CROSS_ENQUIRY,
        CaseStatus.ESCALATED,
        CaseStatus.ABROAD_FOLLOW_UP,
    }
)


class Refused(enum.StrEnum):
    """Why a status is not set; each has a text `refused.<value>`."""

    NOT_FROM_HERE = "not-from-here"
    UNTIL_MISSING = "until-missing"
    UNTIL_PAST = "until-past"
    UNTIL_TOO_LATE = "until-too-late"
    OUTCOME_MISSING = "outcome-missing"
    CLASSIFICATION_MISSING = "classification-missing"
    REASON_MISSING = "reason-missing"
    NO_COLLEAGUE = "no-colleague"


class RefusedError(Exception):
    """A change that the rules do not allow; `why` says which."""

    def __init__(self, why: Refused) -> None:
        super().__init__(why.value)
        self.why = why


def next_statuses(file: CaseFile) -> tuple[CaseStatus, ...]:
    """What may be set now, in the order of the work."""
    if file.status is CaseStatus.CLOSED:
        return (CaseStatus.REOPENED,)
    found = [status for status in CaseStatus if status in WORKED and status is not file.status]
    found.append(CaseStatus.REOPENED if file.status is CaseStatus.SUSPENDED else CaseStatus.SUSPENDED)
    found.append(CaseStatus.CLOSED)
    return tuple(found)


def with_status(
    file: CaseFile,
    status: CaseStatus,
    today: date,
    *,
    why: str = "",
    until: date | None = None,
    outcome: CaseOutcome | None = None,
) -> CaseFile:
    """The case file with another status. Raises RefusedError."""
    if status not in next_statuses(file):
        raise RefusedError(Refused.NOT_FROM_HERE)
    if status is CaseStatus.SUSPENDED:
        if until is None:
            raise RefusedError(Refused.UNTIL_MISSING)
        if until <= today:
            raise RefusedError(Refused.UNTIL_PAST)
        if until > today + timedelta(days=MAX_SUSPENDED_DAYS):
            raise RefusedError(Refused.UNTIL_TOO_LATE)
    if status in (CaseStatus.SUSPENDED, CaseStatus.CLOSED, CaseStatus.REOPENED) and not why.strip():
        raise RefusedError(Refused.REASON_MISSING)
    closes = status is CaseStatus.CLOSED
    if closes and outcome is None:
        raise RefusedError(Refused.OUTCOME_MISSING)
    if closes and file.classification is Classification.UNDETERMINED and outcome is not CaseOutcome.DATA_ERROR:
        raise RefusedError(Refused.CLASSIFICATION_MISSING)
    return replace(
        file,
        status=status,
        status_since=today,
        suspended_until=until if status is CaseStatus.SUSPENDED else None,
        outcome=outcome if closes else None,
        closed_on=today if closes else None,
    )


def on_day(file: CaseFile, today: date) -> CaseFile:
    """The case file as time alone leaves it: a suspension has ended on its day."""
    if file.status is CaseStatus.SUSPENDED and file.suspended_until is not None and file.suspended_until <= today:
        return replace(file, status=CaseStatus.REOPENED, status_since=today, suspended_until=None)
    return file


def on_gap(file: CaseFile, state: GapState, today: date) -> CaseFile:
    """The case file after its gap came to a state: a person decides, but for one that is closed.

    A gap that was accounted for and is no more opens it again, however it was closed. One that was closed while its gap
    was open stays so.
    """
    after = replace(file, gap_state=state)
    fell_away = state is GapState.OPEN and file.gap_state in ACCOUNTED_FOR
    if not (fell_away and file.status is CaseStatus.CLOSED):
        return after
    return replace(after, status=CaseStatus.REOPENED, status_since=today, outcome=None, closed_on=None)


ACCOUNTED_FOR = frozenset({GapState.ANSWERED, GapState.ENDED, GapState.VOID})
