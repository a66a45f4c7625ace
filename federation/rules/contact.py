"""What both ends of a contact between members, and the registry between them, go by. Pure.

A request is open for `ANSWER_DAYS` days: whoever refuses it, may not answer it or never sees it sends nothing, so that
all of these are one to the member that asked.
"""

from __future__ import annotations

from datetime import date, timedelta

ANSWER_DAYS = 14
"""Long enough for a case worker's holiday week; the same for every request, whoever is asked."""

MAX_STATEMENT_BYTES = 4_096
MAX_SIGNATURE_BYTES = 80
"""ECDSA P-256 in DER takes at most 72."""
MAX_KEY_BYTES = 200
"""A P-256 key as SubjectPublicKeyInfo takes 91."""

PADDED_BYTES = 4_096
"""Every message is sealed at this size, whatever it says."""
SEALED_BYTES = 1_120 + PADDED_BYTES + 16
"""With the encapsulated key of MLKEM768-X25519 before it and the tag of AES-256-GCM after it."""
MAX_SEALED = 4
"""As many as a signal has pseudonyms."""

MAX_REQUESTS = 60
"""A member's requests within `REQUEST_DAYS`: several a school day, above any municipality's linked cases."""
REQUEST_DAYS = 30
MAX_MESSAGES_A_DAY = 50
"""Of one side in one contact."""

CONTACT_DAYS = 365
"""A contact in which nothing was sent for so long is forgotten by the registry."""


def lapses_on(filed_on: date) -> date:
    """The last day on which a request can be accepted."""
    return filed_on + timedelta(days=ANSWER_DAYS)
