"""English: data subjects' requests."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.subject.texts import SubjectText

SUBJECT: Mapping[enum.Enum, str] = {
    SubjectText.ABOUT: (
        "Copy of personal data from {member}, {day}: all that the node keeps about you (GDPR article 15)."
    ),
    SubjectText.SOURCE: (
        "The data come from the school systems of the municipality or operator, and from its staff where that is said."
    ),
    SubjectText.SOURCE_RESIDENTS: (
        "The data come from the municipality's list of resident children, and from its staff where that is said. "
        "Nothing was given to anybody else."
    ),
    SubjectText.RECIPIENTS: (
        "The recipient outside the member is the registry. It got pseudonyms and the days that stand "
        "under what was sent to it, never a name or number. The evaluators got blinded values that tell "
        "them nothing. The program transfers nothing to third countries, and nothing is decided "
        "automatically."
    ),
    SubjectText.PSEUDONYMS: (
        "Pseudonyms were made of the number for the epochs named here. The values are not given: they "
        "would help whoever finds this copy to link it with other data."
    ),
    SubjectText.STATISTICS: (
        "Age band and sex were told for the registry's statistics in {cases:case|cases}. What was told is"
        " not kept here."
    ),
    SubjectText.COPIES: ("Backups of the node hold the same data, sealed, for as long as the member keeps them."),
    SubjectText.RIGHTS: (
        "What is wrong is put right in the school system; the next import takes it over. You can ask for "
        "erasure, object, and complain to the supervisory authority (IMY)."
    ),
    SubjectText.RIGHTS_RESIDENTS: (
        "What is wrong in the population register is put right by the Tax Agency; the next list takes it over. You can "
        "ask for erasure, object, and complain to the supervisory authority (IMY)."
    ),
    SubjectText.NOTHING: "nothing",
    SubjectText.WRITTEN: ("The copy is in {path}. Hand it to the person it is about alone, and delete the file then."),
    SubjectText.WILL_GO: "This goes ({rows:row|rows}):",
    SubjectText.TAKES_BACK: (
        "First, what was said to the registry is taken back. When the registry has taken that, all rows here go."
    ),
    SubjectText.RELIED_ON: (
        "The registry was told that the pupil was here. Once that is taken back another member's case may"
        " open again, and a child be looked for whom nobody misses. Make sure that the pupil is in some "
        "school."
    ),
    SubjectText.LEFT_AT_REGISTRY: (
        "The registry then still has a random name and a version number, without a pseudonym or days of "
        "presence, and of a case its days, until the rules in docs/manual/retention.md take them away."
    ),
    SubjectText.SURE: "Erase everything about this person? It cannot be undone",
    SubjectText.BEGUN: (
        "Begun. The next sync (upprop node sync) takes it back at the registry, and then all is erased. "
        "How far it has come: upprop node subject log"
    ),
    SubjectText.ERASED: ("Erased. What stays is a line that it was done, and not of whom: upprop node subject log"),
    SubjectText.WAITS: "Waits for the registry, {seconds} s so far; next try in {pause} s (Ctrl-C stops waiting).",
    SubjectText.INTERRUPTED: (
        "Stopped waiting. The erasure is begun all the same and goes on with the next sync; how far it has come: "
        "upprop node subject log"
    ),
    SubjectText.UNREACHED: (
        "The registry could not be reached (the lines above say why), and nothing is erased before it has taken back "
        "what was said. The erasure "
        "is begun and goes on with the next sync that reaches it; what is wrong: upprop node doctor"
    ),
    SubjectText.NOT_TAKEN: (
        "The registry did not take the retraction ({code}), so that nothing is erased and waiting does not help. Ask "
        "the registry's operator by the code, then give upprop node subject erase once more for the same person: it "
        "is sent anew."
    ),
    SubjectText.COME_BACK: (
        "Given up: the pupil came into a school system's roster again, and all is said anew. Erase there first, "
        "import, and ask again."
    ),
    SubjectText.OLD_COPIES: (
        "Backups from before hold the data until they are deleted. If one is restored the person is "
        "erased again by itself, provided that the file erased in the data directory is still there: keep"
        " it with the backups."
    ),
    SubjectText.NO_REQUESTS: "Nobody has asked for a copy or an erasure.",
}

SUBJECT_TERMS: Mapping[str, str] = {
    "EXPORT": "copy",
    "ERASURE": "erasure",
    "PENDING": "waits for the registry",
    "DONE": "done",
    "GIVEN_UP": "given up: the pupil is in a school system again",
    "WAITING": "waiting",
    "SENT": "sent",
    "ACKNOWLEDGED": "taken",
    "PARKED": "not taken",
    "SUPERSEDED": "replaced",
    "STANDING": "stands",
    "REFUSED": "refused",
    "ANSWER": "accounted for by another member",
    "PLACED_HERE": "has a place here anew",
    "OVERRIDE": "a named person's decision",
    "RELEASED": "let go",
    "CANCELLED": "taken back",
    "subject.identity": "Who you are",
    "subject.given_name": "Given name",
    "subject.family_name": "Family name",
    "subject.birth_date": "Date of birth",
    "subject.sex": "Sex",
    "subject.numbers": "Numbers",
    "subject.wrong_numbers": "Numbers that were typing errors",
    "subject.person_ids": "Ids in the school system",
    "subject.protected": "Protected identity",
    "subject.route": "How a gap is handled",
    "subject.school_systems": "What school systems show now",
    "subject.system": "School system",
    "subject.person_id": "Id",
    "subject.number": "Number",
    "subject.name": "Name",
    "subject.status": "Status",
    "subject.marking": "Security marking",
    "subject.rows": "Rows",
    "subject.unit": "School unit",
    "subject.unit_name": "Name of the school unit",
    "subject.form": "School type",
    "subject.start": "From",
    "subject.end": "To",
    "subject.year": "School year",
    "subject.cancelled": "Cancelled",
    "subject.observations": "What imports have shown",
    "subject.as_of": "As of",
    "subject.in_roster": "Was there",
    "subject.said_by_staff": "What staff have stated",
    "subject.word": "Statement",
    "subject.on": "About the day",
    "subject.said_by": "By",
    "subject.said_on": "Stated on",
    "subject.reason": "Reason",
    "subject.review": "To be reviewed on",
    "subject.reviewed_by": "Reviewed by",
    "subject.state": "State",
    "subject.sent_to_registry": "What was sent to the registry",
    "subject.version": "Version",
    "subject.made_on": "Made on",
    "subject.code": "Reason",
    "subject.epochs": "Epochs",
    "subject.presences": "Presence",
    "subject.opening": "Gap",
    "subject.duty_ended": "Duty ended",
    "subject.retracted": "Takes all back",
    "subject.begins": "From",
    "subject.until": "Until",
    "subject.affirmed_on": "Affirmed on",
    "subject.met_on": "Seen in school",
    "subject.kind": "Kind",
    "subject.since": "Since",
    "subject.urgency": "Urgency",
    "subject.planned_start": "Planned start",
    "subject.gaps": "Gaps and case files",
    "subject.stated": "Said now",
    "subject.due_on": "Due on",
    "subject.state_since": "In this state since",
    "subject.opened_on": "Opened on",
    "subject.opened_by": "Opened by",
    "subject.verdict": "The registry's word",
    "subject.verdict_on": "Told on",
    "subject.lead": "Leads",
    "subject.linked": "Linked to another case",
    "subject.coverage_incomplete": "Some member was silent",
    "subject.notices_of_registry": "Notices of the registry",
    "subject.closed_on": "Close",
    "subject.opening_number": "Number of the gap",
    "subject.asked_by_roll_call": "Called in the roll call",
    "subject.called_on": "Called on",
    "subject.begun_since": "There since",
    "subject.told_for_statistics": "Statistics",
    "subject.pseudonyms": "Pseudonyms",
    "subject.epoch": "Epoch",
    "subject.evaluators": "Evaluators",
    "subject.kept": "How long it is kept",
    "subject.table": "Table",
    "subject.why": "Why",
    "subject.withdrawals_asked_for": "Withdrawals asked for",
    "subject.last_day": "Last day",
    "subject.responsible": "Responsible",
    "subject.note": "Note",
    "subject.asked_on": "Asked on",
    "subject.released_by": "Let go by",
    "subject.decided_by": "Decided by",
    "subject.decision": "Reason for the decision",
    "subject.tasks": "Tasks for staff",
    "subject.answered": "Answer",
    "subject.answer": "Answer",
    "subject.by": "By",
    "subject.resident_since": "Resident since",
    "subject.attendance": "Attendance",
    "subject.day": "Day",
    "subject.mark": "Mark",
    "subject.case_files": "Case files",
    "subject.reference": "Reference",
    "subject.opened_for": "Opened for",
    "subject.status_since": "Status since",
    "subject.suspended_until": "Suspended until",
    "subject.outcome": "Outcome",
    "subject.classification": "Classification",
    "subject.absence": "Absence",
    "subject.absence_why": "What decided",
    "subject.shredded_on": "Shredded on",
    "subject.gap_state": "State of the gap",
    "subject.revision": "Changes",
    "subject.journal": "Journal",
    "subject.written_at": "Written",
    "subject.author": "By",
    "subject.body": "Content",
    "subject.text": "Text",
    "subject.true": "yes",
    "subject.false": "no",
}
"""Words for states, and for the names of what a copy of personal data holds."""
