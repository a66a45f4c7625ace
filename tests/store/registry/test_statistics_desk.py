"""Readers get what was released, the same for ever; a further question is paid for once, drawn while nobody waits."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import sqlalchemy as sa

from federation.descriptor import Reader
from federation.errors import Code, UppropError
from federation.web.i18n import Language
from privacy.budget import STANDARD
from privacy.disclosure import Draw
from registry.statistics import jsonstat
from registry.statistics.asking import Asking
from registry.statistics.catalogue import TABLES, TableId, leaf_codes
from registry.statistics.cube import Cube
from registry.statistics.desk import Desk
from registry.statistics.geography import geography
from registry.statistics.questions import Question
from registry.statistics.reading import Document, Format, Level, Pending, Selection
from registry.store.schema import metadata
from tests.harness.statistics_nation import fill
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.statistics_scene import ALL, CrashError, Statistics

SOON = date(2027, 2, 20)
"""The months and the year of 2026 are due, and how long the children were missed is not."""

STATISTICS = Reader(name="statistics", role="statistics", key_sha256="a" * 64)
SECOND = Reader(name="second", role="statistics", key_sha256="b" * 64)
THIRD = Reader(name="third", role="statistics", key_sha256="c" * 64)
OVERSIGHT = Reader(name="oversight", role="oversight", key_sha256="d" * 64)
PUBLIC = Reader(name="public", role="public", key_sha256="e" * 64)

RELEASED = [each for each in TableId if each is not TableId.OWN_SELECTION]
OF_STATISTICS = {"statistics_budgets", "statistics_spends", "statistics_releases", "statistics_tables"}
OF_QUESTIONS = {"statistics_queries", "statistics_askings"}


def no_noise(values: Sequence[int], _nano_rho: int) -> list[int]:
    return list(values)


def undrawn(_values: Sequence[int], _nano_rho: int) -> list[int]:
    raise AssertionError("something was drawn while a reader waited")


class Service:
    """A desk over a nation's statistics, on a clock that the test moves."""

    def __init__(self, statistics: Statistics, draw: Draw = no_noise) -> None:
        self.statistics, self.now = statistics, 0.0
        self.asking = Asking(statistics.database, lambda: statistics.nation.descriptor, statistics.clock, draw)
        self.desk = self.another()

    def another(self) -> Desk:
        """The desk of another replica, which has kept nothing."""
        return Desk(
            self.statistics.database,
            self.asking,
            lambda: self.statistics.nation.descriptor,
            self.statistics.clock,
            monotonic=lambda: self.now,
        )

    def ask(
        self,
        table: str,
        *selections: Selection,
        reader: Reader = STATISTICS,
        level: Level = Level.AUTHORITY,
        form: Format = Format.JSON_STAT2,
        desk: Desk | None = None,
    ) -> Document | Pending:
        return (desk or self.desk).data(reader, table, selections, level, form, Language.ENGLISH)

    def cube(self, table: str, *selections: Selection, level: Level = Level.AUTHORITY) -> Cube:
        answered = self.ask(table, *selections, level=level)
        assert isinstance(answered, Document)
        return jsonstat.parse(answered.content)

    def own(self, month: int = 1, place: str = "00", reader: Reader = STATISTICS) -> Document | Pending:
        return self.ask(
            "own-selection", Selection("Region", (place,)), Selection("Tid", (f"2026M{month:02d}",)), reader=reader
        )

    @contextlib.contextmanager
    def statements(self) -> Iterator[set[str]]:
        """The tables that statements meanwhile speak of."""
        spoken: set[str] = set()
        names = set(metadata.tables)

        def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            spoken.update(names & set(re.findall(r"[a-z_]+", statement)))

        with self.statistics.database.read("test") as tx:
            engine = tx.engine
        sa.event.listen(engine, "before_cursor_execute", look)
        try:
            yield spoken
        finally:
            sa.event.remove(engine, "before_cursor_execute", look)


MakeService = Callable[..., Service]


@pytest.fixture
def make_service(empty_database: MakeDatabase) -> MakeService:
    def make(today: date = SOON, *, publish: bool = True, **options: object) -> Service:
        statistics = Statistics.filled(empty_database(), today, **options)  # type: ignore[arg-type]  # as they come
        if publish:
            statistics.releasing.publish_due()
        return Service(statistics)

    return make


@pytest.fixture
def service(make_service: MakeService) -> Service:
    return make_service()


@pytest.mark.parametrize("form", list(Format))
def test_the_same_question_gives_the_same_bytes_at_every_replica(service: Service, form: Format) -> None:
    for level in Level:
        first = service.ask("municipality-year", level=level, form=form)
        again = service.ask("municipality-year", level=level, form=form)
        elsewhere = service.ask("municipality-year", level=level, form=form, desk=service.another())
        assert first == again == elsewhere


