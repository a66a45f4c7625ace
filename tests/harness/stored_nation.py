"""A registry's PostgreSQL store filled with years of signals, in seconds: made by the server, row by row plausible.

Every second handle is of a pupil who left one member and was found at another, where the handle after it is of the same
pupil: so there are half as many pseudonyms as handles, half as many gaps, all answered, and a notice for each gap.
Names are hashes of numbers, spread over the indexes as real ones are. The key of the pseudonyms is nobody's.
"""

from __future__ import annotations

import sqlalchemy as sa

from federation.database import Database

MEMBERS = 290
_MEMBER = f"(1000 + {{n}} % {MEMBERS})::text"
_HANDLE = "decode(md5('h' || {n}), 'hex')"
# As registry.model.ref_of derives it.
_REF = f"substring(sha256(convert_to({_MEMBER}, 'UTF8') || '\\x00' || {_HANDLE}) FOR 16)"
_HASH = "decode(md5('{kind}' || {n}) || md5('{kind}.' || {n}), 'hex')"
_LEFT = (
    """'{"presences":[{"begins":"2024-08-19","until":"2025-09-01","affirmed_on":"2024-08-19"}],"""
    """"opening":{"number":1,"kind":"LEFT","since":"2025-09-01","urgency":"NORMAL"}}'"""
)
_CAME = """'{"presences":[{"begins":"2025-09-02","affirmed_on":"2025-09-03"}]}'"""

SIGNALS_A_BATCH = 20
"""A member's evening in autumn."""


def _hash(kind: str, n: str = "n") -> str:
    return _HASH.format(kind=kind, n=n)


def _fill(count: int) -> dict[str, str]:
    """What is selected into each table; `n` counts from 1."""

    def series(upto: int) -> str:
        return f"FROM generate_series(1, {upto}) n"

    ref, member, handle = (text.format(n="n") for text in (_REF, _MEMBER, _HANDLE))
    leaver, leaves, left = (text.format(n="2 * n") for text in (_REF, _MEMBER, _HANDLE))
    comes, came = (text.format(n="(2 * n + 1)") for text in (_MEMBER, _HANDLE))
    half, batches = count // 2, count // SIGNALS_A_BATCH
    return {
        "signals (ref, member, handle, version, content_digest, retracted, statement)": (
            f"SELECT {ref}, {member}, {handle}, 1, {_hash('c')}, false, "
            f"CASE n % 2 WHEN 0 THEN {_LEFT} ELSE {_CAME} END {series(count)}"
        ),
        "pseudonyms (epoch, keyed, ref, live)": f"SELECT 1, {_hash('k', 'n / 2')}, {ref}, true {series(count)}",
        "gaps (ref, number, kind, since, urgency, state, state_since, due_on, answer_member, answer_handle, "
        "answer_entered_on, told, linked, leads, coverage_incomplete)": (
            f"SELECT {leaver}, 1, 'LEFT', '2025-09-01', 'NORMAL', 'ANSWERED', '2025-09-12', '2025-09-12', {comes}, "
            f"{came}, '2025-09-03', 'ANSWERED', false, false, false {series(half)}"
        ),
        "openings (ref, number, member, received_on, waits)": (
            f"SELECT {leaver}, 1, {leaves}, '2025-09-02', false {series(half)}"
        ),
        "notices (position, member, number, kind, closed_on, handle, opening_number, coverage_incomplete)": (
            f"SELECT n, {leaves}, n, 'ANSWERED', '2025-09-12', {left}, 1, false {series(half)}"
        ),
        "mailboxes (member, last_number, acked_number)": f"SELECT {member}, {half}, {half} {series(MEMBERS)}",
        "batches (member, batch_id, digest, answer, received_on)": (
            f"SELECT {member}, {handle}, {_hash('d')}, '[]', '2025-09-02' {series(batches)}"
        ),
        "ledger_batches (leaf_index, bundle, stored_digest, answer_digest, claim_digest, member, batch_id, salt, "
        "batch_digest, signature, signer)": (
            f"SELECT n - 1, {ref}, {_hash('s')}, {_hash('a')}, {_hash('m')}, {member}, {handle}, {_hash('t')}, "
            f"{_hash('b')}, {_hash('g')}, {_hash('i')} {series(batches)}"
        ),
        "ledger_signals (bundle, position, hash, salt, ref, version, content_digest)": (
            f"SELECT {_REF.format(n=f'(n / {SIGNALS_A_BATCH})')}, n % {SIGNALS_A_BATCH}, {_hash('e')}, {_hash('u')}, "
            f"{ref}, 1, {_hash('c')} {series(count)}"
        ),
        "ledger_nodes (level, node_index, hash)": f"SELECT 0, n - 1, {_hash('o')} {series(batches)}",
        "ledger_entries (bundle, position, hash, salt, kind, subject, content)": (
            f"SELECT {_REF.format(n='(n / 100)')}, n % 100, {_hash('e')}, {_hash('u')}, 'TRANSITION', {leaver}, "
            f"{_hash('c')} {series(half)}"
        ),
    }


def fill(database: Database, count: int) -> None:
    """Fill an empty, migrated store with `count` signals and what they left behind, and gather its statistics.

    Needs a superuser: indexes are built at the end, and foreign keys not looked at.
    """
    with database.transaction("fill") as tx:
        tx.exec_driver_sql("SET LOCAL session_replication_role = replica")
        tx.exec_driver_sql("SET LOCAL synchronous_commit = off")
        tx.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        for into, rows in _fill(count).items():
            table = into.partition(" ")[0]
            ready = "UPDATE pg_index SET indisready = {} WHERE indrelid = '{}'::regclass"
            tx.exec_driver_sql(ready.format("false", table))
            tx.exec_driver_sql(f"INSERT INTO {into} {rows}".replace("%", "%%"), {})
            tx.exec_driver_sql(ready.format("true", table))
            tx.exec_driver_sql(f"REINDEX TABLE {table}")
        tx.execute(sa.text("UPDATE sequence SET next_position = :next"), {"next": count // 2 + 1})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Or the server would do it by itself, in the middle of what is then measured.
        connection.exec_driver_sql("VACUUM ANALYZE")
