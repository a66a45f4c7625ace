"""TLS 1.3 and nothing older, for the whole process.

gRPC has no setting for the lowest version of TLS, but it has a cipher list, which rules TLS 1.2 and older alone. All
keys of the federation are P-256; with nothing in that list but a cipher for RSA keys, no version below 1.3 can be
agreed on. gRPC reads the list once, when it is first imported: hence a call that every entry point makes before
anything else, and a check that no identity is used in a process that left it out.
"""

from __future__ import annotations

import os
import sys

_VARIABLE = "GRPC_SSL_CIPHER_SUITES"
_NO_CIPHER_FOR_OUR_KEYS = "ECDHE-RSA-AES256-GCM-SHA384"


class _State:
    required = False


def require() -> None:
    """Allow nothing below TLS 1.3 in this process; raises RuntimeError where gRPC has been imported already."""
    if _State.required:
        return
    if "grpc" in sys.modules and os.environ.get(_VARIABLE) != _NO_CIPHER_FOR_OUR_KEYS:
        raise RuntimeError("federation.tls13.require() must be called before grpc is imported")
    os.environ[_VARIABLE] = _NO_CIPHER_FOR_OUR_KEYS
    _State.required = True


def check() -> None:
    """Raises RuntimeError unless `require` was called in time."""
    if not _State.required:
        raise RuntimeError("call federation.tls13.require() first, before grpc is imported")
