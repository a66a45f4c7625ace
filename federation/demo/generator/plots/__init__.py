"""The plots by name: one function per kind of history, each with what has to come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from federation.demo.generator.plots import leaving, moves, numbers, status
from federation.demo.generator.stage import Stage, Story

Plot = Callable[[Stage], Story]

PLOTS: Mapping[str, Plot] = {
    plot.__name__: plot
    for plot in (
        leaving.arrival,
        leaving.arrival_cancelled,
        leaving.back,
        leaving.cancelled_here,
        leaving.end_corrected,
        leaving.end_taken_back,
        leaving.ends_in_summer,
        leaving.glitch,
        leaving.inner,
        leaving.left_before,
        leaving.left_long_before,
        leaving.lost,
        leaving.lost_twice,
        leaving.out_of_school,
        leaving.own_later_row,
        leaving.own_row_too_late,
        leaving.preschool,
        leaving.reopened_row,
        leaving.school_closes,
        leaving.school_glitch,
        leaving.stay,
        leaving.told_early,
        leaving.told_late,
        leaving.two_schools,
        leaving.unknown_form,
        leaving.vanish_back,
        leaving.vanish_explained,
        leaving.vanish_lost,
        moves.cancelled_after_all,
        moves.cancelled_there,
        moves.chain,
        moves.chain_back,
        moves.chain_late,
        moves.end_taken_back_late,
        moves.enrolled_twice,
        moves.lost_by_two,
        moves.move_late,
        moves.move_ok,
        moves.moved_before,
        moves.never_came,
        moves.overlap,
        moves.unknown_form_there,
        moves.vanish_ok,
        numbers.bad_date,
        numbers.bad_number,
        numbers.marked_after,
        numbers.marked_after_move,
        numbers.moved_hidden,
        numbers.new_uuid,
        numbers.number_lost,
        numbers.protected,
        numbers.protected_later,
        numbers.rekey,
        numbers.rekey_lost,
        numbers.renumbered,
        numbers.tf,
        numbers.tf_resolved,
        status.abroad_from_another,
        status.abroad_through_another,
        status.deceased,
        status.deceased_late,
        status.died_at_another,
        status.emigrated,
        status.emigrated_late,
        status.emigrated_too_late,
        status.last_year_ends,
        status.last_year_over,
        status.lost_over_the_summer,
        status.over_the_summer,
    )
}

MOVED = frozenset(
    {
        "chain_back",
        "end_taken_back_late",
        "marked_after_move",
        "move_late",
        "move_ok",
        "moved_before",
        "overlap",
        "unknown_form_there",
        "vanish_ok",
    }
)
"""Kinds in which a pupil changes members and all is well."""

CROWDS = frozenset({"school_closes", "school_glitch"})
"""Kinds of a dozen pupils at once; members with fewer than forty would refuse their exports as torn."""
