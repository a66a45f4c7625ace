"""English: joining the federation."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.joining.texts import JoiningText

JOINING: Mapping[enum.Enum, str] = {
    JoiningText.REQUESTED: "Keys and settings are in {directory}. Send this file to the authority: {request}",
    JoiningText.WORDS: "The key of {member} in words:",
    JoiningText.READ_THEM: (
        "The authority calls you. Read the words to it: it compares them with those of the request it got."
    ),
    JoiningText.WHEN_LISTED: "When it has listed you, run the same again: upprop node join {directory}",
    JoiningText.KEEP_RECORD_KEY: (
        "Keep a copy of {record_key} in another place than the copies of the data: without it they cannot be read, and "
        "with it they can."
    ),
    JoiningText.WAITING: "Waiting until {member} is listed. Ctrl-C stops; the same command goes on later.",
    JoiningText.BY_OTHER_WAY: (
        "{member} is listed. This federation's registries give no certificates: have yours made from "
        "{signing_request}, put it at {certificate}, and run the same again."
    ),
    JoiningText.JOINED: "{member} is a member (descriptor {serial}). The settings are in {config}.",
    JoiningText.NEXT: "Next: upprop node import FILE --as-of DATE --config {config}, then upprop node serve.",
}
