"""No transaction is open across a network call: marked by the database, checked by every channel.

A call inside a transaction would hold locks for as long as another party likes, and run again with the transaction.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class _Thread(threading.local):
    transaction: str | None = None


_thread = _Thread()


@contextlib.contextmanager
def transaction(name: str) -> Iterator[None]:
    """Marks this thread as inside a transaction; raises RuntimeError where it is inside one already."""
    if _thread.transaction is not None:
        # It would wait for its own lock.
        raise RuntimeError(f"the transaction {name} was begun inside {_thread.transaction}")
    _thread.transaction = name
    try:
        yield
    finally:
        _thread.transaction = None


def refuse_inside_transaction() -> None:
    """Raises RuntimeError where this thread is inside a transaction."""
    if _thread.transaction is not None:
        raise RuntimeError(f"a network call was made inside the transaction {_thread.transaction}")
