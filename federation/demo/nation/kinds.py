"""How often each kind of history happens in a nation's school year."""

from __future__ import annotations

from collections.abc import Mapping

MOVES = 50_000
"""Pupils of compulsory school age who cross a municipal border in a year."""

MOVED = {
    "move_ok": 33_000,
    "overlap": 8_000,
    "vanish_ok": 6_000,
    "moved_before": 1_500,
    "chain_back": 500,
    "unknown_form_there": 300,
    "end_taken_back_late": 300,
    "move_late": 200,
    "marked_after_move": 50,
}
"""Those who change members, nearly all in time."""

AMISS = {
    "lost": 120,
    "vanish_lost": 40,
    "chain": 30,
    "told_late": 20,
    "protected": 20,
    "tf": 20,
    "rekey": 20,
    "moved_hidden": 20,
    "told_early": 15,
    "back": 15,
    "chain_late": 15,
    "cancelled_there": 15,
    "emigrated_late": 15,
    "emigrated_too_late": 10,
    "abroad_through_another": 10,
    "vanish_back": 10,
    "vanish_explained": 10,
    "reopened_row": 10,
    "cancelled_here": 10,
    "never_came": 10,
    "own_row_too_late": 10,
    "out_of_school": 10,
    "bad_number": 10,
    "number_lost": 10,
    "left_before": 10,
    "end_corrected": 10,
    "enrolled_twice": 10,
    "protected_later": 10,
    "lost_twice": 5,
    "deceased_late": 5,
    "cancelled_after_all": 5,
    "rekey_lost": 5,
    "marked_after": 5,
    "renumbered": 5,
    "school_closes": 4,
}
"""Those of whom a case is opened, rightly, be it for a while."""

QUIET = {
    "inner": 25_000,
    "arrival": 8_000,
    "ends_in_summer": 3_000,
    "emigrated": 2_500,
    "end_taken_back": 300,
    "glitch": 300,
    "new_uuid": 300,
    "two_schools": 300,
    "arrival_cancelled": 300,
    "own_later_row": 200,
    "left_long_before": 100,
    "deceased": 60,
    "unknown_form": 50,
    "tf_resolved": 50,
    "bad_date": 30,
    "abroad_from_another": 20,
    "died_at_another": 5,
    "school_glitch": 4,
}
"""Those who stay within a member, come from outside, or have no duty to attend school any more."""

CROWDS = frozenset({"school_closes", "school_glitch"})
"""A school unit at once: too many for a nation so small that none of these would happen in a year."""


def kinds(moves: int) -> Mapping[str, int]:
    """Kind → how many, for a nation with so many moves; of every kind at least one."""
    part = moves / MOVES
    everything = {**MOVED, **AMISS, **QUIET}
    scaled = {kind: max(1, round(count * part)) for kind, count in everything.items()}
    if part < 1 / min(everything[kind] for kind in CROWDS):
        scaled = {kind: count for kind, count in scaled.items() if kind not in CROWDS}
    return scaled
