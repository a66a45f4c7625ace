"""The benchmark of statistics runs; what its figures are is for people to read."""

from __future__ import annotations

from registry.statistics.catalogue import ReleaseKind
from tests.benchmarks import bench_statistics


def test_a_tiny_share_of_the_benchmark_draws_and_reads() -> None:
    figures = bench_statistics.measure(children=40, rounds=1, reads=10, calls=4)
    assert min(figures.first, figures.size, figures.reads, figures.calls, figures.calls_at_once, figures.year) > 0
    assert set(figures.noise) == set(ReleaseKind)
    assert f"{figures.reads:,.0f} reads/s" in bench_statistics.report(figures)
