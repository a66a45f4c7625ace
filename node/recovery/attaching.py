"""Handles that the registry hands back, and the pupils they are about.

State of a handle handed back: nameless (a pupil of its own, without number or name, whose history is made anew from
what was said; its gaps and case files stand from then on) → attached (the pupil who bears one of its pseudonyms has it,
with all that hangs on it). What was said of a nameless pupil stands at the registry, and nothing is added to it: its
route is `unlinkable`, as that of anybody whose number is not known.

Invariants: a handle handed back twice is handed back once; a pupil has one live handle, and where the registry has
more, the others are taken back by retractions, which the next sync sends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from federation.rules.calendar import DAY
from federation.rules.vocabulary import HANDLE_BYTES, Handle, Signal
from node.gaps import Gap, Judge
from node.identity import Identity, Route
from node.model import HAND_MADE_OPENINGS, History, Observation, Saying
from node.outbox import PseudonymRef, Version
from node.recovery.rebuilding import Rules, Window, never_said, rebuilt
from node.recovery.retelling import retold, taken_in
from node.recovery.stated import Stated
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pupils import PUPIL_ID_BYTES, Pupil, Pupils
from node.store.recovery import Recoveries
from node.store.sayings import SayingContent, Sayings, SayingState
from node.store.sealing import Sealer
from privacy.identifiers import Sound

RECOVERED_BY = "recovery"
"""Stands for the persons whose words were lost with the store."""

NAMELESS = "recovered-"
"""Begins the id under which a nameless pupil is listed; no school system gives such ids."""

_UNKNOWN = b""
"""In place of the index of a number that nobody here knows."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a recovery works by on one day."""

    window: Window
    rules: Rules
    judge: Judge
    today: date


