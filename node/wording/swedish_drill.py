"""Swedish: drills."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.drill.texts import DrillText

DRILL: Mapping[enum.Enum, str] = {
    DrillText.BEGUN: "Övning {drill_id}, påbörjad {on}:",
    DrillText.PASSED: "Hela kedjan fungerar.",
    DrillText.RUNNING: "Övningen pågår. Fortsätt: upprop node drill",
    DrillText.FAILED: "Övningen misslyckades.",
    DrillText.MADE: "En påhittad elev med testnummer är skapad.",
    DrillText.PSEUDONYMISED: "Nyckelhållarna {detail} svarade, svaren är kontrollerade och pseudonymen beräknad.",
    DrillText.ACCEPTED: "Registret har tagit emot uppgiften.",
    DrillText.ROSTER: "Registret känner till er inläsning från {detail}.",
    DrillText.OPENED: "Registret öppnade ett ärende vid dagsavslutet {detail} och meddelade det.",
    DrillText.TAKEN_BACK: "Uppgiften är återtagen, och registret har tagit emot det.",
    DrillText.CONFIRMED: "Registret bekräftade det vid dagsavslutet {detail}.",
    DrillText.TO_PSEUDONYMISE: "Nyckelhållarna svarar, och pseudonymen beräknas.",
    DrillText.TO_ACCEPT: "Registret tar emot uppgiften.",
    DrillText.TO_KNOW_ROSTER: "Registret känner till er senaste inläsning.",
    DrillText.TO_OPEN: "Registret öppnar ett ärende vid sitt dagsavslut och meddelar det.",
    DrillText.TO_TAKE_BACK: "Uppgiften återtas.",
    DrillText.TO_CONFIRM: "Registret bekräftar det vid nästa dagsavslut.",
    DrillText.AFTER_CLOSE: "Väntas efter registrets dagsavslut {expected_on}, som görs efter kl. 18. Titta igen då.",
    DrillText.NO_PSEUDONYMS: (
        "Så många nyckelhållare som krävs har inte svarat. Kör upprop node sync och läs vad den säger; når noden dem "
        "inte, pröva nätet och brandväggen utåt, och vänd er annars till nyckelhållarnas driftansvariga."
    ),
    DrillText.NOT_ACCEPTED: (
        "Uppgiften har inte kommit fram till registret. Kör upprop node sync och läs vad den säger; når noden inte "
        "registret, pröva nätet och brandväggen utåt, och vänd er annars till registrets driftansvariga."
    ),
    DrillText.NO_ROSTER: (
        "Registret känner inte till någon ny inläsning från er och räknar er snart som tyst. Läs in en export (upprop "
        "node import) och kör upprop node sync."
    ),
    DrillText.NO_NOTICE: (
        "Inget besked har kommit från registret. Kör upprop node sync och läs vad den säger; fungerar den, fråga "
        "registrets driftansvariga om dagsavsluten görs."
    ),
    DrillText.NOT_TAKEN_BACK: (
        "Återtagandet har inte kommit fram till registret. Kör upprop node sync och läs vad den säger."
    ),
    DrillText.UNHEARD: (
        "Registret har gjort ett senare dagsavslut utan att säga något om uppgiften. Det får inte hända: vänd er till "
        "registrets driftansvariga, och lita inte på registrets besked förrän det är utrett."
    ),
    DrillText.ANSWERED: (
        "Registret säger att den påhittade eleven finns hos en annan huvudman. Det får inte hända: vänd er till "
        "registrets driftansvariga, och lita inte på registrets besked förrän det är utrett."
    ),
    DrillText.REFUSED: "Registret tog inte emot uppgiften ({code}). Vänd er till registrets driftansvariga.",
}
