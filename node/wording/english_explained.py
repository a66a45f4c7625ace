"""English: the sentences of explanations, section by section."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.explain.findings import Answer, Case, Heard, Next, Presences, Rows, Said, Sent, Why

EXPLAINED: Mapping[enum.Enum, str] = {
    Answer.GAP: "The pupil is a gap since {since} ({kind!t}, {urgency!t}).",
    Answer.NO_GAP: "The pupil is no gap.",
    # -- why a gap
    Why.LEFT_ENDED: "The last enrolment ended on {last_day}, and no other has begun.",
    Why.LEFT_VANISHED: "The pupil, or the pupil's enrolment, is no longer in the export of {as_of}.",
    Why.LEFT_CANCELLED: (
        "The enrolment was cancelled on {as_of} though it had long been said to be in force. The pupil counts as "
        "having left that day."
    ),
    Why.LATER_ROW_TOO_LATE: (
        "Another enrolment here begins on {begins}. That is after {due_on}, when the watch ends, and changes nothing."
    ),
    Why.LAST_YEAR_ENDED_EARLY: (
        "The pupil was in the last school year ({school_year}) but left on {last_day}, before the last days of the "
        "spring term. So the duty to attend does not count as fulfilled."
    ),
    Why.GONE: "Staff stated that the pupil is gone though enrolled; the last day in school was {last_day}.",
    Why.NO_SHOW: "Staff stated that the pupil never came; that counts from {since}.",
    Why.NOT_PLACED: "Staff stated that the pupil is of school age and resident here but without a place since {since}.",
    Why.WITHDRAWAL_WAITS: "A withdrawal after {last_day} was asked for and waits until the pupil is accounted for.",
    Why.LOOKED_FOR_SINCE: "The pupil had left on {since} already and is looked for since then.",
    Why.URGENT_BY_REASON: "Urgent: the reason is {reason!t} (stated {said_on}).",
    Why.URGENT_BY_WORD: "Urgent: staff stated so on {said_on}.",
    Why.POSTPONED: (
        "The family told of a start elsewhere on {planned_start}. So the case file opens no sooner than {due_on}."
    ),
    Why.NOT_POSTPONED: (
        "The family told of a start elsewhere on {planned_start}. It postpones nothing: the day is {due_on}."
    ),
    Why.DUTY_ENDED_AFTERWARDS: (
        "The duty to attend ended on {on} ({cause!t}), but that was first shown on {shown_on}. The gap had been said "
        "already and stays beside it."
    ),
    Why.DUTY_ENDED_LONG_BEFORE: (
        "The duty to attend ended on {on} ({cause!t}). That is too long ago to explain that the pupil is missed now."
    ),
    Why.EMIGRATION_TOO_LATE: (
        "The school system shows the pupil as emigrated since {shown_on}. That is more than {days} days after the last"
        " day in school and does not explain the leaving."
    ),
    Why.REVIEW_PASSED: (
        "The decision on the duty to attend was to be looked at again on {review}. That has not happened, and the "
        "decision no longer counts here."
    ),
    # -- why no gap
    Why.NEVER_HERE: "No school system has shown an enrolment of the pupil.",
    Why.BEGINS_LATER: "The pupil's enrolment begins on {begins}. Before it there is no presence to leave.",
    Why.NOTHING_COUNTS: (
        "None of the pupil's enrolments is in a school type that counts; there is no presence to leave."
    ),
    Why.TAKEN_BACK: (
        "The enrolment at {unit} was cancelled on {as_of}, before it had been in force for twenty school days. It "
        "counts as never having been."
    ),
    Why.IN_FORCE: "The pupil is enrolled today: {unit} ({form}).",
    Why.BRIDGED: (
        "Between {last_day}, when the last enrolment ended, and {begins}, when the next begins, there is no school day."
    ),
    Why.HELD: (
        "The pupil left on {last_day}, but too many left {unit} at once in the import of {as_of}. It waits to be "
        "confirmed. Confirm with `upprop node import --confirm-leavings`; otherwise it counts with an import from "
        "{released_on} on that still shows it. Whoever is urgent does not wait."
    ),
    Why.NOT_SHOWN: (
        "The last enrolment ended on {last_day}, but no school day has come since. It counts from {shown_on}."
    ),
    Why.UNKNOWN_FORM: (
        "What ended on {last_day} was of an unknown school type ({form}). It counts as a presence, but its end says "
        "nothing."
    ),
    Why.BEFORE_BASELINE: (
        "The pupil left on {last_day}. The first import was of {baseline}; it tells only what happened from "
        "{first_day}."
    ),
    Why.LATER_ROW: "The pupil left on {last_day} but is enrolled here again from {begins}, before the watch ends.",
    Why.FOUND: "Staff stated on {said_on} that the pupil is found since {on}.",
    Why.BACK: "What staff stated about the absence no longer holds: another enrolment began on {begins}.",
    Why.PLACED: "What staff stated about the lacking place no longer holds: an enrolment began on {begins}.",
    Why.WORD_WAITS: (
        "Stated on {said_on}, and sent only once a second person has agreed: {what!t}, {on}. See `upprop node review`."
    ),
    Why.DUTY_DECEASED: "The pupil is deceased; the school system showed it on {shown_on}. The duty ended on {on}.",
    Why.DUTY_EMIGRATED: "The pupil has emigrated; the school system showed it on {shown_on}. The duty ended on {on}.",
    Why.DUTY_COMPLETED: "The pupil has completed the last school year. The duty ended on {on}.",
    Why.DUTY_DECIDED: (
        "It is decided about the duty from {on} (stated {shown_on}): abroad, or taught otherwise. The decision is to "
        "be looked at again on {review}."
    ),
    # -- what school systems show
    Rows.IN_FORCE: "{unit}, {form}, {start}–{end}: in force (school system {system}).",
    Rows.ENDED: "{unit}, {form}, {start}–{end}: has ended (school system {system}).",
    Rows.LATER: "{unit}, {form}, {start}–{end}: has not begun (school system {system}).",
    Rows.NOT_COUNTED: "{unit}, {form}, {start}–{end}: this school type does not count (school system {system}).",
    Rows.UPPER_SECONDARY: (
        "{unit}, {form}, {start}–{end}: upper secondary does not count, by the setting upper_secondary (school system "
        "{system})."
    ),
    Rows.UNKNOWN_FORM: (
        "{unit}, {form}, {start}–{end}: unknown school type, counts but its end says nothing (school system {system})."
    ),
    Rows.VOID: "{unit}, {form}, {start}–{end}: cancelled, does not count (school system {system}).",
    Rows.VOID_ENDS: "{unit}, {form}, {start}–{end}: cancelled, counts until that was shown (school system {system}).",
    Rows.FORMER: "{unit}, {form}, {start}–{end}: gone since the export of {gone_on}.",
    Rows.STATUS: "Status in the school system: {status!t}.",
    Rows.NONE: "No enrolments.",
    # -- what people stated
    Said.REASON: "{said_on}: reason of the leaving: {reason!t}.",
    Said.PLANNED_START: "{said_on}: planned start elsewhere on {on}.",
    Said.URGENT: "{said_on}: urgent.",
    Said.NOT_PLACED: "{said_on}: not placed since {on}.",
    Said.NO_SHOW: "{said_on}: never came, about the enrolment of {on}.",
    Said.GONE: "{said_on}: gone though enrolled, last day in school {on}.",
    Said.FOUND: "{said_on}: found since {on}.",
    Said.MET: "{said_on}: seen in school on {on}.",
    Said.AFFIRM: "{said_on}: made sure of the presence here on {on}.",
    Said.HELD: "{said_on}: a withdrawal from {on} was asked for. It waits until the pupil is accounted for.",
    Said.HOLD_OVER: "{said_on}: the request to withdraw was taken back. The pupil stays.",
    Said.DUTY_ENDED: "{said_on}: the duty to attend ended on {on}, to be looked at again on {review}.",
    # -- presences
    Presences.IN_FORCE: "From {begins}, goes on.",
    Presences.IN_FORCE_LONG: "For more than 13 months, goes on.",
    Presences.ENDED: "From {begins} to {last_day}.",
    Presences.ENDED_LONG: "For more than 13 months, to {last_day}.",
    Presences.SEEN: "Seen in school by staff on {on}.",
    Presences.NONE: "None.",
    # -- sent
    Sent.UNLINKABLE: (
        "Nothing is sent: the pupil has no usable national number. The pupil is watched here alone until one comes."
    ),
    Sent.PROTECTED: "Nothing is sent: protected identity. The case is handled here, by the protected-identity role.",
    Sent.RENUMBERED: (
        "Nothing is sent: the pupil's number was replaced by another, which may mean a protected identity. If it was a"
        " typing error: `upprop node say PERSON typing-error`."
    ),
    Sent.NO_MOVER: "Nothing was sent: the pupil was here at the first import and has neither come nor left since.",
    Sent.NOTHING_YET: "Nothing was sent yet; that happens with the next `upprop node sync`.",
    Sent.WAITING: "Version {version} of {made_on} ({says!t}): waits to be sent.",
    Sent.SENT: "Version {version} of {made_on} ({says!t}): sent, not answered yet.",
    Sent.ACKNOWLEDGED: "Version {version} of {made_on} ({says!t}): acknowledged by the registry.",
    Sent.PARKED: (
        "Version {version} of {made_on} ({says!t}): NOT TAKEN by the registry, code {code}. Look into it with the "
        "registry's operator."
    ),
    Sent.SUPERSEDED: "Version {version} of {made_on} ({says!t}): replaced before it was sent.",
    # -- heard
    Heard.OPENED: "{closed_on}: no other member has the pupil. The case is open.",
    Heard.ANSWERED: "{closed_on}: answered, another member has the pupil. Which one is never told.",
    Heard.REOPENED: "{closed_on}: the answer no longer holds. The case is open again.",
    Heard.LINKED: "{closed_on}: another member has an open case about the pupil too, and leads it.",
    Heard.LEAD: "{closed_on}: this member leads the case.",
    Heard.CONFIRM: "{closed_on}: another member urgently asks whether the pupil was seen in school here.",
    Heard.OVERLAP: "{closed_on}: another member has long said that it has the pupil too. Still here?",
    Heard.RELEASED: "{closed_on}: the withdrawal can be made.",
    Heard.ENDED: "{closed_on}: ended, the duty to attend has ended.",
    Heard.VOIDED: "{closed_on}: the gap is taken back.",
    Heard.OTHER: "{closed_on}: a notice of kind {kind}.",
    Heard.NOTHING: "No notices about the pupil.",
    Heard.NO_CLOSE: "The registry has told of no daily close yet.",
    Heard.UNREACHED: (
        "The registry could not be reached on the whole school day {day}. Case files past their day are then opened "
        "here all the same."
    ),
    # -- the case
    Case.NOT_MADE: "Worked out now, but not acted upon yet: that happens with the next `upprop node sync`.",
    Case.WATCH: (
        "Watched until {due_on}: {school_days:school day|school days} left (a gap since {since}). If the pupil turns "
        "up with another member before that, there is no case."
    ),
    Case.OVERDUE: (
        "The watch ended on {due_on} (a gap since {since}). The registry's notice is awaited; if none comes the case "
        "file opens here all the same."
    ),
    Case.OPEN: "Open case file since {opened_on} ({opened_by!t}); a gap since {since}, {urgency!t}.",
    Case.ANSWERED: "Answered on {on}: the pupil is accounted for (a gap since {since}). Where is never told.",
    Case.ENDED: "Ended on {on}: the duty to attend has ended (a gap since {since}).",
    Case.VOID: "Taken back on {on}: the gap since {since} never was.",
    Case.LEADS: "This member leads the case.",
    Case.LINKED: "Another member has an open case about the pupil too.",
    Case.COVERAGE_INCOMPLETE: "Some member has been silent for long, so the answer may be incomplete.",
    Case.STEP_POPULATION_REGISTER: (
        "0. Ask the population register, before any contact with family, school or classmates: protected, renumbered, "
        "deceased, emigrated?"
    ),
    Case.STEP_HOME_MUNICIPALITY: (
        "1. Tell the home municipality: {home}. Of a protected identity: its protected-identity role alone."
    ),
    # -- next
    Next.DUE: (
        "{on} ({school_days:school day|school days} left): unless another member has the pupil, a case file opens."
    ),
    Next.SHOWS: "{on}, the first school day after it: if the pupil is still not enrolled, the watch begins.",
    Next.HELD_RELEASED: "{on}: an import from then on that still shows it lets the leaving through.",
    Next.ROW_BEGINS: "{on}: the next enrolment here begins.",
    Next.ROW_ENDS: "{on}: the enrolment ends on {last_day}. If no other stands then, the pupil is a gap.",
    Next.REVIEW: (
        "{on}: the decision on the duty must be looked at again. If it is not, it no longer counts the day after."
    ),
    Next.SYNC: "Now: run `upprop node sync`, or let the node do it.",
    Next.NOTHING: "There is no day to wait for.",
}
