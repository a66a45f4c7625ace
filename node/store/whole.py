"""The whole of the store's tables: every module that adds some is named here, so that no copy and no migration lacks
one."""

from __future__ import annotations

from node.store import (
    schema,
    schema_contact,
    schema_descriptions,
    schema_drills,
    schema_files,
    schema_holds,
    schema_journal,
    schema_ledger,
    schema_mailing,
    schema_roll_call,
    schema_routines,
    schema_sessions,
    schema_sources,
    schema_statuses,
    schema_subjects,
    schema_systems,
)

TABLES_OF = (
    schema,
    schema_contact,
    schema_descriptions,
    schema_drills,
    schema_files,
    schema_holds,
    schema_journal,
    schema_ledger,
    schema_mailing,
    schema_roll_call,
    schema_sessions,
    schema_routines,
    schema_sources,
    schema_statuses,
    schema_subjects,
    schema_systems,
)

metadata = schema.metadata
