"""Fetching, as far as it is rules: pages, patience, times of day, addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from federation.errors import Code, UppropError
from node.records import ss12000_person
from node.records.person import PersonRecord
from node.records.ss12000_api.delivery import Fetched
from node.records.ss12000_api.pages import List, PageError, deleted_ids, glimpse, names, needed, pack, read_page, unpack
from node.records.ss12000_api.schedule import AGAIN_AFTER, is_due
from node.records.ss12000_api.settings import SchoolSystem, given
from node.records.ss12000_api.transport import (
    ATTEMPTS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LONGEST_RETRY_AFTER,
    pause_before,
)
from node.store.fetches import Fetch, FetchState
from tests.unit.node.exports import enrolment, person, person_id

# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "elements", "token"),
    [
        (b'{"data": [], "pageToken": null}', 0, None),
        (b'{"data": []}', 0, None),
        (b'{"data": null}', 0, None),
        (b'{"data": [{"id": "a"}, {"id": "b"}], "pageToken": ""}', 2, None),
        (b'{"pageToken": "a+/=&", "data": [1], "meta": {"total": 9}}', 1, "a+/=&"),
        (b'{"data": [1], "pageToken": 50}', 1, "50"),
        (b'\xef\xbb\xbf{"data": [1]}', 1, None),
        (b'{"data": [1], "error": null, "errors": []}', 1, None),
    ],
)
def test_what_is_a_page(body: bytes, elements: int, token: str | None) -> None:
    page = read_page(body, List.PERSONS)
    assert (len(page.elements), page.token) == (elements, token)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"null",
        b"{}",
        b'{"data": {}}',
        b'{"data": "none"}',
        b'{"data": [{"id": "a"}',
        b'{"data": []} and more',
        b'{"data": [], "pageToken": {}}',
        b'{"data": [], "errors": [{"message": "timeout"}]}',
        b'{"data": null, "error": "timeout"}',
        b'{"code": "500", "message": "timeout"}',
        b'{"data": [{"id": "\xff"}]}',
        b'{"data": [{"id": "\\ud800"}]}',
        b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        '{"data": []}'.encode("utf-16"),
    ],
    ids=range(17),
)
def test_what_is_none(body: bytes) -> None:
    with pytest.raises(PageError):
        read_page(body, List.PERSONS)


@pytest.mark.parametrize(
    "data",
    [
        b'{"persons": ["a", "b"], "activities": ["c"]}',
        b'["a", "b"]',
        b'[{"id": "a"}, {"id": "b", "entityType": "Person"}, {"id": "c", "entityType": "Group"}]',
    ],
)
def test_deleted_persons_are_found_in_any_of_the_forms(data: bytes) -> None:
    page = read_page(b'{"data": ' + data + b"}", List.DELETED)
    assert deleted_ids(page.elements) == ["a", "b"]


@pytest.mark.parametrize("data", [b"{}", b'{"persons": null}', b'{"groups": ["a"]}', b"[]", b"null"])
def test_nobody_was_deleted(data: bytes) -> None:
    assert deleted_ids(read_page(b'{"data": ' + data + b"}", List.DELETED).elements) == []


def test_deleted_things_that_have_no_id_are_not_passed_over() -> None:
    with pytest.raises(PageError):
        deleted_ids(read_page(b'{"data": {"persons": [{"uuid": "a"}]}}', List.DELETED).elements)


def test_an_organisation_without_a_name_is_left_out() -> None:
    data = b'{"data": [{"id": "u", "displayName": "Ekskolan"}, {"id": "v"}, 7]}'
    assert names(read_page(data, List.ORGANISATIONS).elements) == [("u", "Ekskolan")]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-08-24T05:30:00+02:00", datetime(2026, 8, 24, 3, 30, tzinfo=UTC)),
        ("2026-08-24T03:30:00.123456Z", datetime(2026, 8, 24, 3, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-08-24T03:30:00", datetime(2026, 8, 24, 3, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_times_of_modification(text: str, instant: datetime | None) -> None:
    seen = glimpse(msgspec.Raw(msgspec.json.encode({"id": "a", "meta": {"modified": text}})))
    assert seen is not None
    assert seen.modified == instant


# -- the delivery ------------------------------------------------------------------------------------------------------


def _fetched(*pages: Sequence[object], whole: bool = True) -> Fetched:
    kept = [pack([msgspec.Raw(msgspec.json.encode(one)) for one in page]) for page in pages]
    return Fetched(lambda which: iter(kept if which is List.PERSONS else ()), whole=whole)


def _starts(delivery: Fetched) -> list[date | None]:
    read = [item for item in delivery.read(lambda _done, _total: None) if isinstance(item, PersonRecord)]
    return [record.rows[0].start for record in read]


def _of(start: str, modified: str | None) -> dict[str, object]:
    meta = {} if modified is None else {"meta": {"modified": modified}}
    return person(0, enrolment(start), **meta)


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", date(2026, 2, 2)),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", date(2026, 1, 1)),
        ("2026-01-02T00:00:00+02:00", "2026-01-01T23:00:00Z", date(2026, 2, 2)),
        ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", date(2026, 2, 2)),
        ("2026-01-02T00:00:00Z", None, date(2026, 1, 1)),
        (None, None, date(2026, 2, 2)),
    ],
)
def test_of_a_person_on_two_pages_the_one_modified_last_counts(
    first: str | None, second: str | None, counts: date
) -> None:
    delivery = _fetched([_of("2026-01-01", first)], [], [_of("2026-02-02", second)])
    assert _starts(delivery) == [counts]


def test_the_digest_does_not_depend_on_where_pages_end() -> None:
    everyone = [person(place) for place in range(5)]
    digests = set()
    for pages in ([everyone], [everyone[:2], [], everyone[2:]], [[one] for one in everyone]):
        delivery = _fetched(*pages)
        _starts(delivery)
        digests.add(delivery.digest)
    changes = _fetched(everyone, whole=False)
    _starts(changes)
    assert len(digests) == 1
    assert changes.digest not in digests


def test_of_a_person_is_kept_what_an_import_reads_and_no_more() -> None:
    contacts = {"emails": [{"value": "a@example.se"}], "addresses": [{}], "responsibles": [{"person": {"id": "x"}}]}
    shown = person(0, meta={"modified": "2026-08-24T03:30:00Z"}, middleName="M")
    assert msgspec.json.decode(needed(msgspec.Raw(msgspec.json.encode({**shown, **contacts})))) == shown
    read = {field.encode_name for field in msgspec.structs.fields(ss12000_person._Person)}
    assert read <= shown.keys()
    assert bytes(needed(msgspec.Raw(b"[7]"))) == b"[7]"


def test_a_page_is_kept_as_it_was() -> None:
    elements = (msgspec.Raw(b'{"id": "a"}'), msgspec.Raw(b"7"))
    assert [bytes(each) for each in unpack(pack(elements))] == [b'{"id": "a"}', b"7"]


# -- patience ----------------------------------------------------------------------------------------------------------


def test_pauses_double_up_to_a_limit_and_are_never_the_same() -> None:
    longest = [pause_before(attempt, None, 1.0) for attempt in range(2, 20)]
    shortest = [pause_before(attempt, None, 0.0) for attempt in range(2, 20)]
    assert longest[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pause or 0 for pause in longest) == LONGEST_PAUSE
    assert all(
        low is not None and high is not None and low == high / 2 for low, high in zip(shortest, longest, strict=True)
    )


@pytest.mark.parametrize("jitter", [0.0, 0.7])
def test_a_server_is_never_asked_again_before_it_said(jitter: float) -> None:
    for asked in (0.0, 1.0, LONGEST_RETRY_AFTER):
        pause = pause_before(ATTEMPTS, asked, jitter)
        assert pause is not None
        assert asked <= pause <= asked + 1
    assert pause_before(2, LONGEST_RETRY_AFTER + 1, jitter) is None


# -- times of day ------------------------------------------------------------------------------------------------------

STOCKHOLM = ZoneInfo("Europe/Stockholm")
TODAY = date(2026, 8, 24)
AT = time(5, 30)
MORNING = datetime(2026, 8, 24, 6, 0, tzinfo=STOCKHOLM)


def _run(day: date, state: FetchState, failed_at: datetime | None = None) -> Fetch:
    failure = None if failed_at is None else Code.PEER_UNREACHABLE
    return Fetch(1, "main", b"", day, state, None, MORNING, failure=failure, failed_at=failed_at)


@pytest.mark.parametrize(
    ("now", "last", "current", "due"),
    [
        (MORNING, None, None, True),
        (MORNING.replace(hour=5, minute=29), None, None, False),
        (MORNING, _run(TODAY, FetchState.TAKEN), None, False),
        (MORNING, _run(TODAY - timedelta(days=1), FetchState.TAKEN), None, True),
        (MORNING, None, _run(TODAY, FetchState.FETCHING), True),
        (MORNING, None, _run(TODAY, FetchState.FETCHED), True),
        (MORNING, None, _run(TODAY, FetchState.FETCHING, MORNING - timedelta(minutes=5)), False),
        (MORNING, None, _run(TODAY, FetchState.FETCHING, MORNING - AGAIN_AFTER), True),
        (MORNING, None, _run(TODAY, FetchState.REFUSED, MORNING - timedelta(hours=3)), False),
        (MORNING, None, _run(TODAY - timedelta(days=1), FetchState.REFUSED, MORNING - timedelta(minutes=5)), True),
    ],
)
def test_when_a_fetch_is_due(now: datetime, last: Fetch | None, current: Fetch | None, due: bool) -> None:
    assert is_due(AT, TODAY, now, last=last, current=current) is due


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["https://skola.example.se", "https://skola.example.se:8443/v2/", "http://127.0.0.1:80/x", "http://[::1]/x"]
)
def test_addresses_to_which_a_token_may_be_sent(url: str) -> None:
    assert given(url, Path("token"), None).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://skola.example.se",
        "http://127.0.0.1.example.se/",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "https://",
        "https:skola.example.se",
        "https://user:secret@skola.example.se/",
        "https://skola.example.se/?key=1",
        "https://skola.example.se/#x",
        "https://skola.example.se:99999/",
        "https://skölan.example.se/",
        "",
    ],
)
def test_addresses_to_which_none_may(url: str) -> None:
    with pytest.raises(UppropError) as caught:
        given(url, Path("token"), None)
    assert caught.value.code is Code.CONFIG_INVALID
    assert "secret@" not in caught.value.sentence


def test_there_is_one_way_to_a_token() -> None:
    token, secret = Path("token"), Path("secret")
    url = "https://skola.example.se"
    SchoolSystem(url=url, token_url=f"{url}/token", client_id="node", client_secret_file=secret)
    with pytest.raises(ValueError, match="either"):
        SchoolSystem(url=url)
    with pytest.raises(ValueError, match="either"):
        SchoolSystem(url=url, token_file=token, token_url=f"{url}/token")
    with pytest.raises(ValueError, match="client_secret_file"):
        SchoolSystem(url=url, token_url=f"{url}/token", client_id="node")
    with pytest.raises(ValueError, match="token_url"):
        SchoolSystem(url=url, token_file=token, scope="read")
    with pytest.raises(ValueError, match="https"):
        SchoolSystem(url=url, token_url="http://elsewhere/token", client_id="node", client_secret_file=secret)


def test_nothing_of_a_person_is_shown_by_accident() -> None:
    page = read_page(b'{"data": [{"id": "%s"}], "pageToken": "secret"}' % person_id(1).encode(), List.PERSONS)
    seen = glimpse(page.elements[0])
    assert person_id(1) not in repr(page) + repr(seen)
    assert "secret" not in repr(page)