class Attaching:
    """Takes handles over. Every method works on the connection of the caller's transaction."""

    def __init__(self, sealer: Sealer, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._pupils = Pupils(sealer)
        self._imports = Imports(sealer)
        self._outbox = Outbox(sealer)
        self._sayings = Sayings(sealer)
        self._notices = Notices()
        self._gaps = Gaps(self._pupils)
        self._recoveries = Recoveries(sealer)

    def grounds(self, tx: Transaction, judge: Judge, today: date) -> Grounds | None:
        """None before the first import of a new store."""
        state, facts = self._recoveries.state(tx), self._imports.facts(tx)
        if facts is None:
            return None
        # A restored store without a newer export goes by what it has: nothing is known of the days up to today.
        before = self._recoveries.first_import_since(tx) or today + DAY
        reported = state.last_contact is not None and before <= state.last_contact
        window = Window(state.restored_as_of, before, reported)
        return Grounds(window, Rules(facts, judge.policy, judge.calendar), judge, today)

    # -- handing back -----------------------------------------------------------------------------------------------

    def behind(self, tx: Transaction, stated: Iterable[Stated]) -> tuple[Stated, ...]:
        """Those of which the registry has a version that this store has not.

        A retracted handle that is not known here is of no use to anybody.
        """
        everything = tuple(stated)
        spoken = self._recoveries.spoken(tx, (each.signal.handle for each in everything))
        return tuple(
            each
            for each in everything
            if each.signal.version > spoken.get(each.signal.handle, 0)
            and not (each.signal.retracted and each.signal.handle not in spoken)
        )

    def hand_back(self, tx: Transaction, stated: Sequence[Stated], grounds: Grounds) -> None:
        """Take over what the registry has beyond this store."""
        new = self.behind(tx, stated)
        owners = self._recoveries.owners(tx, (each.signal.handle for each in new))
        for each in new:
            owner = owners.get(each.signal.handle)
            if owner is None:
                self._add_nameless(tx, each, grounds)
            else:
                self._catch_up(tx, each, self._pupils.load(tx, owner), grounds)

    def _add_nameless(self, tx: Transaction, stated: Stated, grounds: Grounds) -> None:
        pupil = Pupil(
            pupil_id=self._random_bytes(PUPIL_ID_BYTES),
            handle=stated.signal.handle,
            identity=Identity((f"{NAMELESS}{self._recoveries.next_nameless(tx)}",)),
            observations=(Observation(grounds.window.before, None),),
            route=Route.UNLINKABLE,
        )
        self._pupils.add(tx, [pupil])
        self._keep(tx, stated, pupil, grounds)

    def _catch_up(self, tx: Transaction, stated: Stated, pupil: Pupil, grounds: Grounds) -> None:
        """The store knows the handle, and an older version of it."""
        if pupil.handle != stated.signal.handle:
            # Retired here since: its retraction is made anew, over the version that the registry has.
            self._recoveries.hand_back(tx, [(pupil.pupil_id, _version(stated.signal))], grounds.today)
            self._pupils.mark_dirty(tx, [pupil.pupil_id])
        elif stated.signal.retracted:
            self._recoveries.hand_back(tx, [(pupil.pupil_id, _version(stated.signal))], grounds.today)
            self._pupils.replace_handle(tx, pupil, self._random_bytes(HANDLE_BYTES), grounds.today)
        else:
            self._keep(tx, stated, pupil, grounds)

    def _keep(self, tx: Transaction, stated: Stated, pupil: Pupil, grounds: Grounds) -> None:
        """Write the version, the history made anew from it, and the gaps as they were told."""
        signal = stated.signal
        before = self._outbox.newest(tx, [signal.handle]).get(signal.handle)
        numbers = [self._pupils.number_index(number) for number in pupil.identity.numbers]
        version = _version(signal)
        version = replace(version, carries=_remembered(version.carries, numbers, before))
        self._recoveries.hand_back(tx, [(pupil.pupil_id, version)], grounds.today)
        self._rebuild(tx, pupil, signal, grounds)
        known = self._gaps.of_handles(tx, [signal.handle]).get(signal.handle, ())
        notices = self._notices.of_handles(tx, [signal.handle])
        told = retold(known, stated, notices, grounds.judge, grounds.window.before)
        self._gaps.save(tx, [(pupil.pupil_id, gap) for gap in told])

    def _rebuild(self, tx: Transaction, pupil: Pupil, signal: Signal, grounds: Grounds) -> None:
        # What was made up before, of another handle, lies in the window: no import does.
        self._sayings.take_back(tx, pupil.pupil_id, RECOVERED_BY)
        said = self._sayings.standing(tx, [pupil.pupil_id]).get(pupil.pupil_id, ())
        seen = tuple(each for each in pupil.observations if not grounds.window.holds(each.as_of))
        history = rebuilt(signal, History(seen, said), grounds.window, grounds.rules)
        self._pupils.change(tx, [replace(pupil, observations=history.observations, recheck_on=None, dirty=True)])
        for saying in history.sayings[len(said) :]:
            self._sayings.add(tx, pupil.pupil_id, _content(saying), saying.said_on, SayingState.STANDING)

    # -- attaching --------------------------------------------------------------------------------------------------

    def attach(self, tx: Transaction, borne: Mapping[Handle, Sequence[PseudonymRef]], grounds: Grounds) -> int:
        """Give handles to the pupils who bear their pseudonyms; returns how many nameless pupils found their names.

        `borne`: handle → the pseudonyms by which the registry found it.
        """
        nameless = self._recoveries.nameless(tx)
        owners = self._pupils.by_numbers(tx, (ref.number_index for refs in borne.values() for ref in refs))
        attached = 0
        for handle, refs in sorted(borne.items()):
            pupil_id = next((owners[ref.number_index] for ref in refs if ref.number_index in owners), None)
            if pupil_id is None or handle not in nameless:
                continue
            self._attach(tx, self._pupils.load(tx, nameless[handle]), self._pupils.load(tx, pupil_id), refs, grounds)
            attached += 1
        return attached

    def _attach(
        self, tx: Transaction, nameless: Pupil, pupil: Pupil, refs: Sequence[PseudonymRef], grounds: Grounds
    ) -> None:
        handles = [nameless.handle, pupil.handle]
        newest = self._outbox.newest(tx, handles)
        gaps = self._gaps.of_handles(tx, handles)
        spoken = self._recoveries.spoken(tx, handles)
        self._sayings.take_back(tx, nameless.pupil_id, RECOVERED_BY)
        self._pupils.merge(tx, nameless, pupil.pupil_id, grounds.today)
        version = newest[nameless.handle]
        if pupil.handle in spoken and _newer(newest[pupil.handle].signal, version.signal):
            # Two live handles for one pupil: this one is taken back by a retraction, which the merging has ordered.
            self._pupils.mark_dirty(tx, [pupil.pupil_id])
            return
        told = self._without_guess(tx, version.signal, gaps.get(nameless.handle, ()))
        retires = pupil.handle in spoken
        self._recoveries.take_handle(tx, pupil, nameless.handle, grounds.today if retires else None)
        if not retires:
            meanwhile = [gap for gap in gaps.get(pupil.handle, ()) if gap.stated]
            merged = taken_in(told, meanwhile)
            self._gaps.save(tx, [(pupil.pupil_id, replace(gap, handle=Handle(nameless.handle))) for gap in merged])
        pupil = replace(pupil, handle=nameless.handle)
        named = replace(version, carries=_named(version.carries, refs))
        self._recoveries.hand_back(tx, [(pupil.pupil_id, named)], grounds.today)
        self._rebuild(tx, pupil, version.signal, grounds)

    def _without_guess(self, tx: Transaction, signal: Signal, gaps: Sequence[Gap]) -> tuple[Gap, ...]:
        """Drop the gap that a nameless pupil had for being in no import, where no case file came of it."""
        said = None if signal.opening is None else signal.opening.number
        kept = []
        for gap in gaps:
            if gap.stated and gap.number != said and gap.route is Route.UNLINKABLE and gap.opened_on is None:
                self._recoveries.forget_gap(tx, gap.handle, gap.number)
            else:
                kept.append(gap)
        return tuple(kept)

    def attach_number(
        self, tx: Transaction, number: Sound, borne: Mapping[Handle, Sequence[PseudonymRef]], grounds: Grounds
    ) -> str | None:
        """Give a number that a person typed to whom it belongs; returns the id under which the pupil is listed.

        None where no handle bears it, or none whose pupil lacks it.
        """
        nameless, index = self._recoveries.nameless(tx), self._pupils.number_index(number)
        owner = self._pupils.by_numbers(tx, [index]).get(index)
        if owner is not None:
            attached = self.attach(tx, borne, grounds)
            return self._pupils.identities(tx, [owner])[owner].person_id if attached else None
        owners = self._recoveries.owners(tx, borne)
        for handle, refs in sorted(borne.items()):
            if handle not in owners:
                continue
            pupil = self._pupils.load(tx, owners[handle])
            # An earlier number of one who is known by another: the current one stays the last.
            identity = replace(pupil.identity, numbers=(number, *pupil.identity.numbers))
            route = Route.REGISTRY if handle in nameless else pupil.route
            self._pupils.change(tx, [replace(pupil, identity=identity, route=route, dirty=True)])
            version = self._outbox.newest(tx, [handle])[handle]
            if self._recoveries.spoken(tx, [handle]).get(handle) == version.signal.version:
                named = replace(version, carries=_named(version.carries, refs))
                self._recoveries.hand_back(tx, [(pupil.pupil_id, named)], grounds.today)
            return identity.person_id
        return None

    # -- the others -------------------------------------------------------------------------------------------------

    def remember_baseline(self, tx: Transaction, pupil_ids: Iterable[bytes], grounds: Grounds) -> None:
        """Pupils of whom the registry knows nothing: they were there when the lost store was begun, or are new."""
        changed = []
        for pupil in self._pupils.load_all(tx, pupil_ids).values():
            history = never_said(History(pupil.observations), grounds.window, grounds.rules)
            self._sayings.take_back(tx, pupil.pupil_id, RECOVERED_BY)
            for saying in history.sayings:
                self._sayings.add(tx, pupil.pupil_id, _content(saying), saying.said_on, SayingState.STANDING)
            if history.observations != pupil.observations:
                changed.append(replace(pupil, observations=history.observations))
        self._pupils.change(tx, changed)


def _version(signal: Signal) -> Version:
    """The version as the outbox keeps it; the numbers of its pseudonyms are not known yet."""
    carries = tuple(PseudonymRef(pseudonym.epoch, _UNKNOWN) for pseudonym in signal.pseudonyms)
    return Version(replace(signal, pseudonyms=()), carries)


def _remembered(
    carries: Sequence[PseudonymRef], numbers: Sequence[bytes], before: Version | None
) -> tuple[PseudonymRef, ...]:
    """What a version carries, as far as the pupil's numbers and the version before it tell.

    Of each epoch: all the pupil's numbers, where it bears as many; else those that the version before had.
    """
    found: list[PseudonymRef] = []
    for epoch, borne in Counter(ref.epoch for ref in carries).items():
        known = [PseudonymRef(epoch, number) for number in numbers]
        if len(known) != borne:
            known = [ref for ref in (before.carries if before is not None else ()) if ref.epoch == epoch][:borne]
        found += [*known, *[PseudonymRef(epoch, _UNKNOWN)] * (borne - len(known))]
    return tuple(found)


def _named(carries: Sequence[PseudonymRef], found: Sequence[PseudonymRef]) -> tuple[PseudonymRef, ...]:
    """What a version carries, as far as the numbers by which it was found tell.

    It was asked under one epoch: where it bears as many pseudonyms of another, they are those of the same numbers.
    """
    numbers = list(dict.fromkeys(ref.number_index for ref in found))
    named: list[PseudonymRef] = []
    for epoch in dict.fromkeys(ref.epoch for ref in carries):
        of_epoch = [ref for ref in carries if ref.epoch == epoch]
        known = {ref.number_index for ref in of_epoch if ref.number_index != _UNKNOWN}
        asked = any(ref.epoch == epoch for ref in found)
        if asked or len(of_epoch) - len(known) == len(numbers):
            named += [PseudonymRef(epoch, number) for number in numbers if number not in known]
        named += [ref for ref in of_epoch if ref.number_index != _UNKNOWN]
        missing = len(of_epoch) - sum(ref.epoch == epoch for ref in named)
        named += [PseudonymRef(epoch, _UNKNOWN)] * missing
    return tuple(named)


def _newer(one: Signal, other: Signal) -> bool:
    """Which of two signals about one pupil was said later, as far as they tell; an opening outweighs all."""
    return _weight(one) >= _weight(other)


def _weight(signal: Signal) -> tuple[bool, date, int, bytes]:
    days = [date.min]
    for presence in signal.presences:
        days += [day for day in (presence.until, presence.affirmed_on, presence.met_on) if day is not None]
    if signal.opening is not None:
        days.append(signal.opening.since)
    return signal.opening is not None, max(days), signal.version, signal.handle


def _content(saying: Saying) -> SayingContent:
    return SayingContent(
        saying.what.value,
        saying.on,
        RECOVERED_BY,
        saying.reason,
        saying.review,
        reviewed_by=RECOVERED_BY if saying.what in HAND_MADE_OPENINGS else None,
    )
