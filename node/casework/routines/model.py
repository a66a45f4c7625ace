"""A routine as it is written in its file. Pure.

Invariants
    - A routine never changes: another text is another version, named by the SHA-256 of its content, and a case file
      keeps the version that it began with.
    - A step begins with the routine unless an outcome leads to it (`then`); then it begins on the day of that outcome.
      Its clock runs from the day it begins.
    - What leads back (`loop`) is declared as such; all else goes forward.
    - A step that is `at_once` waits for nothing.
"""

from __future__ import annotations

import enum

import msgspec

from federation.rules.vocabulary import CaseOutcome, CaseStatus
from federation.web.i18n import Language
from node.casework.actor import Actor, Role
from node.casework.files.model import Classification


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in Swedish and in English. Without English the Swedish stands: a municipality's own may be in one."""

    sv: str
    en: str = ""

    def text(self, language: Language) -> str:
        return self.en if language is Language.ENGLISH and self.en else self.sv

    def language(self, language: Language) -> Language:
        """In which language `text` is."""
        return language if language is Language.SWEDISH or self.en else Language.SWEDISH


class CountsAs(enum.StrEnum):
    """As what a step counts in the yearly report, and on the page of follow-ups."""

    FIRST_CONTACT = "first-contact"
    WORRY_REPORT = "worry-report"
    FOLLOW_UP = "follow-up"


class HelpKind(enum.StrEnum):
    """The kinds of help in the directory, by which a step asks for them."""

    EMERGENCY = "emergency"
    POLICE = "police"
    SOCIAL_SERVICES = "social-services"
    SOCIAL_ON_CALL = "social-on-call"
    RESOURCE_CENTRE = "resource-centre"
    RELATIONSHIP_VIOLENCE = "relationship-violence"
    WOMENS_SHELTER = "womens-shelter"
    LEAVE_TAKING = "leave-taking"
    CHILD_LINE = "child-line"
    FOREIGN_AFFAIRS = "foreign-affairs"
    ADVICE = "advice"


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a step is due, counted from the day it begins: exactly one of the four stands."""

    school_days: int | None = None
    """0: the first school day on or after it."""
    days: int | None = None
    months: int | None = None
    after_break: bool = False
    """The first school day after the next long break: term start among them."""


class Suggestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an outcome suggests for the case file; a person decides it."""

    status: CaseStatus | None = None
    outcome: CaseOutcome | None = None
    """To close it with."""
    classification: Classification | None = None


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a step may end. `then` begins steps, `loop` begins one anew that led here; `starts` names a routine that
    begins beside this one; `ends` ends this one, whatever steps are left. `protects`: the case file is from now on the
    protected-identity role's alone.
    """

    id: str
    title: Words
    then: tuple[str, ...] = ()
    loop: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    ends: bool = False
    protects: bool = False
    needs_note: bool = False
    suggests: Suggestion | None = None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the checklist. `after` names steps that must be done before it; `standing`: it can be taken at any
    time and again and again, and is never due.
    """

    id: str
    title: Words
    text: Words
    role: Role
    outcomes: tuple[Outcome, ...]
    due: Clock | None = None
    law: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    at_once: bool = False
    standing: bool = False
    counts_as: CountsAs | None = None
    help: tuple[HelpKind, ...] = ()

    def outcome(self, outcome_id: str) -> Outcome | None:
        return next((each for each in self.outcomes if each.id == outcome_id), None)


class Routine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`edition` is the writer's own number. `outlives_close`: what is left of it stays due after the case file was
    closed, and after the pupil turned 18 (`past_18`), until one of its outcomes ends it.
    """

    name: str
    edition: int
    title: Words
    summary: Words
    steps: tuple[Step, ...]
    outlives_close: bool = False
    past_18: bool = False

    def step(self, step_id: str) -> Step | None:
        return next((each for each in self.steps if each.id == step_id), None)

    def begins_with(self) -> tuple[Step, ...]:
        """The steps that no outcome leads to."""
        later = {step_id for step in self.steps for outcome in step.outcomes for step_id in outcome.then}
        return tuple(step for step in self.steps if step.id not in later)


MISSING_PUPIL = "saknad-elev"
HELD_ABROAD = "hallen-utomlands"
PROTECTED_IDENTITY = "skyddade-uppgifter"
LASTING_SUPPORT = "langsiktigt-stod"
"""The names of the routines that are shipped."""


def may_finish(actor: Actor, step: Step) -> bool:
    """Whether the actor may say how the step went: its own role, or one that works case files where it is no
    protected-identity step."""
    if step.role is Role.PROTECTED:
        return actor.has(Role.PROTECTED)
    return actor.works_cases or actor.has(step.role)
