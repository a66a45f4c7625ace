"""The form of the secret files of the pseudonyms: small TOML texts of one kind each, with the secret in hexadecimal.

Invariants: exactly the fields of the kind, nothing more or less; no message quotes what a file holds.
"""

from __future__ import annotations

import tomllib
from typing import Any

from privacy.errors import PrivacyError, Reason

MAX_EPOCH = 2**32 - 1


def read_fields(content: bytes, kind: str, numbers: set[str], hexadecimal: set[str]) -> dict[str, Any]:
    """The fields of a file of that kind: `numbers` as integers from 1 to `MAX_EPOCH`, `hexadecimal` as bytes."""
    # `from None` throughout: what the decoders quote in their messages may be the secret itself.
    try:
        document = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise PrivacyError(Reason.FILE_MALFORMED, f"this is not a file of kind {kind}: it is not TOML") from None
    if document.get("kind") != kind or set(document) != {"kind"} | numbers | hexadecimal:
        raise PrivacyError(Reason.FILE_MALFORMED, f"this is not a file of kind {kind}: other fields are expected")
    fields: dict[str, Any] = {}
    for name in numbers:
        if type(document[name]) is not int or not 1 <= document[name] <= MAX_EPOCH:
            raise PrivacyError(Reason.FILE_MALFORMED, f"{name} is not a number in range")
        fields[name] = document[name]
    for name in hexadecimal:
        try:
            fields[name] = bytes.fromhex(document[name])
        except (TypeError, ValueError):
            raise PrivacyError(Reason.FILE_MALFORMED, f"{name} is not hexadecimal") from None
    return fields
