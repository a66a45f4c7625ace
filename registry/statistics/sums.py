"""The answer to a further question, as a cube: one value, with its interval. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from federation.web.i18n import Language
from privacy import disclosure, noise
from registry.statistics import answers, labels, notes
from registry.statistics.catalogue import TABLES, DimensionId, Measure, TableId
from registry.statistics.cube import Axis, Cell, Cube, Disclosure, Drawn
from registry.statistics.model import Release
from registry.statistics.questions import Posed
from registry.statistics.reading import Level, NamedCode

_TABLE = TABLES[TableId.OWN_SELECTION]


def build(posed: Posed, release: Release, cap_nano_rho: int, measures: Sequence[Measure], language: Language) -> Cube:
    """The answer. `release` is that of the question's year, whose coverage and children it is about."""
    assert posed.value is not None
    assert posed.answered_at is not None
    question, sigma = posed.question, noise.sigma(posed.nano_rho)
    half_width = noise.half_width(sigma)
    low, high = disclosure.interval(posed.value, half_width)
    cell = Cell(disclosure.shown(posed.value), low, high, posed.value)
    values, status = answers.spread([cell], measures)
    coverage = release.record.coverage
    drawn = Drawn(
        release_id=question.query_id,
        drawn_on=posed.answered_at.date(),
        profile=release.record.profile,
        library=release.record.library,
        nano_rho=posed.nano_rho,
        cap_nano_rho=cap_nano_rho,
        year=question.year,
        sigma=round(sigma, 4),
        half_width=half_width,
        current_members=coverage.current_members,
        silent=coverage.silent_municipalities,
    )
    selection = {dimension.value: codes for dimension, codes in question.codes.items()}
    return Cube(
        table_id=_TABLE.table_id.value,
        label=labels.table_label(_TABLE.table_id, language),
        source=labels.source(language),
        updated=posed.answered_at.replace(microsecond=0),
        axes=(
            *(_axis(dimension, codes, language) for dimension, codes in question.codes.items()),
            _contents(measures, language),
        ),
        values=values,
        status=status,
        unit=labels.unit(language),
        notes=(
            *notes.of_sum(selection, language),
            *notes.of_table(_TABLE.table_id, posed.nano_rho, cap_nano_rho, language),
            *notes.of_coverage([release], [code for code in question.places if len(code) == 2], language),
        ),
        disclosure=Disclosure(
            mechanism=answers.mechanism(release.record.mechanism),
            level=Level.AUTHORITY,
            drawn=(drawn,),
            suppression=notes.legend(Level.AUTHORITY, language),
            selection=selection,
        ),
    )


def _axis(dimension: DimensionId, codes: tuple[str, ...], language: Language) -> Axis:
    """One category: the one code there is, or the sum over all."""
    label = labels.dimension_label(_TABLE, dimension, language)
    if len(codes) == 1:
        return Axis(dimension.value, label, (NamedCode(codes[0], labels.code_label(dimension, codes[0], language)),))
    return Axis(dimension.value, label, (NamedCode(labels.SUM, labels.sum_label(len(codes), dimension, language)),))


def _contents(measures: Sequence[Measure], language: Language) -> Axis:
    label = labels.dimension_label(_TABLE, DimensionId.CONTENTS, language)
    codes = tuple(NamedCode(each.value, labels.code_label(DimensionId.CONTENTS, each, language)) for each in measures)
    return Axis(DimensionId.CONTENTS.value, label, codes)