def test_totals_add_up_in_every_table_for_everybody(make_service: MakeService) -> None:
    service = make_service(ALL)
    for table in RELEASED:
        cells = service.cube(table).cells()
        totals = [codes[0] for codes in zip(*cells, strict=True)]
        for place, dimension in enumerate(TABLES[table].leaves):
            for key, cell in cells.items():
                if key[place] != totals[place]:
                    continue
                parts = [
                    other.unclipped or 0
                    for name, other in cells.items()
                    if name[place] in leaf_codes(TABLES[table], dimension)
                    and (*name[:place], *name[place + 1 :]) == (*key[:place], *key[place + 1 :])
                ]
                assert sum(parts) == cell.unclipped


def test_reading_a_release_draws_nothing_and_touches_nothing_that_tells_of_children(service: Service) -> None:
    service.asking = Asking(
        service.statistics.database, lambda: service.statistics.nation.descriptor, service.statistics.clock, undrawn
    )
    drawn = service.statistics.noise.drawn
    desk = service.another()
    with service.statements() as spoken:
        for table in ("nation-month", "county-month", "nation-year", "municipality-year"):
            for form in Format:
                assert isinstance(service.ask(table, form=form, desk=desk), Document)
        desk.tables(PUBLIC, Language.ENGLISH)
        desk.table(STATISTICS, "county-month", Language.ENGLISH)
        desk.budget(STATISTICS)
        desk.asked(STATISTICS)
    assert spoken <= OF_STATISTICS | OF_QUESTIONS
    with service.statements() as spoken:
        desk.releases()
    assert spoken <= OF_STATISTICS | {"closes"}
    assert service.statistics.noise.drawn == drawn


def test_what_was_answered_is_not_read_again(service: Service) -> None:
    first = service.ask("municipality-year")
    with service.statements() as spoken:
        assert service.ask("municipality-year") is first
    assert spoken == set()


def test_a_new_release_is_answered_with_as_soon_as_somebody_looks(make_service: MakeService) -> None:
    service = make_service(publish=False)
    with pytest.raises(UppropError, match="no release of it has been drawn"):
        service.ask("nation-month")
    service.statistics.publish("2026-01")
    assert service.cube("nation-month").axes[0].codes == ("2026M01",)
    service.statistics.publish("2026-02")
    # Asked for by its name it is found at once; by others when the list of releases is looked at again.
    assert service.cube("nation-month", Selection("Tid", ("2026M02",))).axes[0].codes == ("2026M02",)
    service.statistics.publish("2026-03")
    assert service.cube("nation-month").axes[0].codes == ("2026M01", "2026M02")
    service.now += 2
    assert service.cube("nation-month").axes[0].codes == ("2026M01", "2026M02", "2026M03")


def test_the_silent_are_shown_as_silent_and_the_public_sees_nothing_under_ten(make_service: MakeService) -> None:
    service = make_service(silent=("2403", "0980"))
    for level in Level:
        cells = service.cube("municipality-year", level=level).cells()
        assert {key[0] for key, cell in cells.items() if cell.status == ":"} == {"2403", "0980", "09"}
    shown = [each for each in service.cube("municipality-year", level=Level.PUBLIC).cells().values() if not each.status]
    assert min(each.unclipped or 0 for each in shown) >= 10


def test_the_public_gets_the_public_level_alone(service: Service) -> None:
    public = service.ask("county-month", reader=PUBLIC, level=Level.PUBLIC)
    assert public == service.ask("county-month", level=Level.PUBLIC)
    for table in TableId:
        with pytest.raises(UppropError) as refusal:
            service.ask(table, reader=PUBLIC)
        assert refusal.value.code is Code.METHOD_FORBIDDEN
    with pytest.raises(UppropError) as refusal:
        service.desk.table(PUBLIC, "own-selection", Language.ENGLISH)
    assert refusal.value.code is Code.METHOD_FORBIDDEN
    assert "own-selection" not in {each.table_id for each in service.desk.tables(PUBLIC, Language.ENGLISH)}
    assert "own-selection" in {each.table_id for each in service.desk.tables(STATISTICS, Language.ENGLISH)}


# -- further questions -------------------------------------------------------------------------------------------------


def test_a_further_question_is_answered_by_the_worker_and_the_same_for_ever(service: Service) -> None:
    pending = service.own(3)
    assert isinstance(pending, Pending)
    assert service.own(3) == pending
    assert service.asking.answer_waiting() == 1
    answered = service.own(3)
    assert isinstance(answered, Document)
    assert answered.release_ids == (pending.query_id,)
    ((_, cell),) = jsonstat.parse(answered.content).rows()
    assert cell.unclipped == sum(child.month == 3 for child in service.statistics.nation.children)
    assert service.asking.answer_waiting() == 0
    assert service.own(3) == answered == service.own(3, reader=OVERSIGHT)
    (asked,) = service.desk.asked(OVERSIGHT)
    assert (asked.query_id, asked.answered, asked.nano_rho) == (pending.query_id, True, STANDARD.question_cost)


