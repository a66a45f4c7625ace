"""Why something was refused: one exception type for all pure modules, with a reason a program can act on.

Invariant: neither the sentence nor the reason ever holds an element, a scalar, a number or a pseudonym.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable


class Reason(enum.StrEnum):
    """What was wrong. The names are used by the negative test vectors and mapped to error codes at the edges."""

    ELEMENT_LENGTH = "ELEMENT_LENGTH"
    ELEMENT_NON_CANONICAL = "ELEMENT_NON_CANONICAL"
    ELEMENT_IDENTITY = "ELEMENT_IDENTITY"
    SCALAR_LENGTH = "SCALAR_LENGTH"
    SCALAR_NON_CANONICAL = "SCALAR_NON_CANONICAL"
    SCALAR_ZERO = "SCALAR_ZERO"
    LIST_EMPTY = "LIST_EMPTY"
    LIST_TOO_LONG = "LIST_TOO_LONG"
    LENGTHS_UNEQUAL = "LENGTHS_UNEQUAL"
    INPUT_TOO_LONG = "INPUT_TOO_LONG"
    PROOF_LENGTH = "PROOF_LENGTH"
    PROOF_WRONG = "PROOF_WRONG"
    COMPOSITE_WRONG = "COMPOSITE_WRONG"
    EVALUATOR_REPEATED = "EVALUATOR_REPEATED"
    EVALUATOR_UNKNOWN = "EVALUATOR_UNKNOWN"
    SHARE_VERSIONS_MIXED = "SHARE_VERSIONS_MIXED"
    EPOCHS_MIXED = "EPOCHS_MIXED"
    ANSWERS_TOO_FEW = "ANSWERS_TOO_FEW"
    ANSWERS_TOO_MANY = "ANSWERS_TOO_MANY"
    THRESHOLD_IMPOSSIBLE = "THRESHOLD_IMPOSSIBLE"
    PUBLIC_KEY_WRONG = "PUBLIC_KEY_WRONG"
    FILE_MALFORMED = "FILE_MALFORMED"
    KEY_LENGTH = "KEY_LENGTH"
    KEY_ZERO = "KEY_ZERO"
    SIGNATURE_WRONG = "SIGNATURE_WRONG"
    CEREMONIES_MIXED = "CEREMONIES_MIXED"
    VALUE_UNSEALED = "VALUE_UNSEALED"
    VALUE_WRONG = "VALUE_WRONG"
    PASSPHRASE_WRONG = "PASSPHRASE_WRONG"  # noqa: S105 - the name of a refusal, not a passphrase


class PrivacyError(ValueError):
    """Something did not verify. `reason` says what; the sentence says it in words, without any secret or number."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class AnswerError(PrivacyError):
    """Evaluators, named by share index, whose answers do not hold. `indices` is never empty."""

    def __init__(self, reason: Reason, indices: Iterable[int]) -> None:
        self.indices = tuple(sorted(indices))
        names = " and ".join(map(str, self.indices))
        super().__init__(reason, f"the answer of evaluator {names} is refused: {_WHY.get(reason, _LIED)}")


class CeremonyError(PrivacyError):
    """What one evaluator gave in a ceremony does not hold. `indices` is its share index alone, as in `AnswerError`."""

    def __init__(self, reason: Reason, index: int, why: str) -> None:
        self.indices = (index,)
        super().__init__(reason, f"what evaluator {index} gave is refused: {why}")


_LIED = "it does not verify against the evaluator's commitment"
_WHY = {
    Reason.EVALUATOR_UNKNOWN: "the descriptor lists no such evaluator for this epoch",
    Reason.EPOCHS_MIXED: "it is of another epoch",
    Reason.SHARE_VERSIONS_MIXED: "it was made with a share of another version than the descriptor lists",
}
