"""What others can bring about as often as they like does not fill the log."""

from __future__ import annotations

from federation.thinning import LINES, Thinning


def test_a_caller_has_some_lines_at_a_stretch_and_then_one_a_second() -> None:
    now = 0.0
    thinning = Thinning(monotonic=lambda: now)
    assert sum(thinning.grants() for _ in range(10 * LINES)) == LINES
    assert thinning.grants("upprop://node/0180")
    now = 7.0
    assert sum(thinning.grants() for _ in range(100)) == 7
    now = 10.0 * LINES
    assert sum(thinning.grants() for _ in range(10 * LINES)) == LINES
