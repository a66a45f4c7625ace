"""Swedish: attendance and residents."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.casework.sources.texts import SourcesText

SOURCES: Mapping[enum.Enum, str] = {
    SourcesText.ATTENDANCE_TAKEN: "Närvaron till och med {as_of} är inläst: {rows:rad|rader}.",
    SourcesText.ATTENDANCE_UNKNOWN: "{unknown:rad avser|rader avser} någon som inte är känd här.",
    SourcesText.ABSENCES: (
        "{tasks:elev har|elever har} frånvaro att utreda: webbgränssnittet visar dem under Uppgifter."
    ),
    SourcesText.RESIDENTS_TAKEN: "Listan per {as_of} är inläst: {rows:barn|barn}.",
    SourcesText.NOT_PLACED: (
        "{tasks:barn i skolpliktig ålder saknar|barn i skolpliktig ålder saknar} känd skola: webbgränssnittet visar "
        "dem under Uppgifter."
    ),
}
