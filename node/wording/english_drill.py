"""English: drills."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.drill.texts import DrillText

DRILL: Mapping[enum.Enum, str] = {
    DrillText.BEGUN: "Drill {drill_id}, begun on {on}:",
    DrillText.PASSED: "The whole chain works.",
    DrillText.RUNNING: "The drill is under way. Carry on: upprop node drill",
    DrillText.FAILED: "The drill has failed.",
    DrillText.MADE: "A pupil with a test number has been invented.",
    DrillText.PSEUDONYMISED: "Evaluators {detail} answered, their answers were verified, the pseudonym is computed.",
    DrillText.ACCEPTED: "The registry has taken the signal.",
    DrillText.ROSTER: "The registry knows your import of {detail}.",
    DrillText.OPENED: "The registry opened a case at the close of {detail} and said so.",
    DrillText.TAKEN_BACK: "The signal is taken back, and the registry has taken that.",
    DrillText.CONFIRMED: "The registry confirmed it at the close of {detail}.",
    DrillText.TO_PSEUDONYMISE: "The evaluators answer, and the pseudonym is computed.",
    DrillText.TO_ACCEPT: "The registry takes the signal.",
    DrillText.TO_KNOW_ROSTER: "The registry knows your newest import.",
    DrillText.TO_OPEN: "The registry opens a case at its close and says so.",
    DrillText.TO_TAKE_BACK: "The signal is taken back.",
    DrillText.TO_CONFIRM: "The registry confirms it at its next close.",
    DrillText.AFTER_CLOSE: "Expected once the registry has closed {expected_on}, after 18:00. Look again then.",
    DrillText.NO_PSEUDONYMS: (
        "Too few evaluators have answered. Run upprop node sync and read what it says; where the node does not reach "
        "them, look at the network and the firewall outwards, else turn to the evaluators' operators."
    ),
    DrillText.NOT_ACCEPTED: (
        "The signal has not reached the registry. Run upprop node sync and read what it says; where the node does not "
        "reach the registry, look at the network and the firewall outwards, else turn to the registry's operator."
    ),
    DrillText.NO_ROSTER: (
        "The registry knows of no new import of yours and will soon count you as silent. Import an export (upprop node "
        "import) and run upprop node sync."
    ),
    DrillText.NO_NOTICE: (
        "No notice has come from the registry. Run upprop node sync and read what it says; where that works, ask the "
        "registry's operator whether the daily close is made."
    ),
    DrillText.NOT_TAKEN_BACK: (
        "That the signal is taken back has not reached the registry. Run upprop node sync and read what it says."
    ),
    DrillText.UNHEARD: (
        "The registry has closed a later day and said nothing about the signal. That must not happen: turn to the "
        "registry's operator, and do not rely on the registry's word until it is cleared up."
    ),
    DrillText.ANSWERED: (
        "The registry says that another member has the pupil, who does not exist. That must not happen: turn to the "
        "registry's operator, and do not rely on the registry's word until it is cleared up."
    ),
    DrillText.REFUSED: "The registry did not take the signal ({code}). Turn to the registry's operator.",
}
