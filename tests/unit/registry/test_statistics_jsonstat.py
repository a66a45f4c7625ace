"""What a reader gets as JSON-stat is what the registry said."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime

import pytest

from federation.errors import Code, UppropError
from registry.statistics import jsonstat
from registry.statistics.cube import SUPPRESSED, Axis, Cell, Cube, Disclosure, Drawn
from registry.statistics.reading import Level, NamedCode

DRAWN = Drawn(
    release_id="2025",
    drawn_on=date(2026, 2, 14),
    profile="standard",
    library="OpenDP 0.16.0",
    nano_rho=100_000_000,
    cap_nano_rho=250_000_000,
    year=2025,
    sigma=2.2361,
    half_width=4,
    current_members=301,
    silent=("2403",),
)
CUBE = Cube(
    table_id="municipality-year",
    label="Barn efter kommun och år",
    source="Upprop",
    updated=datetime(2026, 2, 14, 6, tzinfo=UTC),
    axes=(
        Axis("Region", "region", (NamedCode("0180", "Stockholm"), NamedCode("2403", "Bjurholm"))),
        Axis("Tid", "år", (NamedCode("2025", "2025"),)),
        Axis("ContentsCode", "innehåll", (NamedCode("CHILDREN", "Barn"), NamedCode("CHILDREN_LO95", "Lägst"))),
    ),
    values=(48, 44, None, None),
    status={2: SUPPRESSED, 3: SUPPRESSED},
    unit="barn",
    notes=("Brus är tillagt.",),
    disclosure=Disclosure("discrete_gaussian", Level.PUBLIC, (DRAWN,), {SUPPRESSED: "för få"}),
)


def test_a_cube_comes_back_as_it_was_written() -> None:
    assert jsonstat.parse(jsonstat.write(CUBE)) == CUBE


def test_the_same_cube_gives_the_same_bytes() -> None:
    assert jsonstat.write(CUBE) == jsonstat.write(dataclasses.replace(CUBE))


def test_it_has_the_fields_that_analysts_tools_look_for() -> None:
    read = json.loads(jsonstat.write(CUBE))
    assert (read["version"], read["class"], read["id"], read["size"]) == (
        "2.0",
        "dataset",
        ["Region", "Tid", "ContentsCode"],
        [2, 1, 2],
    )
    assert read["role"] == {"time": ["Tid"], "geo": ["Region"], "metric": ["ContentsCode"]}
    assert read["dimension"]["Region"]["category"] == {
        "index": ["0180", "2403"],
        "label": {"0180": "Stockholm", "2403": "Bjurholm"},
    }
    assert read["dimension"]["ContentsCode"]["category"]["unit"]["CHILDREN"] == {"base": "barn", "decimals": 0}
    assert read["value"] == [48, 44, None, None]
    assert read["status"] == {"2": "..", "3": ".."}
    sdc = read["extension"]["sdc"]
    assert (sdc["mechanism"], sdc["rho"], sdc["sigma"], sdc["release_id"]) == ("discrete_gaussian", 0.1, 2.2361, "2025")
    assert sdc["budget"] == {"scope": "national/2025", "cap_rho": 0.25, "table_rho": 0.1}
    assert read["updated"] == "2026-02-14T06:00:00Z"


def test_rows_are_cells_by_their_codes() -> None:
    assert CUBE.cells() == {("0180", "2025"): Cell(48, 44), ("2403", "2025"): Cell(status="..")}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"version": "1.0"},
        {"value": [1]},
        {"size": [1, 1, 4]},
        {"status": {"0": ".."}},
        {"status": {"77": ".."}},
        {"id": ["Region", "Tid", "Kon"]},
        {"updated": "yesterday"},
    ],
)
def test_what_is_no_dataset_of_ours_is_refused(spoilt: dict[str, object]) -> None:
    content = json.dumps(json.loads(jsonstat.write(CUBE)) | spoilt).encode()
    with pytest.raises(UppropError) as refusal:
        jsonstat.parse(content)
    assert refusal.value.code is Code.NOT_SUPPORTED


def test_a_value_and_a_status_never_stand_together() -> None:
    with pytest.raises(ValueError, match="status"):
        dataclasses.replace(CUBE, status={0: ".."})
