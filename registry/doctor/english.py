"""What the doctors of registry and readers say beyond the federation's. What to do stands on a line of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class DoctorText(enum.Enum):
    """Keys of `DOCTOR`."""

    KEYS_HELD = enum.auto()
    EPOCH_WITHOUT_KEY = enum.auto()
    CA_IN_ORDER = enum.auto()
    LEDGER_BY_ITSELF = enum.auto()
    NO_CLOSE_YET = enum.auto()
    CLOSED = enum.auto()
    CLOSE_MISSED = enum.auto()
    OPENINGS_WAIT = enum.auto()
    NO_OPENINGS_WAIT = enum.auto()
    READS_AS = enum.auto()
    SHOWN_AT = enum.auto()


DOCTOR: Mapping[enum.Enum, str] = {
    DoctorText.KEYS_HELD: "There is a key of every epoch in force: {epochs}.",
    DoctorText.EPOCH_WITHOUT_KEY: (
        "There is no key of epoch {epoch}, which the descriptor lists: signals under it are refused.\nRestore its file "
        "from where you keep it; for a new epoch see upprop registry epoch --help. Replicas need the same."
    ),
    DoctorText.CA_IN_ORDER: "This registry gives certificates; its CA is one of the descriptor's.",
    DoctorText.LEDGER_BY_ITSELF: (
        "Whether ledger and database agree takes longer than a doctor's visit, and is not said here.\nA running "
        "registry compares them every day (alert UppropLedgerBroken). To know it now: upprop ledger verify"
    ),
    DoctorText.NO_CLOSE_YET: "No day was closed yet; a running registry does it at 18:00.",
    DoctorText.CLOSED: "{day} is closed.",
    DoctorText.CLOSE_MISSED: (
        "The close is behind by {hours} h ({days} business days); the newest is of {newest}. Until it is made nobody "
        "is told of a missing pupil.\nSee that the registry runs, and its log for worker_failed or worker_refused of "
        "daily_close. By hand: upprop registry evaluate"
    ),
    DoctorText.OPENINGS_WAIT: (
        "Openings of {members} members wait, because they sent far more than is usual.\nAsk the member why, then: "
        "upprop registry unblock"
    ),
    DoctorText.NO_OPENINGS_WAIT: "No member's openings wait for you.",
    DoctorText.READS_AS: "The descriptor lists this reader as {name}, in the role {role}.",
    DoctorText.SHOWN_AT: "A dashboard of these settings listens at {address} and shows the level {level}.",
}
