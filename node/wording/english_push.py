"""English: school systems that push."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.push.texts import PushText

PUSH: Mapping[enum.Enum, str] = {
    PushText.ADDED: "{name} may push until {expires_on}. Written to {directory}: {files}.",
    PushText.NO_PORT: (
        'The node takes pushes once its settings state enrolment_listen = "host:port". Then restart it.'
    ),
    PushText.REVOKED: (
        "{name} may push no more. Its pupils count as enrolled as it last put them, until it is let in again or "
        "retired: upprop node systems --retire {name}"
    ),
    PushText.REVOKED_BEFORE: "{name} could not push any more as it was.",
    PushText.NOBODY: "No school system may push. Let one in with: upprop node client add NAME --out DIR",
    PushText.SYSTEM: "School system",
    PushText.STATE: "State",
    PushText.ADDED_ON: "Added",
    PushText.EXPIRES_ON: "Until",
    PushText.LAST_PUSH: "Last push",
    PushText.AS_OF: "Heard as of",
    PushText.NOTHING_TAKEN: "none",
    PushText.NEVER: "never",
    PushText.ROSTER_REFUSED: "whole roster of {day} refused",
}
