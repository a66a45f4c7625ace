"""The benchmark of imports runs and counts what it says it counts; how fast it is, no test asserts."""

from __future__ import annotations

from tests.benchmarks import bench_import


def test_the_benchmark_measures_all_sources_and_both_stores() -> None:
    pupils = 200
    measured = bench_import.run(pupils, lambda _one: None)
    assert len(measured) == 4
    for one in measured:
        assert (one.baseline.changed, one.unchanged.changed) == (pupils, 0)
        assert one.everyone is None or one.everyone.changed == pupils
        assert one.unchanged.ratio > 0
        assert one.unchanged.peak > 50
        assert one.name in str(one)
