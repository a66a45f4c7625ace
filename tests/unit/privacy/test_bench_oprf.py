"""The benchmark runs and its figures are figures; what they are is for people to read."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_a_tiny_share_of_the_benchmark_gives_positive_ratios() -> None:
    bench = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "bench_oprf.py"))
    figures = bench["measure"](batch=8, rounds=1)
    assert min(figures.blind, figures.verify, figures.finalize, figures.evaluator, figures.multiplication_us) > 0
    assert figures.node > figures.evaluator
    assert f"{figures.node:.2f}" in bench["report"](figures)
