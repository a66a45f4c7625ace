"""The benchmark of intake and close runs and counts what it says it counts; how fast it is, no test asserts."""

from __future__ import annotations

from tests.benchmarks import bench_ingest, bench_scale
from tests.harness.postgres import PostgresServer


def test_the_benchmark_measures_both_stores(postgres: PostgresServer) -> None:
    for measured in (bench_ingest.on_sqlite(400), bench_ingest.on_postgresql(postgres, 400)):
        # Every signal leaves itself and a pseudonym; every second one a gap and a notice.
        assert measured.rows > 3 * measured.signals
        assert measured.ratio == measured.bare / (measured.intake + measured.close)
        assert measured.store in str(measured)


def test_the_benchmark_of_scale_measures_two_stores(postgres: PostgresServer) -> None:
    measured = bench_scale.measure(postgres, 2_000, 10_000, signals=200, rounds=1)
    assert measured.ratio == measured.with_many / measured.with_few
    assert "10,000" in str(measured)
