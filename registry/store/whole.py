"""The whole of the store's tables: every module that adds some is named here, so that no copy, no migration and no
grant lacks one."""

from __future__ import annotations

from registry.store import (
    schema,
    schema_casework,
    schema_contact,
    schema_epochs,
    schema_ledger,
    schema_limits,
    schema_restores,
    schema_retention,
    schema_roll_call,
    schema_statistics,
)

TABLES_OF = (
    schema,
    schema_casework,
    schema_contact,
    schema_epochs,
    schema_ledger,
    schema_limits,
    schema_restores,
    schema_retention,
    schema_roll_call,
    schema_statistics,
)

metadata = schema.metadata
