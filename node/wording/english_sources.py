"""English: attendance and residents."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.casework.sources.texts import SourcesText

SOURCES: Mapping[enum.Enum, str] = {
    SourcesText.ATTENDANCE_TAKEN: "Attendance up to {as_of} is taken in: {rows:row|rows}.",
    SourcesText.ATTENDANCE_UNKNOWN: "{unknown:row names|rows name} nobody who is known here.",
    SourcesText.ABSENCES: "{tasks:absence waits|absences wait} for somebody to look into, in the console under Tasks.",
    SourcesText.RESIDENTS_TAKEN: "The list of {as_of} is taken in: {rows:child|children}.",
    SourcesText.NOT_PLACED: (
        "{tasks:child of school age has|children of school age have} no school that is known here; the console shows "
        "them under Tasks."
    ),
}
