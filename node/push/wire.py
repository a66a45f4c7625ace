"""Requests of school systems, parsed at the border, and answers to them.

What makes a whole request useless is refused here, with a sentence; what is wrong with one person becomes a remark
later (`ss12000_person`).
"""

from __future__ import annotations

import copy
import hashlib
from datetime import date
from typing import Any

import msgspec

from federation.errors import Code, UppropError
from federation.v1 import enrolment_pb2
from node.casework.holds.model import Asked, HoldId, HoldState
from node.model import Reason
from node.push.requests import (
    MAX_PARTS,
    MAX_PERSONS,
    REQUEST_ID_BYTES,
    Answer,
    Put,
    RosterPart,
    Withdrawal,
)
from node.records.dates import DateError, start_day
from node.records.person import RemarkKind

_REASONS = {
    enrolment_pb2.WITHDRAWAL_REASON_UNSPECIFIED: None,
    enrolment_pb2.WITHDRAWAL_REASON_UNKNOWN_WHEREABOUTS: Reason.UNKNOWN_WHEREABOUTS,
    enrolment_pb2.WITHDRAWAL_REASON_ABROAD_UNDECIDED: Reason.ABROAD_UNDECIDED,
    enrolment_pb2.WITHDRAWAL_REASON_MOVED: Reason.MOVED,
    enrolment_pb2.WITHDRAWAL_REASON_OTHER_SCHOOL: Reason.OTHER_SCHOOL,
    enrolment_pb2.WITHDRAWAL_REASON_OTHER: Reason.OTHER,
}
_KINDS = {
    RemarkKind.REJECTED: enrolment_pb2.REMARK_KIND_REJECTED,
    RemarkKind.UNLINKABLE: enrolment_pb2.REMARK_KIND_UNLINKABLE,
    RemarkKind.NOTE: enrolment_pb2.REMARK_KIND_NOTE,
}


def parse_put(request: enrolment_pb2.PutEnrolmentsRequest) -> Put:
    """Raises UppropError: REQUEST_INVALID, BATCH_TOO_LARGE."""
    size = max(len(request.persons), len(request.deleted_person_ids))
    if size > MAX_PERSONS:
        raise UppropError(
            Code.BATCH_TOO_LARGE, f"The request names {size} persons; send at most {MAX_PERSONS} at a time."
        )
    part = _part(request.roster_part) if request.HasField("roster_part") else None
    if part is not None and request.deleted_person_ids:
        raise _invalid("A roster says by itself who is in it: leave deleted_person_ids out.")
    return Put(
        request_id=_id(request.request_id, "request_id"),
        as_of=_day(request.as_of, "as_of"),
        persons=msgspec.json.encode([_person(person) for person in request.persons]),
        deleted=tuple(request.deleted_person_ids),
        part=part,
        digest=_digest(request),
    )


def parse_withdraw(request: enrolment_pb2.WithdrawRequest) -> Withdrawal:
    """Raises UppropError(REQUEST_INVALID)."""
    if not request.person_id:
        raise _invalid("person_id is empty: say whom this is about.")
    if request.reason not in _REASONS:
        raise _invalid("This node does not know the reason; use one that its contract names.")
    return Withdrawal(
        request_id=_id(request.request_id, "request_id"),
        as_of=_day(request.as_of, "as_of"),
        person_id=request.person_id,
        last_day=_day(request.last_day, "last_day"),
        unit=request.enroled_at or None,
        reason=_REASONS[request.reason],
        digest=_digest(request),
    )


def parse_withdrawal(request: enrolment_pb2.RequestWithdrawalRequest, system: str) -> Asked:
    """Raises UppropError(REQUEST_INVALID)."""
    if not request.person_id:
        raise _invalid("person_id is empty: say whom this is about.")
    reason = _REASONS.get(request.reason)
    if reason is None:
        raise _invalid("A withdrawal needs a reason that the contract names.")
    return Asked(
        HoldId(_id(request.request_id, "request_id")),
        _day(request.last_day, "last_day"),
        reason,
        request.responsible.strip(),
        system,
        unit=request.enroled_at,
    )


WITHDRAWAL_STATES = {
    state: enrolment_pb2.WithdrawalState.Value(f"WITHDRAWAL_STATE_{state.value}") for state in HoldState
}

HOLD_REFUSALS = {
    "responsible": "Say who answers for the request: responsible is empty.",
    "too-long": "A text of the request is too long.",
    "too-far": "The last day lies more than a year ahead.",
    "too-long-ago": "The last day lies more than a year back.",
    "unknown-person": "No person with this id is known here. Put the person first.",
    "not-enrolled": "This person is not enrolled here: there is nothing to withdraw.",
    "not-at-unit": "This person is not enrolled at the school unit of enroled_at.",
    "stands-already": "A withdrawal of this person waits already.",
}
"""By the key of a HoldError."""


def put_response(request_id: bytes, answer: Answer) -> enrolment_pb2.PutEnrolmentsResponse:
    return enrolment_pb2.PutEnrolmentsResponse(
        request_id=request_id,
        remarks=[
            enrolment_pb2.Remark(kind=_KINDS[remark.kind], person=remark.row, field=remark.field, why=remark.why)
            for remark in answer.remarks
        ],
        parts_missing=answer.parts_missing,
    )


def withdraw_response(request_id: bytes, answer: Answer) -> enrolment_pb2.WithdrawResponse:
    return enrolment_pb2.WithdrawResponse(request_id=request_id, ended=answer.ended)


def _part(part: enrolment_pb2.RosterPart) -> RosterPart:
    if not 1 <= part.part <= part.parts <= MAX_PARTS:
        raise _invalid(f"The part of a roster must be one of 1 to parts, of which there are at most {MAX_PARTS}.")
    return RosterPart(_id(part.roster_id, "roster_id"), part.part, part.parts)


def _person(person: enrolment_pb2.Person) -> dict[str, Any]:
    """The person in the shape of SS 12000, whose rules judge it."""
    return {
        "id": person.id,
        "civicNo": {"value": person.civic_no},
        "givenName": person.given_name,
        "middleName": person.middle_name,
        "familyName": person.family_name,
        "birthDate": person.birth_date,
        "sex": person.sex,
        "securityMarking": person.security_marking,
        "personStatus": person.person_status,
        "enrolments": [_enrolment(enrolment) for enrolment in person.enrolments],
    }


def _enrolment(enrolment: enrolment_pb2.Enrolment) -> dict[str, Any]:
    return {
        "enroledAt": {"id": enrolment.enroled_at},
        "schoolType": enrolment.school_type,
        "startDate": enrolment.start_date,
        "endDate": enrolment.end_date,
        "schoolYear": enrolment.school_year if enrolment.HasField("school_year") else None,
        "cancelled": enrolment.cancelled,
    }


def _digest(request: enrolment_pb2.PutEnrolmentsRequest | enrolment_pb2.WithdrawRequest) -> bytes:
    """SHA-256 of all but the request id."""
    content = copy.deepcopy(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.DESCRIPTOR.name.encode() + content.SerializeToString(deterministic=True)).digest()


def _id(value: bytes, field: str) -> bytes:
    if len(value) != REQUEST_ID_BYTES:
        raise _invalid(f"{field} must be {REQUEST_ID_BYTES} random bytes, chosen before the first attempt.")
    return value


def _day(text: str, field: str) -> date:
    try:
        day = start_day(text)
    except DateError:
        day = None
    if day is None:
        raise _invalid(f"{field} is no day of a school year; write it as 2026-10-19.")
    return day


def _invalid(sentence: str) -> UppropError:
    return UppropError(Code.REQUEST_INVALID, sentence)
