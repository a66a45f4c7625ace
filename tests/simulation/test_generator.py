"""The generator: what it invents is sound, and the truth it states is what the rules come to."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest

from federation.demo import scenario as scenarios
from federation.demo.generator import EVERY_KIND, Recipe, generate, write
from federation.demo.generator.people import BIRTH_NUMBERS, DAYS_TRIED, Population
from federation.demo.generator.plots import CROWDS, MOVED, PLOTS
from federation.demo.generator.schooldays import Term
from federation.errors import UppropError
from federation.rules.calendar import Break, SchoolCalendar
from privacy.identifiers import Sound, parse
from tests.harness.rules_alone import Players

AUTUMN, SPRING, SUMMER = date(2026, 8, 24), date(2027, 1, 11), date(2027, 4, 12)
PLAYED = {kind: count for kind, count in EVERY_KIND.items() if kind not in ("marked_after", "renumbered")}
"""Those two are about what a node remembers of a person beside the history that rules see."""


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("start", "weeks"), [(AUTUMN, 14), (SPRING, 12), (SUMMER, 25)])
def test_rules_come_to_the_truth_of_the_plots(seed: int, start: date, weeks: int) -> None:
    generated = generate(Recipe(seed=seed, start=start, weeks=weeks, kinds=PLAYED))
    assert Players(generated).play() == generated.truth.cases


@pytest.mark.parametrize(
    ("members", "pupils", "weeks", "watch", "every"),
    [
        (2, 200, 9, 5, 7),
        (7, 40, 30, 15, 7),
        (3, 64, 20, 1, 7),
        (3, 64, 8, 10, 1),
        (4, 64, 14, 10, 3),
        (4, 64, 20, 10, 10),
    ],
)
def test_rules_come_to_the_truth_for_other_sizes_watches_and_intervals(
    members: int, pupils: int, weeks: int, watch: int, every: int
) -> None:
    recipe = Recipe(seed=watch, members=members, pupils=pupils, weeks=weeks, watch=watch, every=every, kinds=PLAYED)
    generated = generate(recipe)
    assert Players(generated).play() == generated.truth.cases


def test_every_kind_fits_some_term() -> None:
    drawn = {
        kind
        for start, weeks in ((AUTUMN, 14), (SUMMER, 25))
        for kind in generate(Recipe(seed=1, start=start, weeks=weeks)).truth.kinds
    }
    assert drawn == PLOTS.keys() - CROWDS


def test_truth_holds_cases_of_every_state_and_route() -> None:
    truth = generate(Recipe(seed=1)).truth
    assert {case.state.value for case in truth.cases} == {"OPEN", "ANSWERED", "ENDED", "VOID"}
    assert {case.route for case in truth.cases} == {"registry", "unlinkable", "protected"}


def test_same_seed_gives_the_same_scenario_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("same", 5), ("other", 6)):
        write(generate(Recipe(seed=seed, weeks=6, pupils=10)), tmp_path / name)
    contents = {
        name: {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.json")}
        for name in ("one", "same", "other")
    }
    assert contents["one"] == contents["same"]
    assert contents["one"] != contents["other"]


def test_people_carry_test_numbers_alone() -> None:
    generated = generate(Recipe(seed=3))
    files = [file for _, story in generated.stories for file in story.files]
    shown = {entry.number for file in files for entry in file.shown if entry is not None and entry.number is not None}
    sound = {number for number in shown if isinstance(parse(number, AUTUMN), Sound)}
    assert all(980 <= int(number[8:11]) <= 999 for number in shown if number[8:10] != "TF")
    assert {number[8:10] == "TF" or number in {file.pupil.invalid for file in files} for number in shown - sound} == {
        True
    }
    for file in files:
        assert int(file.pupil.number[8:11]) in BIRTH_NUMBERS
        for number in (file.pupil.number, file.pupil.samordning):
            assert isinstance(parse(number, AUTUMN), Sound)
        assert not isinstance(parse(file.pupil.invalid, AUTUMN), Sound)


def test_more_pupils_than_test_numbers_are_refused_plainly() -> None:
    population = Population(random.Random(1), 2026)
    numbers = {population.pupil("GR", 3).number for _ in range(365 * len(BIRTH_NUMBERS) // 2)}
    assert len(numbers) == 365 * len(BIRTH_NUMBERS) // 2
    everyone = range((365 + DAYS_TRIED) * len(BIRTH_NUMBERS))
    with pytest.raises(UppropError, match="not enough test numbers"):
        _ = [population.pupil("GR", 3) for _ in everyone]


def test_movers_of_the_demonstration_raise_no_alarm_unless_late() -> None:
    generated = generate(Recipe(seed=4, kinds=dict.fromkeys(MOVED, 5)))
    assert generated.quiet_moves
    assert {kind for kind, story in generated.stories if story.cases} <= {"move_late"}


def test_generator_and_rules_agree_on_school_days() -> None:
    recipe = Recipe(seed=0)
    term = Term((AUTUMN,), recipe.breaks, recipe.watch)
    calendar = SchoolCalendar(Break(*each) for each in recipe.breaks)
    days = [date.fromordinal(day) for day in range(date(2026, 1, 1).toordinal(), date(2028, 1, 8).toordinal())]
    assert [term.is_school_day(day) for day in days] == [calendar.is_school_day(day) for day in days]


def _small(directory: Path) -> Path:
    write(generate(Recipe(seed=1, members=2, weeks=6, pupils=5, kinds={"lost": 1})), directory)
    return directory


def test_written_scenario_reads_back_equal(tmp_path: Path) -> None:
    generated = generate(Recipe(seed=1, members=2, weeks=6, pupils=5, kinds={"lost": 1}))
    write(generated, tmp_path / "scenario")
    assert scenarios.read(tmp_path / "scenario") == generated.scenario
    assert scenarios.read_truth(tmp_path / "scenario") == generated.truth


def test_missing_export_is_named(tmp_path: Path) -> None:
    directory = _small(tmp_path / "scenario")
    (directory / "exports" / "2026-09-07" / "1480.json").unlink()
    with pytest.raises(UppropError, match=r"exports/2026-09-07/1480\.json"):
        scenarios.read(directory)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"watch_school_days": 10', '"watch_school_days": "ten"', "watch_school_days"),
        ('"watch_school_days": 10', '"watch_school_days": 0', "at least 1"),
        ('"0180"', '"180"', "no member id"),
        ('"1480"', '"0180"', "twice"),
        ('"2026-08-24"', '"2026-18-24"', "as_of"),
        ('"2026-08-31"', '"2026-08-24"', "ascend"),
        ('"as_of"', '"dates"', "as_of"),
        ("{", "", "not JSON"),
    ],
)
def test_flaw_in_a_scenario_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    directory = _small(tmp_path / "scenario")
    path = directory / "scenario.json"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UppropError, match=said) as raised:
        scenarios.read(directory)
    assert str(path) in raised.value.sentence


def test_policy_is_optional_and_its_values_are_checked(tmp_path: Path) -> None:
    from federation.demo.simulate import setting

    directory = _small(tmp_path / "scenario")
    path = directory / "scenario.json"
    assert setting(scenarios.read(directory)).policy.silence_school_days == 5
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace('"policy": {}', '"policy": {"silence_school_days": 7}'), encoding="utf-8")
    assert setting(scenarios.read(directory)).policy.silence_school_days == 7
    path.write_text(content.replace('"policy": {}', '"policy": {"silence": 7}'), encoding="utf-8")
    with pytest.raises(UppropError, match="policy"):
        setting(scenarios.read(directory))
