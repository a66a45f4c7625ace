"""English: recovery and copies."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.recovery.texts import RecoveryText

RECOVERY: Mapping[enum.Enum, str] = {
    RecoveryText.STEP_HAND_BACK: "Fetching what was said",
    RecoveryText.STEP_FIND_NAMES: "Finding whose it is",
    RecoveryText.STEP_REMEMBER: "Looking through the others",
    RecoveryText.STEP_BACKUP: "Copying",
    RecoveryText.STEP_RESTORE: "Putting the copy in place",
    RecoveryText.RECOVERED: "The registry knows {known:pupil|pupils} from you; {attached} are known here by number.",
    RecoveryText.NAMELESS: (
        "{nameless:pupil is|pupils are} in no import and stand here without a name, {open} with an open case: "
        "upprop node cases. Whoever has the papers gives the numbers: upprop node recover --person -"
    ),
    RecoveryText.NUMBERS_MISSING: (
        "{missing:pupil has|pupils have} an earlier number (a samordningsnummer) that is not known here. Whoever knows "
        "it, give it before anything new is said of the pupil: upprop node recover --person -"
    ),
    RecoveryText.NEXT: "All that the registry knows is back. Next: upprop node sync",
    RecoveryText.AGAIN: "Run the command again: it goes on where it stopped. Nothing is sent until it has ended.",
    RecoveryText.NUMBER: "National identity number, twelve digits (not shown)",
    RecoveryText.NAMED: "Found; the pupil is listed as {person}. Next: upprop node sync",
    RecoveryText.BACKED_UP: "Copied to {path} ({size} bytes; newest import: {newest}).",
    RecoveryText.NO_IMPORT: "none",
    RecoveryText.KEEP_KEY_APART: "The record key is not in it. Keep a copy of the key too, apart from this one.",
    RecoveryText.CASE_KEYS: "The keys of the case files stand in {path}, in place of the copy before.",
    RecoveryText.CASE_KEYS_MISSING: (
        "The keys of the case files are not in it: without them nobody can read or work a case file when this machine "
        "is lost. Copy them with --case-keys FILE."
    ),
    RecoveryText.RESTORED: (
        "Restored (newest import: {newest}). Next: import the newest export, then upprop node sync. It says whether "
        "upprop node recover is needed."
    ),
}
