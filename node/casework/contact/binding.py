"""What a contact goes by in this store: the case file, whether it may be spoken of, and its pupil's pseudonyms."""

from __future__ import annotations

from dataclasses import dataclass

from node.casework.contact.model import Pair, Refused
from node.casework.contact.sealing import digest_of
from node.casework.files.model import CaseFile, GapName
from node.gaps import SECRET_ROUTES
from node.store import Transaction
from node.store.gaps import Gaps
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils


@dataclass(frozen=True, slots=True)
class Binding:
    """Reads in the caller's transaction."""

    pupils: Pupils
    gaps: Gaps
    outbox: Outbox
    pseudonyms: Pseudonyms

    def protected(self, tx: Transaction, file: CaseFile) -> bool:
        """Whether nothing may be said of the case file's pupil, to nobody."""
        if file.protected or file.pupil_id is None:
            return True
        found = self.pupils.load_all(tx, [file.pupil_id]).get(file.pupil_id)
        gap = None if file.gap is None else self.gaps.named(tx, [file.gap]).get((file.gap.handle, file.gap.number))
        return found is None or found.protected or (gap is not None and gap.route in SECRET_ROUTES)

    def why_not_ask(self, tx: Transaction, file: CaseFile) -> Refused | None:
        """Why no contact can be asked for, but for a request that stands already; None: it can."""
        if file.gap is None or file.closed_on is not None:
            return Refused.NO_GAP
        if self.protected(tx, file):
            return Refused.PROTECTED
        gap = self.gaps.named(tx, [file.gap]).get((file.gap.handle, file.gap.number))
        if gap is None or not gap.linked:
            return Refused.NO_GAP
        return None if gap.lead else Refused.NOT_LEAD

    def pairs(self, tx: Transaction, gap: GapName) -> tuple[Pair, ...]:
        """What messages about the pupil of a gap are bound to, newest epoch first; empty where nothing is known."""
        version = self.outbox.newest(tx, [gap.handle]).get(gap.handle)
        if version is None:
            return ()
        values = self.pseudonyms.values(tx, version.carries)
        pairs = [Pair(ref.epoch, digest_of(values[ref].value)) for ref in version.carries if ref in values]
        return tuple(sorted(pairs, key=lambda pair: (-pair.epoch, pair.digest)))
