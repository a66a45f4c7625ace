"""The error catalogue: one code for machines, one plain sentence for people.

Invariants: a sentence says what to do next and holds no personal data, no pseudonym and no handle, so it may be logged,
printed and sent to the other side of an RPC. Codes are stable: they are added at the end and never renamed, because
other versions read them from the wire. The gRPC status of each code lives in `federation.rpc.status`.
"""

from __future__ import annotations

import enum


class Code(enum.StrEnum):
    """What went wrong, as it stands on the wire (`upprop-code`), in logs and in dispositions."""

    # Configuration and start
    CONFIG_INVALID = "CONFIG_INVALID"
    SECRET_MODE = "SECRET_MODE"  # noqa: S105 - the name of a mistake, not a password
    PORT_TAKEN = "PORT_TAKEN"
    # Descriptor
    DESCRIPTOR_UNSIGNED = "DESCRIPTOR_UNSIGNED"
    DESCRIPTOR_EXPIRED = "DESCRIPTOR_EXPIRED"
    DESCRIPTOR_OLDER = "DESCRIPTOR_OLDER"
    DESCRIPTOR_INVALID = "DESCRIPTOR_INVALID"
    DESCRIPTOR_CHANGED = "DESCRIPTOR_CHANGED"
    EPOCH_UNSIGNED = "EPOCH_UNSIGNED"
    # Identity
    IDENTITY_UNLISTED = "IDENTITY_UNLISTED"
    IDENTITY_FOREIGN = "IDENTITY_FOREIGN"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    METHOD_FORBIDDEN = "METHOD_FORBIDDEN"
    # Requests
    DATE_SKEW = "DATE_SKEW"
    BATCH_TOO_LARGE = "BATCH_TOO_LARGE"
    BATCH_REUSED = "BATCH_REUSED"
    REQUEST_INVALID = "REQUEST_INVALID"
    SIGNAL_MALFORMED = "SIGNAL_MALFORMED"
    EPOCH_UNKNOWN = "EPOCH_UNKNOWN"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    CLOCK_NOT_MANUAL = "CLOCK_NOT_MANUAL"
    # Peers
    EVALUATOR_LIED = "EVALUATOR_LIED"
    NO_QUORUM = "NO_QUORUM"
    PEER_UNREACHABLE = "PEER_UNREACHABLE"
    DEADLINE = "DEADLINE"
    OVERLOADED = "OVERLOADED"
    INTERNAL = "INTERNAL"
    # Stores
    STORE_LOCKED = "STORE_LOCKED"
    STORE_UNREACHABLE = "STORE_UNREACHABLE"
    SCHEMA_OUTDATED = "SCHEMA_OUTDATED"
    SCHEMA_NEWER = "SCHEMA_NEWER"
    # Exports
    EXPORT_UNREADABLE = "EXPORT_UNREADABLE"
    EXPORT_FOREIGN = "EXPORT_FOREIGN"
    EXPORT_SHRUNK = "EXPORT_SHRUNK"
    EXPORT_OLDER = "EXPORT_OLDER"
    INPUT_REFUSED = "INPUT_REFUSED"
    # School systems
    TOKEN_REFUSED = "TOKEN_REFUSED"  # noqa: S105 - the name of a refusal, not a token
    # Ledger
    BATCH_UNSIGNED = "BATCH_UNSIGNED"
    BATCH_SIGNATURE_WRONG = "BATCH_SIGNATURE_WRONG"
    LEDGER_CHECKPOINT_REFUSED = "LEDGER_CHECKPOINT_REFUSED"
    LEDGER_PROOF_REFUSED = "LEDGER_PROOF_REFUSED"
    LEDGER_BROKEN = "LEDGER_BROKEN"
    # Retention
    RETENTION_UNSTATED = "RETENTION_UNSTATED"
    # Statistics
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    # Admission and the machine it runs on
    ADMISSION_REFUSED = "ADMISSION_REFUSED"
    ADMISSION_PENDING = "ADMISSION_PENDING"
    POPULATION_IMPLAUSIBLE = "POPULATION_IMPLAUSIBLE"
    CLOCK_WRONG = "CLOCK_WRONG"
    SECRET_MISSING = "SECRET_MISSING"  # noqa: S105 - the name of a mistake, not a password
    DIRECTORY_UNWRITABLE = "DIRECTORY_UNWRITABLE"
    # Casework
    JOURNAL_TOUCHED = "JOURNAL_TOUCHED"


