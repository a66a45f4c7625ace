"""Swedish: recovery and copies."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.recovery.texts import RecoveryText

RECOVERY: Mapping[enum.Enum, str] = {
    RecoveryText.STEP_HAND_BACK: "Hämtar tidigare uppgifter",
    RecoveryText.STEP_FIND_NAMES: "Söker vilka det gäller",
    RecoveryText.STEP_REMEMBER: "Går igenom övriga elever",
    RecoveryText.STEP_BACKUP: "Kopierar",
    RecoveryText.STEP_RESTORE: "Lägger in kopian",
    RecoveryText.RECOVERED: "Registret känner {known:elev|elever} från er; {attached} är kända här med nummer.",
    RecoveryText.NAMELESS: (
        "{nameless:elev|elever} finns inte i någon inläsning och står här utan namn, {open} med öppet ärende: upprop "
        "node cases. Den som har handlingarna anger numren: upprop node recover --person -"
    ),
    RecoveryText.NUMBERS_MISSING: (
        "{missing:elev har|elever har} ett tidigare nummer (samordningsnummer) som inte är känt här. Den som vet "
        "det anger det innan något nytt sägs om eleven: upprop node recover --person -"
    ),
    RecoveryText.NEXT: "Allt som registret känner till är tillbaka. Nästa steg: upprop node sync",
    RecoveryText.AGAIN: "Kör kommandot igen: det fortsätter där det stannade. Inget skickas förrän det är klart.",
    RecoveryText.NUMBER: "Personnummer, tolv siffror (visas inte)",
    RecoveryText.NAMED: "Hittad; eleven står som {person}. Nästa steg: upprop node sync",
    RecoveryText.BACKED_UP: "Kopierat till {path} ({size} byte; senaste inläsning: {newest}).",
    RecoveryText.NO_IMPORT: "ingen",
    RecoveryText.KEEP_KEY_APART: (
        "Nyckeln (record_key) ingår inte. Förvara en kopia även av den, på ett annat ställe än den här kopian."
    ),
    RecoveryText.CASE_KEYS: "Ärendenas nycklar står i {path}, i stället för den förra kopian.",
    RecoveryText.CASE_KEYS_MISSING: (
        "Ärendenas nycklar ingår inte: utan dem kan ingen läsa eller arbeta i ett ärende om maskinen går förlorad. "
        "Kopiera dem med --case-keys FIL."
    ),
    RecoveryText.RESTORED: (
        "Återställt (senaste inläsning: {newest}). Nästa steg: läs in den senaste exporten, sedan upprop node sync. "
        "Den säger om upprop node recover behövs."
    ),
}
