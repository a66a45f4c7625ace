"""Swedish: joining the federation."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.joining.texts import JoiningText

JOINING: Mapping[enum.Enum, str] = {
    JoiningText.REQUESTED: (
        "Nycklar och inställningar finns i {directory}. Skicka den här filen till myndigheten: {request}"
    ),
    JoiningText.WORDS: "Nyckeln för {member} i ord:",
    JoiningText.READ_THEM: (
        "Myndigheten ringer upp er. Läs upp orden: den jämför dem med orden för den begäran som kom fram."
    ),
    JoiningText.WHEN_LISTED: "När ni är antagna som medlem, kör samma sak igen: upprop node join {directory}",
    JoiningText.KEEP_RECORD_KEY: (
        "Förvara en kopia av {record_key} på ett annat ställe än kopiorna av data: utan den går de inte att läsa, och "
        "med den går de att läsa."
    ),
    JoiningText.WAITING: "Väntar på att {member} tas upp. Ctrl-C avbryter; samma kommando fortsätter senare.",
    JoiningText.BY_OTHER_WAY: (
        "{member} är antagen. Federationens register utfärdar inga certifikat: låt utfärda ert utifrån "
        "{signing_request}, lägg det i {certificate} och kör samma sak igen."
    ),
    JoiningText.JOINED: "{member} är medlem (beskrivning {serial}). Inställningarna finns i {config}.",
    JoiningText.NEXT: "Nästa steg: upprop node import FIL --as-of DATUM --config {config}, sedan upprop node serve.",
}
