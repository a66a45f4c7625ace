"""What named persons say of pupils in a real store, and what a second person reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from federation.errors import Code, UppropError
from federation.rules.vocabulary import OpeningKind
from node.model import What
from node.store.sayings import Sayings
from tests.integration.node_alone import BASELINE, WEEK, Node, roster
from tests.unit.node.exports import enrolment, number, person, person_id


def test_a_hand_made_opening_counts_once_a_second_person_agrees(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, waits = node.casework.say(
        number(3), "gone", on=BASELINE - timedelta(days=3), reason="seen at the airport", said_by="Ada Berg"
    )
    assert waits
    assert node.states(node.pupil(3)).opening is None
    assert [(one.saying_id, one.word, one.said_by) for one in node.casework.waiting()] == [
        (saying_id, "gone", "Ada Berg")
    ]
    with pytest.raises(UppropError, match="second person"):
        node.casework.review(saying_id, " ada  BERG ")
    node.casework.review(saying_id, "Bo Ek")
    opening = node.states(node.pupil(3)).opening
    assert opening is not None
    assert opening.since == BASELINE - timedelta(days=2)
    assert node.pupil(3).dirty
    assert node.casework.waiting() == ()
    with pytest.raises(UppropError, match="waits for review"):
        node.casework.review(saying_id, "Cia Falk")


def test_what_waits_about_a_protected_pupil_names_nobody(node: Node) -> None:
    node.take(BASELINE, [*roster(10), person(20, securityMarking="Sekretessmarkering")])
    node.casework.say(number(20), "gone", said_by="Ada Berg")
    node.casework.say(number(3), "gone", said_by="Ada Berg")
    assert [one.person_id for one in node.casework.waiting()] == ["", person_id(3)]


def test_a_refused_saying_never_counts(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(3), "no-show", said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek", refuse=True)
    assert node.states(node.pupil(3)).opening is None
    assert node.casework.waiting() == ()


def test_a_resident_who_was_never_here_can_be_said_not_placed(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(77), "not-placed", on=BASELINE, said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek")
    opening = node.states(node.pupil(77)).opening
    assert opening is not None
    assert opening.kind is OpeningKind.NOT_PLACED
    # The pupil then comes: the same pupil, by number.
    handle = node.pupil(77).handle
    node.take(BASELINE + WEEK, [*roster(10), person(77, enrolment("2026-08-26"))])
    assert node.pupil(77).handle == handle
    assert node.states(node.pupil(77)).opening is None


def test_what_stands_is_part_of_the_history(node: Node) -> None:
    node.take(BASELINE, roster(10))
    node.casework.say(person_id(3), "met", on=BASELINE, said_by="Ada Berg")
    assert node.states(node.pupil(3)).presences[-1].met_on == BASELINE


@pytest.mark.parametrize(
    ("word", "fields", "told"),
    [
        ("sings", {}, "nothing that can be said"),
        ("reason", {"reason": "because"}, "one of"),
        ("duty-ended", {}, "--review"),
        ("duty-ended", {"review": BASELINE}, "--review"),
        ("duty-ended", {"review": BASELINE + timedelta(days=400)}, "within a year"),
        ("met", {"review": BASELINE + WEEK}, "Only duty-ended"),
        ("met", {"on": BASELINE + WEEK}, "after today"),
        ("met", {"on": BASELINE.replace(year=1926)}, "cannot be right"),
        ("planned-start", {"on": BASELINE.replace(year=2062)}, "cannot be right"),
        ("met", {"said_by": "  "}, "Say who"),
        ("typing-error", {}, "has not been replaced"),
    ],
)
def test_a_saying_that_lacks_something_is_refused_and_kept_nowhere(
    node: Node, word: str, fields: dict[str, Any], told: str
) -> None:
    node.take(BASELINE, roster(10))
    before = node.bytes_of_store()
    with pytest.raises(UppropError, match=told) as caught:
        node.casework.say(number(3), word, **{"said_by": "Ada Berg", **fields})
    assert caught.value.code is Code.INPUT_REFUSED
    assert node.bytes_of_store() == before


@pytest.mark.parametrize("whom", [number(77), "no-such-id", "20130101TF01", ""])
def test_nothing_can_be_said_of_somebody_unknown(node: Node, whom: str) -> None:
    node.take(BASELINE, roster(10))
    with pytest.raises(UppropError, match="No pupil") as caught:
        node.casework.say(whom, "met", said_by="Ada Berg")
    assert not whom or whom not in str(caught.value)


def test_nothing_can_be_said_before_the_first_import(node: Node) -> None:
    with pytest.raises(UppropError, match="Import an export first"):
        node.casework.say(number(3), "not-placed", said_by="Ada Berg")


def test_words_said_keep_their_persons(node: Node) -> None:
    node.take(BASELINE, roster(10))
    saying_id, _ = node.casework.say(number(3), "gone", on=BASELINE, said_by="Ada Berg")
    node.casework.review(saying_id, "Bo Ek")
    said = node.database.view("test_said", lambda tx: Sayings(node.sealer).load(tx, saying_id))
    assert said is not None
    assert (said.content.said_by, said.content.reviewed_by) == ("Ada Berg", "Bo Ek")
    assert said.content.what is What.GONE