def test_it_counts_the_places_and_months_that_were_asked_for(service: Service) -> None:
    selections = (Selection("Region", ("14", "0180")), Selection("Tid", ("2026M08", "2026M09")))
    service.ask("own-selection", *selections)
    service.asking.answer_waiting()
    ((_, cell),) = service.cube("own-selection", *selections).rows()
    assert cell.unclipped == sum(
        child.month in (8, 9) and (child.municipality == "0180" or child.municipality.startswith("14"))
        for child in service.statistics.nation.children
    )


def test_the_same_question_is_paid_for_once_whoever_asks_and_however(service: Service) -> None:
    before = service.statistics.spent()
    with ThreadPoolExecutor(4) as pool:
        readers = [STATISTICS, SECOND, OVERSIGHT, THIRD] * 3
        answers = list(pool.map(lambda reader: service.own(5, "09", reader), readers))
    assert len({each.query_id for each in answers if isinstance(each, Pending)}) == 1
    service.own(5, "0980")
    assert service.statistics.spent() == before + STANDARD.question_cost


def test_one_reader_cannot_use_up_what_others_need(service: Service) -> None:
    each_may = STANDARD.reader_share("statistics") // STANDARD.question_cost
    for month in range(1, each_may + 1):
        service.own(month)
    service.asking.answer_waiting()
    with pytest.raises(UppropError) as refusal:
        service.own(12)
    assert refusal.value.code is Code.BUDGET_EXHAUSTED
    # What was asked is answered still, and others are served: until the role's share is spent.
    assert isinstance(service.own(1), Document)
    for month in range(1, each_may + 1):
        service.own(month, "01", SECOND)
    with pytest.raises(UppropError) as refusal:
        service.own(12, reader=THIRD)
    assert "readers of the role statistics" in refusal.value.sentence
    assert isinstance(service.own(12, reader=OVERSIGHT), Pending)
    assert isinstance(service.ask("municipality-year", reader=THIRD), Document)
    (year,) = (each for each in service.desk.budget(THIRD) if each.year == 2026)
    assert (year.role_left_nano_rho, year.caller_left_nano_rho) == (0, 0)
    (year,) = (each for each in service.desk.budget(OVERSIGHT) if each.year == 2026)
    assert year.caller_left_nano_rho == STANDARD.reader_share("oversight") - STANDARD.question_cost
    assert sum(each.nano_rho for each in year.spends) == year.spent_nano_rho <= year.cap_nano_rho


def test_what_others_ask_about_is_not_told(service: Service) -> None:
    service.own(3)
    question = Question(2026, tuple(geography().municipalities), (3,))
    purposes = {
        reader.name: {spend.purpose for year in service.desk.budget(reader) for spend in year.spends}
        for reader in (STATISTICS, SECOND, PUBLIC)
    }
    assert question.spend_id in purposes["statistics"]
    for other in ("second", "public"):
        assert "2026/query" in purposes[other]
        assert question.spend_id not in purposes[other]


def test_a_year_can_be_asked_about_from_its_release_until_its_last_table(make_service: MakeService) -> None:
    service = make_service(publish=False)
    service.statistics.publish("2026-01")
    with pytest.raises(UppropError) as refusal:
        service.own(1)
    assert refusal.value.code is Code.REQUEST_INVALID
    service.statistics.publish("2026")
    assert isinstance(service.own(1), Pending)
    service.asking.answer_waiting()
    answered = service.own(1)

    service.statistics.clock.set_today(ALL)
    fill(service.statistics.database, 2027, 2, 1, closed_on=ALL)
    service.statistics.publish("2026-closed")
    assert service.own(1) == answered
    with pytest.raises(UppropError, match="kept no longer"):
        service.own(2)


def test_nothing_is_paid_where_there_is_only_silence(make_service: MakeService) -> None:
    service = make_service(silent=("2403", "0980"))
    before = service.statistics.spent()
    with pytest.raises(UppropError, match="Nothing was spent"):
        service.own(1, "09")
    assert service.statistics.spent() == before


def test_a_crash_between_paying_and_answering_leaves_it_paid_and_it_is_answered_later(service: Service) -> None:
    def crash(_values: Sequence[int], _nano_rho: int) -> list[int]:
        raise CrashError

    before = service.statistics.spent()
    service.own(3)
    with pytest.raises(CrashError):
        Service(service.statistics, crash).asking.answer_waiting()
    assert service.statistics.spent() == before + STANDARD.question_cost
    assert isinstance(service.own(3), Pending)
    service.asking.answer_waiting()
    assert isinstance(service.own(3), Document)
    assert service.statistics.spent() == before + STANDARD.question_cost


def test_two_replicas_answer_a_question_once(service: Service) -> None:
    service.own(3)

    def differently(number: int) -> Draw:
        return lambda values, _nano_rho: [values[0] + number]

    others = [Service(service.statistics, differently(number)).asking for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.answer_waiting(), others))
    answered = service.own(3)
    for each in others:
        each.answer_waiting()
    assert service.own(3) == answered
