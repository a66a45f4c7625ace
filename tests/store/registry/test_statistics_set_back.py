"""A database that was set back: what was drawn and shown is not drawn a second time, nor is the reserve spent anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from federation.descriptor import Reader
from federation.errors import Code, UppropError
from registry.statistics.asking import Asking
from registry.statistics.outside import NAME, Outside
from registry.statistics.questions import Question
from tests.store.registry.conftest import MakeDatabase
from tests.store.registry.statistics_scene import YEAR, Statistics

SOON = date(2027, 2, 20)
READER = Reader(name="statistics", role="statistics", key_sha256="a" * 64)
FIRST, SECOND = Question(YEAR, ("0180",), (1,)), Question(YEAR, ("0180",), (2,))


@pytest.fixture
def filled(empty_database: MakeDatabase, tmp_path: Path) -> Statistics:
    return again(Statistics.filled(empty_database(), SOON, children=5), tmp_path)


def again(statistics: Statistics, data_dir: Path) -> Statistics:
    """The registry started anew on what there is."""
    return Statistics(statistics.database, statistics.nation, SOON, outside=Outside(data_dir))


def asking(statistics: Statistics, data_dir: Path) -> Asking:
    return Asking(
        statistics.database,
        lambda: statistics.nation.descriptor,
        statistics.clock,
        lambda values, _: list(values),
        outside=Outside(data_dir),
    )


def forget(statistics: Statistics, *statements: str) -> None:
    with statistics.database.transaction("test") as tx:
        for statement in statements:
            tx.execute(sa.text(f"DELETE FROM {statement}"))


def forget_release(statistics: Statistics, release_id: str) -> None:
    where = f"WHERE release_id = '{release_id}'"
    forget(statistics, f"statistics_tables {where}", f"statistics_releases {where}")


def test_a_release_that_was_drawn_and_is_lost_is_not_drawn_anew(filled: Statistics, tmp_path: Path) -> None:
    filled.publish("2026-09")
    forget_release(filled, "2026-09")
    restored = again(filled, tmp_path)
    with pytest.raises(UppropError, match="was drawn and shown before") as refused:
        restored.publish("2026-09")
    assert refused.value.code is Code.INPUT_REFUSED
    # Others are, and whoever looks is told.
    restored.releasing.run_if_due()
    assert {"2026-08", "2026-10", "2026"} <= restored.drawn()
    assert "2026-09" not in restored.drawn()
    assert "statistics_release_lost" in restored.log.getvalue()
    (month, *_) = restored.releasing.awaited()
    assert month.period.release_id == "2026-09"
    assert "it was set back" in (month.obstacle or "")


def test_the_authority_may_decide_that_it_is_drawn_all_the_same(filled: Statistics, tmp_path: Path) -> None:
    filled.publish("2026-09")
    forget_release(filled, "2026-09")
    assert (tmp_path / NAME).read_text() == "2026-09\n"
    (tmp_path / NAME).write_text("")
    assert again(filled, tmp_path).publish("2026-09").drawn_now


def test_a_replica_notes_what_others_have_drawn(filled: Statistics, tmp_path: Path) -> None:
    filled.releasing.publish_due()
    other = tmp_path / "other"
    again(filled, other).releasing.run_if_due()
    assert set((other / NAME).read_text().split()) == filled.drawn()


def test_nothing_is_asked_of_a_year_whose_questions_are_lost(filled: Statistics, tmp_path: Path) -> None:
    filled.releasing.publish_due()
    service = asking(filled, tmp_path)
    service.ask(READER, FIRST)
    service.ask(READER, SECOND)
    name = f"'{FIRST.query_id}'"
    forget(
        filled,
        f"statistics_askings WHERE query_id = {name}",
        f"statistics_queries WHERE query_id = {name}",
        f"statistics_spends WHERE spend_id = '{FIRST.spend_id}'",
    )
    restored = asking(filled, tmp_path)
    for question in (FIRST, Question(YEAR, ("1480",), (3,))):
        with pytest.raises(UppropError, match="set back to an older copy") as refused:
            restored.ask(READER, question)
        assert refused.value.code is Code.BUDGET_EXHAUSTED
    assert restored.ask(READER, SECOND).question == SECOND


def test_a_question_whose_answer_is_lost_is_not_answered_anew(filled: Statistics, tmp_path: Path) -> None:
    filled.releasing.publish_due()
    service = asking(filled, tmp_path)
    service.ask(READER, FIRST)
    assert service.answer_waiting() == 1
    with filled.database.transaction("test") as tx:
        tx.execute(sa.text("UPDATE statistics_queries SET value = NULL, answered_at = NULL"))
    restored = asking(filled, tmp_path)
    assert restored.answer_waiting() == 0
    assert restored.ask(READER, FIRST).answered_at is None


def test_a_note_that_cannot_be_read_keeps_from_drawing(filled: Statistics, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(UppropError) as refused:
        filled.publish("2026-09")
    assert refused.value.code is Code.CONFIG_INVALID
    assert filled.drawn() == set()
