"""What the API's answers say, read strictly where something could be lost and leniently elsewhere (SS 12000:2020).

Pure: bytes to values. Strict: a page is JSON, an object, with a list `data`; what looks like an error document is
none. Lenient: `pageToken` null, empty or absent is the end; `data: null` is an empty page; unknown members are passed
over, and a person that cannot be read is left for the import to remark on.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec


class List(enum.StrEnum):
    """The lists of the API, by their paths."""

    ORGANISATIONS = "organisations"
    DELETED = "deletedEntities"
    PERSONS = "persons"
    ATTENDANCE_EVENTS = "attendanceEvents"
    AGGREGATED_ATTENDANCE = "aggregatedAttendance"


class PageError(ValueError):
    """An answer that is no page. Holds no value of it."""


@dataclass(frozen=True, slots=True)
class Page:
    """The elements of one page, each as JSON, and the token of the next one; None: it was the last."""

    elements: tuple[msgspec.Raw, ...] = field(repr=False)
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What fetching needs to know of a person. `modified` is None where it is not said or not understood."""

    person_id: str = field(repr=False)
    enrolled: bool
    modified: datetime | None


class _Page(msgspec.Struct, rename="camel"):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    page_token: str | int | None = None
    error: Any = None
    errors: Any = None


class _Meta(msgspec.Struct):
    modified: str | None = None


class _Person(msgspec.Struct):
    id: str
    enrolments: list[msgspec.Raw] | None = None
    meta: _Meta | None = None


_Member = msgspec.Raw | msgspec.UnsetType


class _Kept(msgspec.Struct, rename="camel"):
    id: _Member = msgspec.UNSET
    meta: _Member = msgspec.UNSET
    civic_no: _Member = msgspec.UNSET
    given_name: _Member = msgspec.UNSET
    middle_name: _Member = msgspec.UNSET
    family_name: _Member = msgspec.UNSET
    birth_date: _Member = msgspec.UNSET
    sex: _Member = msgspec.UNSET
    security_marking: _Member = msgspec.UNSET
    person_status: _Member = msgspec.UNSET
    enrolments: _Member = msgspec.UNSET


class _Organisation(msgspec.Struct, rename="camel"):
    id: str
    display_name: str


class _Deleted(msgspec.Struct, rename="camel"):
    id: str
    entity_type: str = "person"


class _DeletedByType(msgspec.Struct):
    persons: list[msgspec.Raw] | None = None


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_page = msgspec.json.Decoder(_Page).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_by_type = msgspec.json.Decoder(_DeletedByType).decode
_person = msgspec.json.Decoder(_Person).decode
_kept = msgspec.json.Decoder(_Kept).decode
_organisation = msgspec.json.Decoder(_Organisation).decode
_deleted = msgspec.json.Decoder(str | _Deleted).decode
_names = msgspec.json.Decoder(list[tuple[str, str]]).decode
_encode = msgspec.json.Encoder().encode


def read_page(body: bytes, which: List) -> Page:
    """The page of an answer with status 200; PageError where it is none."""
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        page = _page(body)
        if page.data is msgspec.UNSET:
            raise PageError("it has no `data`")
        if page.error or page.errors:
            raise PageError("it speaks of an error")
        data = bytes(page.data)
        if data == b"null":
            elements = []
        elif which is List.DELETED and data.startswith(b"{"):
            elements = _by_type(data).persons or []
        else:
            elements = _list(data)
        # Elements are decoded one by one later: what is no UTF-8 must not turn up then.
        body.decode()
    except (msgspec.DecodeError, RecursionError):
        raise PageError("it is not JSON of that shape") from None
    except UnicodeDecodeError:
        raise PageError("it is not UTF-8 text") from None
    return Page(tuple(elements), str(page.page_token) if page.page_token not in (None, "") else None)


def glimpse(element: msgspec.Raw) -> Glimpse | None:
    """None where the element is no person."""
    try:
        person = _person(element)
    except msgspec.ValidationError:
        return None
    return Glimpse(person.id, bool(person.enrolments), _instant(person.meta.modified if person.meta else None))


def needed(element: msgspec.Raw) -> msgspec.Raw:
    """The person without what no import reads: addresses, telephone numbers, guardians."""
    try:
        return msgspec.Raw(_encode(_kept(element)))
    except msgspec.ValidationError:
        # No object: for the import to remark on.
        return element


def deleted_ids(elements: Sequence[msgspec.Raw]) -> list[str]:
    """Ids of deleted persons; an element that is neither an id nor an object with one raises PageError."""
    try:
        found = [_deleted(element) for element in elements]
    except msgspec.DecodeError:
        raise PageError("it lists something else than ids") from None
    return [
        one if isinstance(one, str) else one.id
        for one in found
        if isinstance(one, str) or one.entity_type.lower() in ("person", "persons")
    ]


def names(elements: Sequence[msgspec.Raw]) -> list[tuple[str, str]]:
    """(id, name) of organisations; one that has none is left out: the names are for people to read."""
    found: list[tuple[str, str]] = []
    for element in elements:
        try:
            organisation = _organisation(element)
        except msgspec.ValidationError:
            continue
        found.append((organisation.id, organisation.display_name))
    return found


# -- as pages are kept ------------------------------------------------------------------------------------------------


def pack(elements: Sequence[msgspec.Raw] | Sequence[str] | Sequence[tuple[str, str]]) -> bytes:
    """A page's elements as one compressed JSON list."""
    return zlib.compress(_encode(elements), 3)


def unpack(content: bytes) -> list[msgspec.Raw]:
    return _list(zlib.decompress(content))


def unpack_ids(content: bytes) -> list[str]:
    return [msgspec.json.decode(element, type=str) for element in unpack(content)]


def unpack_names(content: bytes) -> list[tuple[str, str]]:
    return _names(zlib.decompress(content))


def _instant(text: str | None) -> datetime | None:
    """RFC 3339; a time without zone is taken as UTC."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
