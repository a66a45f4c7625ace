"""Copies of the registry's store, and a store made of a copy (`upprop registry backup`, `upprop registry restore`).

Whatever was acknowledged after a copy was made is not in it: signals, closes, notices, leaves of the ledger, releases.
What a restore of an older copy does about each:

    signals    members' nodes find them missing and send them again (`node.recovery.resending`)
    closes     none is made by itself for some hours, so that what is sent again counts first (`copies.holding`)
    notices    get numbers beyond all that were given before, or nodes would pass over them
    ledger     refused, unless it is said that the set-back is meant; members and witnesses see it all the same
    releases   `statistics.drawn` in the data directory stays, and keeps them from being drawn again

Invariants: nothing is changed before everything was checked; a restore that was cut off leaves a registry that does not
start, or is run again. Keys are in no copy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import checkpoint, copying, files
from federation.checkpoint import Checkpoint
from federation.copying import Progress
from federation.database import Database
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.lock import DaemonLock
from federation.migration import check_schema
from federation.observability import Log
from federation.pki import read_private_signing_key
from registry.ledger.checkpoints import NEWEST_NAME, RESTORED_NAME, head_at, read_newest
from registry.settings import DATABASE_NAME, RegistrySettings, open_database, open_for_migration
from registry.statistics.outside import NAME as DRAWN_NAME
from registry.store import Transaction, ledger, restores
from registry.store import roles as store_roles
from registry.store.copying import REGISTRY, others_at_work

HELD_HOURS = 3.0
"""In which every node that runs has synced several times."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy: where, of how many bytes, and how many leaves the ledger has in it."""

    path: Path
    size: int
    leaves: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A restore. `signed_leaves`: how many had been signed here before, None where that is not known; `lost`: whether
    what was signed here is gone, or may be; `note`: the file with the checkpoint to go on from, None without a ledger;
    `aside`: where the newest checkpoint of before was put; `drawn_known`: whether it is known what statistics were
    drawn since."""

    made_at: datetime | None
    leaves: int
    signed_leaves: int | None
    lost: bool
    held_until: datetime
    note: Path | None
    aside: Path | None
    drawn_known: bool


def backup(settings: RegistrySettings, path: Path, progress: Progress) -> CopyReport:
    """Copy the store into the new file `path`, while the registry and its replicas go on.

    Raises UppropError: CONFIG_INVALID where the file exists or cannot be written, SCHEMA_OUTDATED, SCHEMA_NEWER.
    """
    database = open_database(settings)
    try:
        check_schema(database, REGISTRY.package)
        leaves = copying.write(REGISTRY, database, path, progress, lambda tx: ledger.head(tx).size)
    finally:
        database.close()
    return CopyReport(path, path.stat().st_size, leaves)


def restore(
    settings: RegistrySettings,
    path: Path,
    *,
    replace: bool,
    set_back: bool,
    held: timedelta,
    progress: Progress,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RestoreReport:
    """Make the store that the settings name out of a copy. No replica may run.

    Raises UppropError: STORE_LOCKED where one does; INPUT_REFUSED for what is no copy, or where the store holds
    something and `replace` is not given; LEDGER_BROKEN where what was signed here is not in the copy, or nobody can
    tell, and `set_back` is not given; SCHEMA_NEWER.
    """
    descriptors = DescriptorStore.of(settings, Log(level="error"))
    members = [member.member_id for member in descriptors.last().members]
    key = None if settings.ledger_key is None else read_private_signing_key(settings.ledger_key)
    with DaemonLock(settings.data_dir), copying.working(REGISTRY, path, settings.data_dir) as copy:
        kept = None if key is None else read_newest(settings.data_dir, key.public_key().public_bytes_raw())
        head = copy.database.view("restore_head", ledger.head)
        leads_on = kept is not None and copy.database.view("restore_leads_on", lambda tx: _leads_on(tx, kept))
        if not (leads_on or set_back):
            raise _lost(head.size, kept, settings.data_dir)
        at = now()
        held_until = at if leads_on else at + held

        def note(tx: Transaction) -> None:
            signed = None if kept is None else kept.size
            restores.note(tx, restores.Restore(at, copy.made_at, head.size, signed, held_until))
            restores.number_apart(tx, members)

        copy.database.run("restore_note", note)
        if settings.database_url_file is None:
            copying.into_file(REGISTRY, copy, settings.data_dir / DATABASE_NAME, replace=replace)
        else:
            _into_database(settings, copy.database, replace=replace, progress=progress)
        # Not before: a restore that is cut off here leaves a registry that refuses to start.
        aside = None if leads_on else _put_aside(settings.data_dir, at)
        return RestoreReport(
            made_at=copy.made_at,
            leaves=head.size,
            signed_leaves=None if kept is None else kept.size,
            lost=not leads_on,
            held_until=held_until,
            note=None if key is None else _write_note(settings.data_dir, Checkpoint(head.size, head.root()), key),
            aside=aside,
            drawn_known=leads_on or (settings.data_dir / DRAWN_NAME).exists(),
        )


def _leads_on(tx: Transaction, kept: Checkpoint) -> bool:
    head = head_at(tx, kept.size)
    return head is not None and head.root() == kept.root


def _lost(leaves: int, kept: Checkpoint | None, data_dir: Path) -> UppropError:
    if kept is None:
        what = (
            f"Nobody can tell whether this copy, with {leaves} leaves, is the newest: no {NEWEST_NAME} lies in "
            f"{data_dir}. If you kept that file elsewhere, put it there first."
        )
    else:
        what = (
            f"This copy has {leaves} leaves and does not lead on to the checkpoint of {kept.size} that was signed "
            "here: whatever was acknowledged since is not in it. Look for a newer copy."
        )
    return UppropError(
        Code.LEDGER_BROKEN,
        f"{what} Nothing was changed. To go on from this copy all the same: --set-back. Members' nodes then send again "
        "what is missing, and raise an alarm.",
    )


def _into_database(settings: RegistrySettings, copy: Database, *, replace: bool, progress: Progress) -> None:
    database = open_for_migration(settings)
    try:
        others = database.view("restore_others", others_at_work)
        if others:
            raise UppropError(
                Code.STORE_LOCKED,
                f"The database has {others} other sessions. Stop every replica, and whatever else is connected, first.",
            )
        copying.into_database(REGISTRY, copy, database, replace=replace, progress=progress)
        if settings.database_roles is not None:
            store_roles.grant(database, settings.database_roles.app)
    finally:
        database.close()


def _put_aside(data_dir: Path, at: datetime) -> Path | None:
    """Keep what was signed before as evidence, where nobody takes it for the newest."""
    newest = data_dir / NEWEST_NAME
    if not newest.exists():
        return None
    aside = data_dir / f"{NEWEST_NAME}.before-{at:%Y%m%dT%H%M%SZ}"
    newest.rename(aside)
    return aside


def _write_note(data_dir: Path, tree: Checkpoint, key: Ed25519PrivateKey) -> Path:
    path = data_dir / RESTORED_NAME
    files.replace(path, checkpoint.sign(tree, key))
    return path
