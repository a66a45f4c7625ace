"""Swedish: the watch over the registry's ledger."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.ledger.texts import LedgerText

LEDGER: Mapping[enum.Enum, str] = {
    LedgerText.ALARM: (
        "LARM {alarm_id} OM REGISTRET: {what}{more} Ring myndigheten och minst en annan huvudman i dag; lita inte på "
        "att registret besvarar era ärenden förrän det är utrett. Uppgifter sänds och ärenden öppnas som vanligt. Den "
        "som har läst detta kvitterar: upprop node ledger acknowledge --by NAMN"
    ),
    LedgerText.MORE: " (Och {number:larm|larm} till: upprop node ledger verify.)",
    LedgerText.NO_RECEIPT: "Det tog emot uppgifter utan att ge ett kvitto som håller ({leaves}).",
    LedgerText.SHRUNK: (
        "Poster som har funnits i dess liggare är borta ({leaves}): slutet är avskuret, eller en äldre kopia är "
        "återställd."
    ),
    LedgerText.REWRITTEN: "Dess liggare är omskriven: andra poster står där det redan fanns några ({leaves}).",
    LedgerText.LEAF_GONE: "Era uppgifter står inte kvar i dess liggare på den plats som kvittot anger ({leaves}).",
    LedgerText.FORKED: (
        "Nyckelhållare {witness} har som vittne fått se en annan liggare än ni ({leaves}): registret visar olika "
        "huvudmän olika historia."
    ),
    LedgerText.UNPROVED: "Det kan inte, eller vill inte, bevisa att dess liggare är oförändrad ({leaves}).",
    LedgerText.WITNESSES_LATE: (
        "De flesta vittnen har på mer än två dygn inte fått se dess liggare ({leaves}): ingen kan intyga att alla "
        "huvudmän ser samma."
    ),
    LedgerText.EDITED: "Det återger något annat än det ni har sänt ({leaves}): uppgifter är ändrade.",
    LedgerText.SET_BACK: "Det återger äldre uppgifter än de som det har tagit emot från er ({leaves}).",
    LedgerText.MISSING: "Uppgifter som det har tagit emot från er finns inte kvar där ({leaves}).",
    LedgerText.FOREIGN: (
        "Det återger uppgifter i ert namn som den här noden aldrig har sänt ({leaves}). Är nodens databas en äldre "
        "kopia, kör upprop node recover; annars har någon annan skrivit dem."
    ),
    LedgerText.PSEUDONYM_LOST: (
        "Det hittar inte längre det ni har sänt under elevens pseudonym ({leaves}): andra huvudmäns elever kan inte "
        "mötas med era."
    ),
    LedgerText.LEAF: "liggarens post {first}",
    LedgerText.LEAVES: "liggarens poster {first}–{last}",
    LedgerText.LEAVES_UP_TO: "någon av liggarens poster till och med {last}",
    LedgerText.LEAF_UNKNOWN: "ingen särskild post",
    LedgerText.STEP_WITNESSES: "Frågar vittnena",
    LedgerText.STEP_LEAVES: "Prövar kvittona",
    LedgerText.STEP_STATED: "Jämför det som är sänt",
    LedgerText.NO_LEDGER: "Registret har ingen liggare ännu: det finns inget att pröva.",
    LedgerText.VERIFIED: (
        "Registrets liggare har {size:post|poster}. {receipts:kvitto|kvitton} och uppgifter om {compared:elev|elever} "
        "är prövade."
    ),
    LedgerText.WITNESSED: "Vittne {witness} har intygat {size:post|poster}, senast {at}.",
    LedgerText.WITNESS_SILENT: "Vittne {witness} har inte svarat, eller inte intygat något ännu.",
    LedgerText.NOT_TO_THE_END: "Prövningen kom inte till slut; den görs om av sig själv, eller kör kommandot igen.",
    LedgerText.NOTHING_STANDS: "Allt stämmer med det som är sänt och kvitterat.",
    LedgerText.RESENT: "Av det som registret har kvitterat saknas {again:uppgift|uppgifter} där och sänds igen. Sänds "
    "inte igen: {withheld:uppgift|uppgifter}, om elever som inget längre sägs om.",
    LedgerText.RESENT_NEXT: "De sänds vid nästa synkronisering: upprop node sync",
    LedgerText.ACKNOWLEDGED: "Kvitterat av {by}: {number:larm|larm}. Historiken: upprop node ledger alarms",
    LedgerText.HISTORY: "Larm {alarm_id}, {raised_on}: {what} {by}",
}
