"""The API over HTTP: its shape, what it refuses, and what it never does. A real server, figures that are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import pytest

from federation.errors import Code, UppropError
from federation.web.headers import HEADERS
from federation.web.i18n import Language
from federation.web.limits import CallLimit
from registry.statistics import jsonstat
from registry.statistics.reading import (
    Dimension,
    Document,
    Format,
    Level,
    NamedCode,
    Pending,
    Selection,
    TableInfo,
    TableSummary,
)
from tests.harness.http_face import HttpFace, face
from tests.harness.statistics_source import MONTHS, FixedSource, figure

PROBLEM = "application/problem+json"
TABLES = "/api/v2/tables"
MUNICIPALITIES = f"{TABLES}/municipality-year/data"


@dataclass
class AskedSource(FixedSource):
    """Takes further questions, draws them at the second time they are asked, and remembers what it was asked."""

    questions: list[tuple[str, tuple[Selection, ...], Level]] = field(default_factory=list)
    refusal: UppropError | None = None

    def tables(self, language: Language) -> tuple[TableSummary, ...]:
        if self.refusal is not None:
            raise self.refusal
        return super().tables(language)

    def table(self, table_id: str, language: Language) -> TableInfo:
        info = super().table(table_id, language)
        if table_id != "own-selection":
            return info
        places = Dimension("Region", "region", "geo", (NamedCode("0180", "Stockholm"), NamedCode("01", "län")), ())
        months = Dimension("Tid", "månad", "time", tuple(NamedCode(each, each) for each in MONTHS), ())
        return replace(info, dimensions=(places, months, info.dimensions[-1]))

    def data(
        self, table_id: str, selections: tuple[Selection, ...], level: Level, form: Format, language: Language
    ) -> Document | Pending:
        self.questions.append((table_id, selections, level))
        if table_id == "own-selection":
            return Pending("2026/query/1", 7)
        if form is not Format.JSON_STAT2:
            return Document(f"{table_id} as {form}".encode(), f"made/{form}", ("2025",))
        return super().data(table_id, selections, level, form, language)


@pytest.fixture
def source() -> AskedSource:
    return AskedSource()


@pytest.fixture
def public(source: AskedSource) -> Iterator[HttpFace]:
    with face(source) as served:
        yield served


@pytest.fixture
def authority(source: AskedSource) -> Iterator[HttpFace]:
    with face(source, level=Level.AUTHORITY) as served:
        yield served


# --- what it gives --------------------------------------------------------------------------------------------------


def test_config_states_languages_formats_and_limits(source: AskedSource) -> None:
    with face(source, limit=CallLimit(30, 10), title="Skolmyndigheten", data_license="CC0-1.0") as served:
        told = served.ask("/api/v2/config").json()
    assert (told["maxCallsPerTimeWindow"], told["timeWindow"]) == (30, 10)
    assert told["maxDataCells"] > 0
    assert ([each["id"] for each in told["languages"]], told["defaultLanguage"]) == (["sv", "en"], "sv")
    assert (told["dataFormats"], told["defaultDataFormat"]) == (["json-stat2", "csv", "xlsx"], "json-stat2")
    assert told["license"] == "CC0-1.0"
    assert {each["text"] for each in told["sourceReferences"]} == {"Källa: Skolmyndigheten", "Source: Skolmyndigheten"}


def test_every_table_is_listed_with_its_periods_and_links(public: HttpFace) -> None:
    told = public.ask(f"{TABLES}?lang=en").json()
    listed = {each["id"]: each for each in told["tables"]}
    assert set(listed) == {
        "nation-month",
        "county-month",
        "nation-year",
        "municipality-year",
        "closed-county-year",
    }
    table = listed["county-month"]
    assert (table["firstPeriod"], table["lastPeriod"], table["timeUnit"]) == ("2024M01", "2026M09", "Monthly")
    assert listed["municipality-year"]["timeUnit"] == "Annual"
    assert table["variableNames"] == ["Region", "Tid", "ContentsCode"]
    assert told["page"] == {"pageNumber": 1, "pageSize": 100, "totalElements": 5, "totalPages": 1, "links": []}
    for link in table["links"]:
        base = f"http://127.0.0.1:{public.port}"
        assert link["href"].startswith(f"{base}{TABLES}/county-month")
        assert public.ask(link["href"].removeprefix(base)).status == 200


def test_tables_are_searched_and_paged(public: HttpFace) -> None:
    first = public.ask(f"{TABLES}?pageSize=2&pageNumber=1").json()
    last = public.ask(f"{TABLES}?pageSize=2&pageNumber=3").json()
    assert (len(first["tables"]), len(last["tables"]), first["page"]["totalPages"]) == (2, 1, 3)
    found = public.ask(f"{TABLES}?query=county").json()["tables"]
    assert [each["id"] for each in found] == ["county-month", "closed-county-year"]
    assert public.ask(f"{TABLES}?pastDays=3").json()["tables"] == []
    assert len(public.ask(f"{TABLES}?pastDays=30").json()["tables"]) == 5
    assert public.ask(f"{TABLES}?pageNumber=7").status == 404


def test_metadata_is_a_dataset_without_values(public: HttpFace) -> None:
    told = public.ask(f"{TABLES}/municipality-year/metadata").json()
    assert (told["version"], told["class"], told["value"]) == ("2.0", "dataset", None)
    assert told["id"] == ["Region", "Tid", "ContentsCode"]
    assert told["size"] == [len(told["dimension"][name]["category"]["index"]) for name in told["id"]]
    assert told["role"] == {"geo": ["Region"], "time": ["Tid"], "metric": ["ContentsCode"]}
    assert (
        told["dimension"]["Region"]["category"]["index"]["0114"]
        > told["dimension"]["Region"]["category"]["index"]["00"]
    )
    assert told["dimension"]["ContentsCode"]["category"]["unit"]["CHILDREN"] == {"base": "children", "decimals": 0}
    assert told["extension"]["sdc"] == {"mechanism": "discrete Gaussian", "rho": 0.1}
    [listed, _] = told["dimension"]["Region"]["extension"]["codeLists"]
    [link] = listed["links"]
    codes = public.ask(link["href"].removeprefix(f"http://127.0.0.1:{public.port}")).json()
    assert codes["type"] == "Valueset"
    assert [each["code"] for each in codes["values"]][:2] == ["01", "03"]


def test_data_is_what_the_registry_said_to_the_last_byte(public: HttpFace, source: AskedSource) -> None:
    answer = public.ask(f"{MUNICIPALITIES}?valueCodes[Region]=0180,0880&valueCodes[Tid]=2025&lang=sv")
    selections = (Selection("Region", ("0180", "0880")), Selection("Tid", ("2025",)))
    said = source.data("municipality-year", selections, Level.PUBLIC, Format.JSON_STAT2, Language.SWEDISH)
    assert isinstance(said, Document)
    assert (answer.content, answer.headers["content-type"]) == (said.content, "application/json")
    assert jsonstat.parse(answer.content).status == {4: ":", 5: ":", 6: ":", 7: ":"}


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("valueCodes[Tid]=2024M01,2026M09", ("2024M01", "2026M09")),
        ("valuecodes[Tid]=top(2)", ("2026M08", "2026M09")),
        ("valueCodes[Tid]=top(1,1)", ("2026M08",)),
        ("valueCodes[Tid]=TOP(1),bottom(2)", ("2026M09", "2024M01", "2024M02")),
        ("valueCodes[Tid]=from(2026M08)", ("2026M08", "2026M09")),
        ("valueCodes[Tid]=to(2024M02)", ("2024M01", "2024M02")),
        ("valueCodes[Tid]=range(2024M01,2024M03)", ("2024M01", "2024M02", "2024M03")),
        ("valueCodes[Tid]=2026M0?", tuple(f"2026M{month:02d}" for month in range(1, 10))),
        ("valueCodes[Tid]=202*M09", ("2024M09", "2025M09", "2026M09")),
        ("valueCodes[Tid]=2024M01&valueCodes[Tid]=2024M02", ("2024M01", "2024M02")),
    ],
)
def test_codes_are_chosen_as_tools_of_pxweb_write_them(public: HttpFace, written: str, codes: tuple[str, ...]) -> None:
    cube = jsonstat.parse(public.ask(f"{TABLES}/nation-month/data?{written}").content)
    axis = cube.axis("Tid")
    assert axis is not None
    assert set(axis.codes) == set(codes)


def test_of_other_dimensions_the_top_ones_are_the_first(public: HttpFace) -> None:
    cube = jsonstat.parse(public.ask(f"{TABLES}/county-month/data?valueCodes[Region]=top(2)").content)
    assert cube.axes[0].codes == ("00", "01")


@pytest.mark.parametrize("written", ["", "?valueCodes[Region]=*", "?valueCodes[Tid]=*&valueCodes[Region]=*"])
def test_what_is_not_chosen_is_given_whole(public: HttpFace, written: str) -> None:
    assert jsonstat.parse(public.ask(f"{TABLES}/county-month/data{written}").content).size == (22, len(MONTHS), 4)


def test_a_code_list_stands_for_its_codes(public: HttpFace) -> None:
    cube = jsonstat.parse(public.ask(f"{MUNICIPALITIES}?codelist[Region]=counties&valueCodes[Tid]=2025").content)
    assert (cube.size[0], cube.axes[0].codes[0]) == (21, "01")


def test_a_post_asks_the_same_as_a_get(public: HttpFace) -> None:
    body = {
        "selection": [
            {"variableCode": "Region", "valueCodes": ["0180"]},
            {"variableCode": "Tid", "valueCodes": ["top(1)"]},
        ]
    }
    posted = public.ask(f"{MUNICIPALITIES}?lang=en", method="POST", body=body)
    got = public.ask(f"{MUNICIPALITIES}?lang=en&valueCodes[Region]=0180&valueCodes[Tid]=top(1)")
    assert (posted.status, posted.content) == (200, got.content)
    listed = {"selection": [{"variableCode": "Region", "codelist": "counties", "valueCodes": []}]}
    assert jsonstat.parse(public.ask(MUNICIPALITIES, method="POST", body=listed).content).size[0] == 21


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_files_are_named_by_their_table(public: HttpFace, form: str) -> None:
    answer = public.ask(f"{MUNICIPALITIES}?outputFormat={form}")
    assert answer.content == f"municipality-year as {form}".encode()
    assert answer.headers["content-disposition"] == f'attachment; filename="municipality-year.{form}"'
    assert answer.headers["content-type"] == f"made/{form}"


def test_the_same_question_has_the_same_tag_and_is_not_sent_twice(public: HttpFace) -> None:
    path = f"{MUNICIPALITIES}?valueCodes[Region]=0180"
    first = public.ask(path)
    tag = first.headers["etag"]
    for sent in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = public.ask(path, If_None_Match=sent)
        assert (again.status, again.content, again.headers["etag"]) == (304, b"", tag)
    assert public.ask(path, If_None_Match='"other"').content == first.content
    assert public.ask(f"{MUNICIPALITIES}?valueCodes[Region]=1480").headers["etag"] != tag


def test_head_tells_what_get_would(public: HttpFace) -> None:
    got, head = public.ask(MUNICIPALITIES), public.ask(MUNICIPALITIES, method="HEAD")
    assert (head.status, head.content) == (200, b"")
    assert [head.headers[name] for name in ("etag", "content-length", "content-type")] == [
        got.headers[name] for name in ("etag", "content-length", "content-type")
    ]


# --- what it refuses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (f"{TABLES}/no-table", 404, "no such table"),
        (f"{TABLES}/no-table/metadata", 404, "no such table"),
        (f"{TABLES}/no-table/data", 404, "no such table"),
        (f"{TABLES}/municipality-month/data", 404, "no such table"),
        ("/api/v2/codelists/none", 404, "no such code list"),
        ("/api/v2/nothing", 404, "/api/v2/tables"),
        ("/api/v1/tables", 404, "/api/v2/tables"),
        (f"{TABLES}?lang=fi", 400, "sv or en"),
        (f"{TABLES}?pageSize=0", 400, "pageSize"),
        (f"{TABLES}?pastDays=-1", 400, "pastDays"),
        (f"{MUNICIPALITIES}?outputFormat=px", 400, "json-stat2, csv, xlsx"),
        (f"{MUNICIPALITIES}?valueCodes[Region]=0181x", 400, "no code '0181x'"),
        (f"{MUNICIPALITIES}?valueCodes[Region]=99*", 400, "no code '99*'"),
        (f"{MUNICIPALITIES}?valueCodes[Alder]=13-", 400, "no dimension 'Alder'"),
        (f"{MUNICIPALITIES}?codelist[Region]=mine", 400, "no code list 'mine'"),
        (f"{MUNICIPALITIES}?valueCode[Region]=0180", 400, "no parameter"),
        (f"{MUNICIPALITIES}?valueCodes[Tid]=top(x)", 400, "write top(3)"),
        (f"{MUNICIPALITIES}?valueCodes[Tid]=range(2024)", 400, "write range(first,last)"),
        (f"{MUNICIPALITIES}?valueCodes[Tid]=from(1999)", 400, "no code '1999'"),
    ],
)
def test_a_refusal_is_a_problem_that_says_what_to_do(public: HttpFace, path: str, status: int, words: str) -> None:
    answer = public.ask(path)
    told = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert (set(told), told["status"]) == ({"type", "title", "status", "detail"}, status)
    assert told["type"].startswith("urn:upprop:problem:")
    assert words in told["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 50_000,
        b"[]",
        b'{"selection": {}}',
        b'{"selection": [{"valueCodes": ["01"]}]}',
        b'{"selection": [{"variableCode": "Region", "valueCodes": "01"}]}',
        b'{"selection": [{"variableCode": "Region", "valueCodes": [1]}]}',
        b'{"selection": [1]}',
        b"\xff",
    ],
)
def test_a_body_that_is_not_understood_is_refused(public: HttpFace, body: bytes) -> None:
    answer = public.ask(MUNICIPALITIES, method="POST", body=body, Content_Type="application/json")
    assert (answer.status, answer.headers["content-type"]) == (400, PROBLEM)


def test_a_body_that_is_too_large_or_of_another_kind_is_refused(public: HttpFace) -> None:
    large = public.ask(MUNICIPALITIES, method="POST", body=b" " * 70_000, Content_Type="application/json")
    other = public.ask(MUNICIPALITIES, method="POST", body=b"{}", Content_Type="text/plain")
    assert (large.status, other.status) == (413, 415)


def test_other_methods_are_refused(public: HttpFace) -> None:
    for path in (TABLES, MUNICIPALITIES, "/api/v2/config"):
        for method in ("DELETE", "PUT", "PATCH"):
            assert public.ask(path, method=method).status == 405
    assert public.ask(TABLES, method="POST", body={}).status == 405


def test_a_long_question_is_answered_or_refused_but_never_in_part(public: HttpFace, source: AskedSource) -> None:
    codes = ",".join(each.code for each in source.table("municipality-year", Language.SWEDISH).dimensions[0].codes)
    assert jsonstat.parse(public.ask(f"{MUNICIPALITIES}?valueCodes[Region]={codes}").content).size[0] == 312


# --- privacy --------------------------------------------------------------------------------------------------------


def test_no_question_chooses_its_level(public: HttpFace, source: AskedSource) -> None:
    assert public.ask(f"{MUNICIPALITIES}?level=authority").status == 400
    public.ask(MUNICIPALITIES, Authorization="Bearer x", X_Upprop_Level="authority")
    assert {level for _, _, level in source.questions} == {Level.PUBLIC}
    unsuppressed = figure("municipality-year", {"Region": "0181", "Tid": "2025"}, Level.AUTHORITY)
    assert not isinstance(unsuppressed, str)
    assert unsuppressed[0] < 10
    cube = jsonstat.parse(public.ask(f"{MUNICIPALITIES}?valueCodes[Region]=0181&valueCodes[Tid]=2025").content)
    assert cube.values == (None, None, None, None)


def test_the_public_asks_no_further_question(public: HttpFace, source: AskedSource) -> None:
    for path in (f"{TABLES}/own-selection", f"{TABLES}/own-selection/metadata", f"{TABLES}/own-selection/data"):
        assert public.ask(path).status == 404
    body = {"selection": [{"variableCode": "Region", "valueCodes": ["0180"]}]}
    assert public.ask(f"{TABLES}/own-selection/data", method="POST", body=body).status == 404
    assert source.questions == []


def test_a_further_question_is_never_asked_by_a_get(authority: HttpFace, source: AskedSource) -> None:
    answer = authority.ask(f"{TABLES}/own-selection/data?valueCodes[Region]=0180&valueCodes[Tid]=2026M01")
    assert (answer.status, answer.json()["type"]) == (403, "urn:upprop:problem:costs-privacy")
    assert source.questions == []


def test_a_further_question_waits_for_its_draw(authority: HttpFace, source: AskedSource) -> None:
    body = {
        "selection": [
            {"variableCode": "Region", "valueCodes": ["0180"]},
            {"variableCode": "Tid", "valueCodes": ["2026M01", "2026M02"]},
        ]
    }
    answer = authority.ask(f"{TABLES}/own-selection/data", method="POST", body=body)
    assert (answer.status, answer.headers["retry-after"], answer.headers["cache-control"]) == (202, "7", "no-store")
    assert answer.json()["queryId"] == "2026/query/1"
    selections = (Selection("Region", ("0180",)), Selection("Tid", ("2026M01", "2026M02")))
    assert source.questions == [("own-selection", selections, Level.AUTHORITY)]


def test_a_page_of_another_site_reads_only_what_is_everybodys(public: HttpFace, authority: HttpFace) -> None:
    assert public.ask(MUNICIPALITIES, Origin="https://example.com").headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in authority.ask(MUNICIPALITIES, Origin="https://example.com").headers
    preflight = {"Origin": "https://example.com", "Access_Control_Request_Method": "POST"}
    for served in (public, authority):
        assert served.ask(MUNICIPALITIES, method="OPTIONS", **preflight).status in (400, 405)
    assert (
        public.ask(MUNICIPALITIES, method="OPTIONS", **{**preflight, "Access_Control_Request_Method": "GET"}).status
        == 200
    )


def test_on_loopback_no_foreign_name_is_answered(authority: HttpFace, source: AskedSource) -> None:
    for host in ("example.com", f"example.com:{authority.port}", "127.0.0.1.example.com", ""):
        assert authority.ask(MUNICIPALITIES, host=host).status == 421, host
    assert source.questions == []
    for host in ("localhost", f"LOCALHOST:{authority.port}", f"[::1]:{authority.port}"):
        assert authority.ask(MUNICIPALITIES, host=host).status == 200, host
    assert authority.ask("/healthz", host="10.0.0.7").content == b"ok\n"


def test_a_name_that_was_not_checked_is_not_repeated(source: AskedSource) -> None:
    with face(source, hosts=()) as served:
        [link, *_] = served.ask(TABLES, host="evil.example").json()["links"]
    with face(source, base_url="https://statistik.example.se") as named:
        [other, *_] = named.ask(TABLES).json()["links"]
    assert (link["href"], other["href"]) == (
        f"{TABLES}?lang=sv",
        f"https://statistik.example.se{TABLES}?lang=sv",
    )


def test_what_may_be_shared_is_said_to_caches(public: HttpFace, authority: HttpFace) -> None:
    assert public.ask(MUNICIPALITIES).headers["cache-control"].startswith("public, max-age=")
    assert authority.ask(MUNICIPALITIES).headers["cache-control"].startswith("private, max-age=")
    assert public.ask(f"{TABLES}/none").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/sv/", "/healthz", "/static/site.css", "/nothing", TABLES, f"{TABLES}/none", MUNICIPALITIES]
)
def test_every_answer_has_the_security_headers(public: HttpFace, path: str) -> None:
    headers = public.ask(path).headers
    assert {name: headers.get(name.lower()) for name in HEADERS} == dict(HEADERS)
    assert "server" not in headers


# --- limits and failures --------------------------------------------------------------------------------------------


def test_one_call_too_many_is_told_when_to_come_back(source: AskedSource) -> None:
    with face(source, limit=CallLimit(3, 60)) as served:
        assert [served.ask(TABLES).status for _ in range(3)] == [200, 200, 200]
        refused = served.ask(TABLES)
        told = refused.json()
        pages = [served.ask("/sv/om").status for _ in range(4)]
        other = served.ask("/healthz").status, served.ask("/static/site.css").status
    assert (refused.status, refused.headers["content-type"]) == (429, PROBLEM)
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert "At most 3 calls in 60 seconds" in told["detail"]
    # Pages are counted by themselves; what both need is not counted.
    assert pages == [200, 200, 200, 429]
    assert other == (200, 200)


def test_a_proxy_is_believed_whom_it_asks_for_and_nobody_else(source: AskedSource) -> None:
    asked = [{"X_Forwarded_For": "192.0.2.1"}, {"X_Forwarded_For": "192.0.2.2"}, {"X_Forwarded_For": "192.0.2.1"}]
    with face(source, limit=CallLimit(1, 60), proxies=("127.0.0.1",)) as served:
        assert [served.ask(TABLES, **headers).status for headers in asked] == [200, 200, 429]
    with face(source, limit=CallLimit(1, 60)) as served:
        assert [served.ask(TABLES, **headers).status for headers in asked] == [200, 429, 429]


def test_calls_are_counted_anew_after_the_window(source: AskedSource) -> None:
    with face(source, limit=CallLimit(1, 1)) as served:
        assert served.ask(TABLES).status == 200
        while (refused := served.ask(TABLES)).status == 429:
            assert int(refused.headers["retry-after"]) <= 2


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (UppropError(Code.PEER_UNREACHABLE, "registry a (10.0.0.1) cannot be reached."), 503),
        (UppropError(Code.OVERLOADED, "Too much."), 503),
        (UppropError(Code.DEADLINE, "Late."), 504),
        (UppropError(Code.METHOD_FORBIDDEN, "Not for readers of the role public."), 403),
        (UppropError(Code.BUDGET_EXHAUSTED, "Nothing is left for further questions."), 403),
        (UppropError(Code.CERTIFICATE_EXPIRED, "The certificate of upprop://authority/x expired."), 502),
        (UppropError(Code.DESCRIPTOR_EXPIRED, "The descriptor expired."), 502),
    ],
    ids=lambda each: each.code.value if isinstance(each, UppropError) else "",
)
def test_trouble_with_the_registry_is_a_problem_without_its_details(
    source: AskedSource, public: HttpFace, refusal: UppropError, status: int
) -> None:
    source.refusal = refusal
    answer = public.ask(TABLES)
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert ("retry-after" in answer.headers) == (status in (503, 504))
    if status != 403:
        assert refusal.sentence not in answer.json()["detail"]
    assert [json.loads(line)["event"] for line in public.log.getvalue().splitlines()] == ["dashboard_refused"]


def test_an_unforeseen_failure_quotes_nothing(
    public: HttpFace, source: AskedSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("person 199801019807")

    monkeypatch.setattr(source, "releases", fail)
    monkeypatch.setattr(source, "tables", fail)
    answer = public.ask(TABLES)
    assert (answer.status, answer.headers["content-type"]) == (500, PROBLEM)
    assert b"199801019807" not in answer.content
    [event] = [json.loads(line) for line in public.log.getvalue().splitlines()]
    assert (event["event"], event["exception"]) == ("dashboard_failed", "RuntimeError")
    assert "9801019807" not in public.log.getvalue()


def test_who_asked_and_what_is_not_logged(public: HttpFace) -> None:
    for path in (TABLES, MUNICIPALITIES, "/nothing", f"{MUNICIPALITIES}?valueCodes[Region]={quote('0180')}"):
        public.ask(path, User_Agent="somebody")
    assert public.log.getvalue() == ""
