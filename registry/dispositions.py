"""What a batch is answered, from what stands of its handles. Pure.

Invariant: the answer is a function of the batch and of the sender's own earlier versions, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from federation.errors import Code
from federation.rules.vocabulary import Disposition, DispositionKind
from registry.model import PURGED_DIGEST, KeyedSignal, Ref, Rejection, Standing

_TAKEN = b"\x01"
_REJECTED = b"\x02"


def batch_digest(batch: Sequence[KeyedSignal | Rejection]) -> bytes:
    """SHA-256 over what the batch says, in its order: 32 bytes.

    Made of the content digests, which hold keyed pseudonyms, and of the rejections' digests, which hold none: kept in
    the store, it lets nobody test a pseudonym who has not the registry's key as well.
    """
    digest = hashlib.sha256()
    for entry in batch:
        if isinstance(entry, Rejection):
            digest.update(_REJECTED + entry.digest)
        else:
            digest.update(_TAKEN + entry.content_digest)
    return digest.digest()


def judge(
    batch: Sequence[KeyedSignal | Rejection], standing: Mapping[Ref, Standing]
) -> tuple[tuple[Disposition, ...], list[KeyedSignal]]:
    """The answer to each signal in order, and the versions to put in place: the highest accepted one of each handle."""
    now = dict(standing)
    highest: dict[Ref, KeyedSignal] = {}
    answers = []
    for entry in batch:
        if isinstance(entry, Rejection):
            answers.append(Disposition(DispositionKind.REJECTED, entry.code))
            continue
        before = now.get(entry.ref)
        if before is not None and before.drill != entry.signal.drill:
            # Else a member could take the case of a child out of the statistics, or put a test pupil in.
            answers.append(Disposition(DispositionKind.REJECTED, Code.SIGNAL_MALFORMED.value))
            continue
        kind = _kind(entry, before)
        if kind is DispositionKind.ACCEPTED:
            now[entry.ref] = Standing(entry.signal.version, entry.content_digest, entry.signal.drill)
            highest[entry.ref] = entry
        answers.append(Disposition(kind))
    return tuple(answers), list(highest.values())


def _kind(entry: KeyedSignal, before: Standing | None) -> DispositionKind:
    if before is None or entry.signal.version > before.version:
        return DispositionKind.ACCEPTED
    if entry.signal.version < before.version:
        return DispositionKind.STALE
    # Of what retention has taken away, the version alone is known.
    same = before.content_digest in (entry.content_digest, PURGED_DIGEST)
    return DispositionKind.DUPLICATE if same else DispositionKind.CONFLICT
