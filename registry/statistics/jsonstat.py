"""A cube as JSON-stat 2.0 (https://json-stat.org/full/), and back. Pure.

Invariants
    - The same cube gives the same bytes: keys in one order, no white space, UTF-8.
    - `parse(write(cube)) == cube`. What is not a dataset of ours is refused as a whole.

`extension.px` is what PxWeb adds; `extension.sdc` says how values were protected. Its fields beside `releases` are
those of the newest release. The budget in it is the year's cap and what this table costs of it; what is spent by now
moves, and would make two answers to one question differ: ask `GetBudget`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from federation.errors import Code, UppropError
from privacy.noise import NANO
from registry.statistics.catalogue import DimensionId
from registry.statistics.cube import Axis, Cube, Disclosure, Drawn
from registry.statistics.reading import Level, NamedCode

MEDIA_TYPE = "application/json"


class _Unit(msgspec.Struct, kw_only=True):
    base: str
    decimals: int = 0


class _Category(msgspec.Struct, kw_only=True, omit_defaults=True):
    index: list[str]
    label: dict[str, str]
    unit: dict[str, _Unit] = {}


class _Dimension(msgspec.Struct, kw_only=True):
    label: str
    category: _Category


class _Role(msgspec.Struct, kw_only=True, omit_defaults=True):
    time: list[str] = []
    geo: list[str] = []
    metric: list[str] = []


class _Px(msgspec.Struct, kw_only=True):
    tableid: str


class _Coverage(msgspec.Struct, kw_only=True):
    current_members: int
    silent: list[str]


class _Release(msgspec.Struct, kw_only=True, omit_defaults=True):
    release_id: str
    drawn_on: date
    year: int
    profile: str
    library: str
    rho: float
    cap_rho: float
    sigma: float
    half_width: int
    coverage: _Coverage | None = None


class _Budget(msgspec.Struct, kw_only=True):
    scope: str
    cap_rho: float
    table_rho: float


class _Sdc(msgspec.Struct, kw_only=True, omit_defaults=True):
    mechanism: str
    rho: float
    sigma: float
    release_id: str
    release_ids: list[str]
    level: str
    suppression: dict[str, str]
    budget: _Budget
    releases: list[_Release]
    selection: dict[str, list[str]] = {}


class _Extension(msgspec.Struct, kw_only=True):
    px: _Px
    sdc: _Sdc


class _Dataset(msgspec.Struct, kw_only=True, omit_defaults=True):
    version: str
    kind: str = msgspec.field(name="class")
    label: str
    source: str
    updated: str
    id: list[str]
    size: list[int]
    role: _Role
    dimension: dict[str, _Dimension]
    value: list[int | None]
    status: dict[str, str] = {}
    note: list[str] = []
    extension: _Extension


_DECODER = msgspec.json.Decoder(_Dataset)


def write(cube: Cube) -> bytes:
    return msgspec.json.encode(
        _Dataset(
            version="2.0",
            kind="dataset",
            label=cube.label,
            source=cube.source,
            updated=cube.updated.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            id=[axis.name for axis in cube.axes],
            size=list(cube.size),
            role=_role(cube),
            dimension={axis.name: _dimension(axis, cube.unit) for axis in cube.axes},
            value=list(cube.values),
            status={str(place): mark for place, mark in sorted(cube.status.items())},
            note=list(cube.notes),
            extension=_Extension(px=_Px(tableid=cube.table_id), sdc=_sdc(cube.disclosure)),
        )
    )


def parse(content: bytes) -> Cube:
    """The cube that was written. Raises UppropError(NOT_SUPPORTED)."""
    try:
        read = _DECODER.decode(content)
        return _cube(read)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise UppropError(
            Code.NOT_SUPPORTED, "The table is not understood; the registry may be newer. Upgrade this installation."
        ) from error


def _role(cube: Cube) -> _Role:
    of: dict[str, list[str]] = {"time": [], "geo": [], "metric": []}
    for axis in cube.axes:
        if axis.role:
            of[axis.role].append(axis.name)
    return _Role(**of)


def _dimension(axis: Axis, unit: str) -> _Dimension:
    units = {code: _Unit(base=unit) for code in axis.codes} if axis.name == DimensionId.CONTENTS else {}
    labels = {each.code: each.label for each in axis.categories}
    return _Dimension(label=axis.label, category=_Category(index=list(axis.codes), label=labels, unit=units))


def _sdc(disclosure: Disclosure) -> _Sdc:
    newest = disclosure.drawn[-1]
    return _Sdc(
        mechanism=disclosure.mechanism,
        rho=newest.nano_rho / NANO,
        sigma=newest.sigma,
        release_id=newest.release_id,
        release_ids=[each.release_id for each in disclosure.drawn],
        level=disclosure.level.value,
        suppression=dict(disclosure.suppression),
        budget=_Budget(
            scope=f"national/{newest.year}",
            cap_rho=newest.cap_nano_rho / NANO,
            table_rho=newest.nano_rho / NANO,
        ),
        releases=[_release(each) for each in disclosure.drawn],
        selection={name: list(codes) for name, codes in disclosure.selection.items()},
    )


def _release(drawn: Drawn) -> _Release:
    return _Release(
        release_id=drawn.release_id,
        drawn_on=drawn.drawn_on,
        year=drawn.year,
        profile=drawn.profile,
        library=drawn.library,
        rho=drawn.nano_rho / NANO,
        cap_rho=drawn.cap_nano_rho / NANO,
        sigma=drawn.sigma,
        half_width=drawn.half_width,
        coverage=None
        if drawn.current_members is None
        else _Coverage(current_members=drawn.current_members, silent=list(drawn.silent)),
    )


def _cube(read: _Dataset) -> Cube:
    if (read.version, read.kind) != ("2.0", "dataset"):
        raise ValueError("no dataset of JSON-stat 2.0")
    axes = tuple(_axis(name, read.dimension[name]) for name in read.id)
    if read.size != [len(axis.categories) for axis in axes]:
        raise ValueError("the sizes are not those of the dimensions")
    if not read.extension.sdc.releases:
        raise ValueError("it comes from no release")
    sdc = read.extension.sdc
    units = read.dimension[axes[-1].name].category.unit if axes else {}
    return Cube(
        table_id=read.extension.px.tableid,
        label=read.label,
        source=read.source,
        updated=datetime.fromisoformat(read.updated),
        axes=axes,
        values=tuple(read.value),
        status={int(place): mark for place, mark in read.status.items()},
        unit=next((each.base for each in units.values()), ""),
        notes=tuple(read.note),
        disclosure=Disclosure(
            mechanism=sdc.mechanism,
            level=Level(sdc.level),
            drawn=tuple(map(_drawn, sdc.releases)),
            suppression=sdc.suppression,
            selection={name: tuple(codes) for name, codes in sdc.selection.items()},
        ),
    )


def _axis(name: str, dimension: _Dimension) -> Axis:
    category = dimension.category
    return Axis(name, dimension.label, tuple(NamedCode(code, category.label[code]) for code in category.index))


def _drawn(release: _Release) -> Drawn:
    return Drawn(
        release_id=release.release_id,
        drawn_on=release.drawn_on,
        profile=release.profile,
        library=release.library,
        nano_rho=round(release.rho * NANO),
        cap_nano_rho=round(release.cap_rho * NANO),
        year=release.year,
        sigma=release.sigma,
        half_width=release.half_width,
        current_members=None if release.coverage is None else release.coverage.current_members,
        silent=() if release.coverage is None else tuple(release.coverage.silent),
    )
