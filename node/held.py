"""A withdrawal that waits, as a ground for an opening (design §5, §6): pure, from one pupil's timeline.

Invariant: what was known before the request, a row of the next school year or a word of old, answers nothing of it.
"""

from __future__ import annotations

from federation.rules.vocabulary import OpeningKind
from node.model import SAID_BY_HOLDS, OpeningStated, Saying, What
from node.timeline import Timeline


def held(time: Timeline) -> OpeningStated | None:
    """The opening that the hold makes, until it is taken back, or the pupil is found or placed here since."""
    word = _word(time)
    if word is None or placed_since(time) or _found_since(time, word):
        return None
    return OpeningStated(OpeningKind.HELD, word.on)


def placed_since(time: Timeline) -> bool:
    """Whether the pupil has come to this member anew: after days without school, or to a unit that no export named for
    it before the request. The unit that asks may go on listing the pupil, also in a row of the next school year.
    """
    word = _word(time)
    if word is None:
        return False
    last = time.last_run()
    if last is not None and last.begins >= word.on:
        return True
    before = {row.unit for seen in time.history.observations if seen.as_of <= word.said_on for row in seen.rows or ()}
    return any(
        span.unit not in before
        and word.on <= span.begins <= time.today
        and any(run.begins <= span.begins < run.until for run in time.runs)
        for span in time.spans
    )


def _word(time: Timeline) -> Saying | None:
    """The newest hold, unless it was taken back."""
    words = [saying for saying in time.history.sayings if saying.what in SAID_BY_HOLDS]
    return words[-1] if words and words[-1].what is What.HELD else None


def _found_since(time: Timeline, word: Saying) -> bool:
    said = time.history.sayings
    # Sayings come in the order they were said; of two that are alike the newer one counts.
    position = max(place for place, saying in enumerate(said) if saying == word)
    return any(saying.what is What.FOUND and saying.on >= word.on for saying in said[position:])
