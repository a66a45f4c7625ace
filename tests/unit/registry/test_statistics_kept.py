"""What is kept of answers: of one state, up to so many bytes."""

from __future__ import annotations

from registry.statistics.kept import Kept


def test_an_answer_stands_for_its_state_alone() -> None:
    kept: Kept[str] = Kept()
    kept.keep("first", "question", "answer", 6)
    assert kept.find("first", "question") == "answer"
    assert kept.find("second", "question") is None
    kept.keep("second", "other", "answer", 6)
    assert kept.find("first", "question") is None
    kept.clear()
    assert kept.find("second", "other") is None


def test_the_first_answer_to_a_question_stays() -> None:
    kept: Kept[str] = Kept()
    kept.keep("state", "question", "first", 5)
    kept.keep("state", "question", "second", 6)
    assert kept.find("state", "question") == "first"


def test_what_was_asked_least_recently_goes_first() -> None:
    kept: Kept[int] = Kept(max_bytes=30)
    for question in range(3):
        kept.keep("state", question, question, 10)
    assert kept.find("state", 0) == 0
    kept.keep("state", 3, 3, 10)
    assert [kept.find("state", question) for question in range(4)] == [0, None, 2, 3]


def test_what_is_larger_than_all_that_is_kept_is_not_kept() -> None:
    kept: Kept[int] = Kept(max_bytes=30)
    kept.keep("state", "large", 1, 31)
    kept.keep("state", "small", 2, 30)
    assert (kept.find("state", "large"), kept.find("state", "small")) == (None, 2)
