"""What the evaluator's doctor says beyond the federation's. What to do stands on a line of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class DoctorText(enum.Enum):
    """Keys of `DOCTOR`."""

    SHARES_HELD = enum.auto()
    EPOCH_WITHOUT_SHARE = enum.auto()
    SIGNING_KEY_LISTED = enum.auto()
    NO_WITNESS = enum.auto()
    QUOTAS_LEFT = enum.auto()
    QUOTA_NEAR = enum.auto()
    NOT_LOOKED = enum.auto()
    NOTHING_WITNESSED = enum.auto()
    WITNESSED = enum.auto()
    WITNESSED_LONG_AGO = enum.auto()
    CHECKPOINTS_REFUSED = enum.auto()


DOCTOR: Mapping[enum.Enum, str] = {
    DoctorText.SHARES_HELD: "There is a share of every epoch in force: {epochs}.",
    DoctorText.EPOCH_WITHOUT_SHARE: (
        "There is no share of epoch {epoch}, which the descriptor lists.\nPut its file into share_dir, or restore it "
        "from where you keep it: upprop evaluator share --help"
    ),
    DoctorText.SIGNING_KEY_LISTED: "The signing key is the one that the descriptor lists.",
    DoctorText.NO_WITNESS: (
        "The settings name no signing_key, so this evaluator does not witness the registry's ledger.\nName the key's "
        "file (mode 0600), and start the evaluator again."
    ),
    DoctorText.QUOTAS_LEFT: "No member has used more than {percent} % of its quota of the year or of today.",
    DoctorText.QUOTA_NEAR: (
        "Member {member} has used {year} % of its year and {day} % of today.\nAsk it why over the telephone. If it is "
        "right: upprop evaluator allow {member}. If not, tell the authority."
    ),
    DoctorText.NOT_LOOKED: "Not looked at without a descriptor.\nMend what the line on the descriptor says first.",
    DoctorText.NOTHING_WITNESSED: (
        "No checkpoint of the registry's ledger was seen yet.\nThe registry brings the first after its first leaf; "
        "else ask its operator whether it reaches this address."
    ),
    DoctorText.WITNESSED: "A checkpoint was co-signed {hours} h ago.",
    DoctorText.WITNESSED_LONG_AGO: (
        "The last checkpoint was co-signed {hours} h ago.\nThe registry does not reach this evaluator, or does not "
        "run: see whether this evaluator runs and its port is open, then ask the registry's operator."
    ),
    DoctorText.CHECKPOINTS_REFUSED: (
        "Checkpoints were refused that did not continue what was seen: {refused}. The registry showed two different "
        "ledgers.\nTell the authority. They are kept here as proof: keep a copy of the database."
    ),
}
