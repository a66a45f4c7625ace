"""The map: every area there is, in the class that its cell says."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.dashboard.cells import NOTHING, SILENT, SUPPRESSED, Cell
from registry.dashboard.geo.build import build, sweref99_tm
from registry.dashboard.maps import INSETS, STEPS, Step, outlines, scale, shade, step_of, within
from registry.statistics.geography import county_of, geography


def test_every_county_and_municipality_has_an_outline_and_there_is_no_other() -> None:
    drawn, places = outlines(), geography()
    assert list(drawn.counties) == list(places.counties)
    assert sorted(drawn.municipalities) == sorted(places.municipalities)
    assert all(
        re.fullmatch(r"[Mmlz0-9 -]+", path) for path in [*drawn.counties.values(), *drawn.municipalities.values()]
    )


def test_every_municipality_lies_in_its_county() -> None:
    boxes = outlines().boxes
    for code in geography().municipalities:
        x, y, width, height = boxes[code]
        left, top, county_width, county_height = boxes[county_of(code)]
        assert left <= x + 1 <= x + width - 1 <= left + county_width
        assert top <= y + 1 <= y + height - 1 <= top + county_height


@pytest.mark.parametrize("latitude", [55.3, 62.0, 69.1])
def test_on_its_meridian_the_projection_is_the_arc_of_the_ellipsoid(latitude: float) -> None:
    # Of GRS 80, by numbers alone: the radius of curvature added up from the equator.
    flattening, axis, steps = 1 / 298.257222101, 6378137.0, 20_000
    squared = flattening * (2 - flattening)
    width = math.radians(latitude) / steps
    angles = (width * (step + 0.5) for step in range(steps))
    arc = sum(axis * (1 - squared) / (1 - squared * math.sin(angle) ** 2) ** 1.5 * width for angle in angles)
    east, north = sweref99_tm(15, latitude)
    assert east == pytest.approx(500_000, abs=1e-6)
    assert north == pytest.approx(0.9996 * arc, abs=0.01)


@settings(deadline=None)
@given(st.floats(11, 24.2), st.floats(55.3, 69.1))
def test_the_projection_keeps_shapes(longitude: float, latitude: float) -> None:
    # A step to the north and one to the east, as long on the ground, are as long on the map and at right angles.
    squared, step = (2 - 1 / 298.257222101) / 298.257222101, 1e-5
    sine = math.sin(math.radians(latitude))
    meridian = (1 - squared) / (1 - squared * sine**2)
    narrower = math.cos(math.radians(latitude)) / meridian
    here = complex(*sweref99_tm(longitude, latitude))
    northwards = complex(*sweref99_tm(longitude, latitude + step)) - here
    eastwards = complex(*sweref99_tm(longitude + step / narrower, latitude)) - here
    assert abs(northwards - eastwards * 1j) / abs(northwards) < 1e-4


def test_neighbours_share_their_border_to_the_point() -> None:
    west = [[12.0, 60.0], [12.5, 60.0], [12.5, 60.5], [12.0, 60.5], [12.0, 60.0]]
    east = [[12.5, 60.0], [13.0, 60.0], [13.0, 60.5], [12.5, 60.5], [12.5, 60.0]]

    def feature(key: str, code: str, *rings: list[list[float]]) -> dict[str, object]:
        return {"properties": {key: code}, "geometry": {"type": "Polygon", "coordinates": list(rings)}}

    made = build(
        {"features": [feature("municipality_code", "0101", west), feature("municipality_code", "0102", east)]},
        {"features": [feature("county_code", "01", west, east)]},
    )
    shared = _points(made["municipalities"]["0101"]) & _points(made["municipalities"]["0102"])
    assert len(shared) == 2
    assert shared < _points(made["counties"]["01"])
    assert made["counties"]["01"].count("z") == 2


def _points(path: str) -> set[tuple[int, int]]:
    """Every corner of a path; each ring begins with a step from where the one before it began."""
    found: set[tuple[int, int]] = set()
    x = y = 0
    for ring in path.strip("z").split("z"):
        begin, _, steps = ring[1:].partition("l")
        numbers = [int(each) for each in re.findall(r"-?\d+", begin)]
        x, y = x + numbers[0], y + numbers[1]
        found.add((x, y))
        at_x, at_y = x, y
        relative = [int(each) for each in re.findall(r"-?\d+", steps)]
        for step_x, step_y in zip(relative[::2], relative[1::2], strict=True):
            at_x, at_y = at_x + step_x, at_y + step_y
            found.add((at_x, at_y))
    return found


@settings(deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1))
def test_every_value_is_in_one_class_and_classes_follow_each_other(values: list[int]) -> None:
    steps = scale(values)
    assert 1 <= len(steps) <= STEPS
    assert steps[-1].high is None
    assert [step.high for step in steps[:-1]] == [step.low - 1 for step in steps[1:]]
    for value in values:
        step = steps[step_of(value, steps)]
        assert step.low <= value
        assert step.high is None or value <= step.high


def test_there_is_no_scale_where_nothing_is_shown() -> None:
    assert scale([]) == ()


@pytest.mark.parametrize(
    ("cell", "drawn"),
    [
        (Cell(48, 43, 53), "step-2"),
        (Cell(12, 8, 16), "step-1"),
        (Cell(3, 0, 7), "near-zero"),
        (Cell(0, 0, 0), "near-zero"),
        (Cell(None, status=SUPPRESSED), "suppressed"),
        (Cell(None, status=SILENT), "silent"),
        (NOTHING, "missing"),
    ],
)
def test_what_may_be_nothing_and_what_is_no_number_stand_apart_from_the_scale(cell: Cell, drawn: str) -> None:
    assert shade(cell, (Step(10, 19), Step(20, None))) == drawn


def test_insets_show_the_cities_that_they_are_named_after() -> None:
    shown = {inset.key: within(outlines().municipalities, inset.view) for inset in INSETS}
    assert "0180" in shown["stockholm"]
    assert "1480" in shown["goteborg"]
    assert "1280" in shown["malmo"]
    assert all(len(codes) < 60 for codes in shown.values())
