"""Swedish: school systems that push."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.push.texts import PushText

PUSH: Mapping[enum.Enum, str] = {
    PushText.ADDED: "{name} får lämna uppgifter till noden fram till {expires_on}. Skrivet i {directory}: {files}.",
    PushText.NO_PORT: (
        'Noden tar emot dem först när dess inställningar anger enrolment_listen = "värd:port". Starta om den efter det.'
    ),
    PushText.REVOKED: (
        "{name} får inte längre lämna uppgifter. Elevernas inskrivningar gäller som de senast lämnades, tills "
        "skolsystemet släpps in igen eller avslutas: upprop node systems --retire {name}"
    ),
    PushText.REVOKED_BEFORE: "{name} fick redan förut inte lämna uppgifter.",
    PushText.NOBODY: (
        "Inget skolsystem får lämna uppgifter. Släpp in ett med: upprop node client add NAMN --out KATALOG"
    ),
    PushText.SYSTEM: "Skolsystem",
    PushText.STATE: "Läge",
    PushText.ADDED_ON: "Tillagt",
    PushText.EXPIRES_ON: "Gäller till",
    PushText.LAST_PUSH: "Senast mottaget",
    PushText.AS_OF: "Uppgifter per",
    PushText.NOTHING_TAKEN: "inget",
    PushText.NEVER: "aldrig",
    PushText.ROSTER_REFUSED: "hela elevförteckningen per {day} avvisad",
}
