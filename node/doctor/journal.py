"""Whether the journal is as it was written, and whether every case file can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from federation.doctor.findings import Finding, Topic, failed, warning, well
from federation.errors import Code
from node.casework.journal.known import KnownFlaws
from node.casework.journal.verifying import Looking
from node.doctor.texts import DoctorText
from node.store import Transaction, shredding
from node.store.case_keys import DIRECTORY, CaseKeys
from node.store.sealing import Sealer

NAMED = 5
"""Rows that are named; `upprop node journal verify` names all."""


def journal(tx: Transaction, sealer: Sealer, data_dir: Path) -> Iterator[Finding]:
    """Attachments are left to `upprop node journal verify`: they take long."""
    seen, found = Looking(sealer, data_dir).look(tx)
    known = KnownFlaws(sealer, data_dir).of(tx, found)
    flaws = [flaw for flaw in found if flaw not in known]
    if flaws:
        rows = ", ".join(str(flaw.position) for flaw in flaws[:NAMED])
        told = {"flaws": len(flaws), "rows": rows + (" …" if len(flaws) > NAMED else "")}
        yield failed(Topic.JOURNAL, Code.JOURNAL_TOUCHED, DoctorText.JOURNAL_TOUCHED, **told)
    elif known:
        yield warning(Topic.JOURNAL, DoctorText.JOURNAL_KNOWN, flaws=len(known))
    else:
        yield well(Topic.JOURNAL, DoctorText.JOURNAL_SOUND, rows=seen.position)
    missing = shredding.kept(tx) - CaseKeys(data_dir / DIRECTORY, sealer).all()
    if missing:
        yield warning(Topic.JOURNAL, DoctorText.CASE_KEYS_LACK, files=len(missing))