_SPACES = frozenset("\u00a0\u202f")
"""Inside numbers."""


def printable(text: str) -> str:
    """A text without what ends a line, moves a terminal's cursor, changes its colours or turns the direction of
    writing: so whoever has written part of it cannot hide or forge what stands around it.
    """
    return text if text.isprintable() else "".join(each for each in text if each.isprintable() or each in _SPACES)


class UppropError(Exception):
    """An expected failure. `code` is for machines, `sentence` for people; both may travel and be logged.

    Sentences quote files and other parties; nothing of them but letters and signs comes through.
    """

    def __init__(self, code: Code, sentence: str) -> None:
        sentence = printable(sentence)
        super().__init__(f"{code.value}: {sentence}")
        self.code = code
        self.sentence = sentence


EXIT_UNEXPECTED = 1
EXIT_USAGE = 2
EXIT_CONFIGURATION = 3
EXIT_INPUT = 4
EXIT_IDENTITY = 5
EXIT_PEER = 6
EXIT_STORE = 7
EXIT_LEDGER = 8
EXIT_PORT = 9
EXIT_SECRET = 10
EXIT_DIRECTORY = 11
EXIT_CLOCK = 12
EXIT_SCHEMA_NEWER = 13
EXIT_AUTHORITY = 14
EXIT_DESCRIPTOR_OLDER = 15
EXIT_ADMISSION = 16
EXIT_PENDING = 17
EXIT_INTERRUPTED = 130

_EXIT_CODES = {
    Code.CONFIG_INVALID: EXIT_CONFIGURATION,
    Code.SECRET_MODE: EXIT_SECRET,
    Code.SECRET_MISSING: EXIT_SECRET,
    Code.DIRECTORY_UNWRITABLE: EXIT_DIRECTORY,
    Code.CLOCK_WRONG: EXIT_CLOCK,
    Code.ADMISSION_REFUSED: EXIT_ADMISSION,
    Code.POPULATION_IMPLAUSIBLE: EXIT_ADMISSION,
    Code.ADMISSION_PENDING: EXIT_PENDING,
    Code.PORT_TAKEN: EXIT_PORT,
    Code.CLOCK_NOT_MANUAL: EXIT_CONFIGURATION,
    Code.DESCRIPTOR_UNSIGNED: EXIT_AUTHORITY,
    Code.DESCRIPTOR_EXPIRED: EXIT_IDENTITY,
    Code.DESCRIPTOR_OLDER: EXIT_DESCRIPTOR_OLDER,
    Code.DESCRIPTOR_INVALID: EXIT_IDENTITY,
    Code.DESCRIPTOR_CHANGED: EXIT_IDENTITY,
    Code.EPOCH_UNSIGNED: EXIT_IDENTITY,
    Code.IDENTITY_UNLISTED: EXIT_IDENTITY,
    Code.IDENTITY_FOREIGN: EXIT_IDENTITY,
    Code.CERTIFICATE_EXPIRED: EXIT_IDENTITY,
    Code.METHOD_FORBIDDEN: EXIT_IDENTITY,
    Code.TOKEN_REFUSED: EXIT_IDENTITY,
    Code.EVALUATOR_LIED: EXIT_PEER,
    Code.NO_QUORUM: EXIT_PEER,
    Code.PEER_UNREACHABLE: EXIT_PEER,
    Code.DEADLINE: EXIT_PEER,
    Code.OVERLOADED: EXIT_PEER,
    Code.QUOTA_EXCEEDED: EXIT_PEER,
    Code.BUDGET_EXHAUSTED: EXIT_PEER,
    Code.INTERNAL: EXIT_UNEXPECTED,
    Code.STORE_LOCKED: EXIT_STORE,
    Code.STORE_UNREACHABLE: EXIT_STORE,
    Code.SCHEMA_OUTDATED: EXIT_STORE,
    Code.SCHEMA_NEWER: EXIT_SCHEMA_NEWER,
    Code.JOURNAL_TOUCHED: EXIT_STORE,
    Code.RETENTION_UNSTATED: EXIT_STORE,
    Code.LEDGER_CHECKPOINT_REFUSED: EXIT_LEDGER,
    Code.LEDGER_PROOF_REFUSED: EXIT_LEDGER,
    Code.LEDGER_BROKEN: EXIT_LEDGER,
}


def exit_code(code: Code) -> int:
    """The exit code of a command that ends with this error; whatever is not listed is refused input."""
    return _EXIT_CODES.get(code, EXIT_INPUT)
