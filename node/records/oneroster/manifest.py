"""What manifest.csv says is in a delivery, and which deliveries can be read."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping

from node.records.person import unreadable

VERSIONS = frozenset({"1.2", "1.2.1"})

FILES = ("orgs", "users", "roles", "enrollments", "classes", "academicSessions", "demographics")
"""The files that are read, as the manifest names them; all others are passed over."""
OF_PERSONS = ("users", "roles", "enrollments", "demographics")
"""These are bulk together, or delta together: else it could not be told who has left."""


class Mode(enum.StrEnum):
    BULK = "bulk"
    DELTA = "delta"
    ABSENT = "absent"


Modes = Mapping[str, Mode]
"""File → how it is delivered; files that are absent are not in it."""


def modes_of(stated: Mapping[str, str], present: Collection[str]) -> Modes:
    """The modes by the manifest's properties and the names of the files that are there.

    UppropError(EXPORT_UNREADABLE) where they make no delivery that says who is a pupil.
    """
    if stated.get("oneroster.version", "") not in VERSIONS:
        raise unreadable("manifest.csv does not say oneroster.version 1.2, which is what is read here")
    modes = {name: mode for name in FILES if (mode := _mode(name, stated)) is not Mode.ABSENT}
    for name in modes:
        if f"{name}.csv" not in present:
            raise unreadable(f"manifest.csv names {name}.csv, but the delivery lacks it")
    if len({modes[name] for name in OF_PERSONS if name in modes}) > 1:
        listed = ", ".join(f"{name}.csv" for name in OF_PERSONS)
        raise unreadable(f"{listed} must all be bulk or all be delta, as far as they are there")
    if is_whole(modes) and ("users" not in modes or not {"roles", "enrollments"} & modes.keys()):
        raise unreadable("The delivery lacks users.csv or roles.csv: it does not say who is a pupil")
    if not is_whole(modes) and ("enrollments" in modes) > ("roles" in modes):
        raise unreadable("A delta needs roles.csv: from enrollments.csv alone it cannot be told who leaves a school")
    return modes


def is_whole(modes: Modes) -> bool:
    mode = next((modes[name] for name in OF_PERSONS if name in modes), None)
    if mode is None:
        raise unreadable("The delivery has none of the files about persons: users.csv, roles.csv")
    return mode is Mode.BULK


def _mode(name: str, stated: Mapping[str, str]) -> Mode:
    try:
        return Mode(stated.get(f"file.{name}", Mode.ABSENT).casefold())
    except ValueError:
        raise unreadable(f"manifest.csv says neither bulk, delta nor absent of file.{name}") from None
