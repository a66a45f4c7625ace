"""Swedish: the doctor. What to do stands on a line of its own."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from federation.doctor.findings import Level, Says, Topic
from federation.doctor.printing import Summary
from node.doctor.texts import DoctorText

DOCTOR: Mapping[enum.Enum, str] = {
    Topic.SETTINGS: "Inställningar",
    Topic.SECRET: "Hemligheter",
    Topic.DIRECTORY: "Datakatalog",
    Topic.DISK: "Disk",
    Topic.DESCRIPTOR: "Beskrivning",
    Topic.OFFER: "Nyare beskrivning",
    Topic.CERTIFICATE: "Certifikat",
    Topic.CLOCK: "Klocka",
    Topic.REGISTRY: "Register",
    Topic.EVALUATOR: "Nyckelhållare",
    Topic.STORE: "Databas",
    Topic.QUOTA: "Kvot",
    Topic.BACKLOG: "Att skicka",
    Topic.IMPORT: "Inläsning",
    Topic.CLOSE: "Dagsavslut",
    Topic.LEDGER: "Liggare",
    Topic.SHARES: "Nyckelandelar",
    Topic.KEYS: "Nycklar",
    Topic.CA: "CA",
    Topic.DAEMON: "Tjänst",
    Topic.FETCHES: "Besked",
    Topic.READER: "Läsare",
    Topic.ADDRESS: "Adress",
    Topic.JOURNAL: "Journal",
    Topic.CONSOLE: "Webbgränssnitt",
    Level.OK: "bra",
    Level.WARNING: "varning",
    Level.FAILED: "fel",
    Summary.ALL_WELL: "Allt är som det ska.",
    Summary.WARNED: "Det fungerar. Varningar: {warnings}; pilarna säger vad som ska göras.",
    Summary.FAILED: "Fel: {failed}. Varningar: {warnings}. Pilarna säger vad som ska göras; börja uppifrån.",
    Says.REFUSED: "{sentence}",
    Says.UNFORESEEN: "Kontrollen misslyckades på ett sätt som ingen förutsåg ({place}).\nRapportera den här raden.",
    Says.SETTINGS_READ: "{path} är i ordning; detta är {identity}.",
    Says.SECRET_SAFE: "Alla finns ({count}), och ingen annan kan läsa dem.",
    Says.DIRECTORY_WRITABLE: "{path} går att skriva i.",
    Says.DIRECTORY_UNWRITABLE: (
        "{path} går inte att skriva i för den här användaren.\nGör den till en katalog som ägs av den användare som "
        "noden kör som, på en disk som inte är skrivskyddad, och kör det här som den användaren."
    ),
    Says.DIRECTORY_ABSENT: "{path} finns inte än.\nSkapa databasen: upprop {role} migrate",
    Says.DIRECTORY_TO_COME: "{path} finns inte än; den görs vid första starten.",
    Says.DIRECTORY_OPEN: "{path} kan läsas av andra (rättigheter {mode}).\nKör: chmod 700 {path}",
    Says.DAEMON_RUNS: "Den är igång och tar emot kommandon.",
    Says.DAEMON_RESTS: "Den är inte igång här.\nStarta den: upprop {role} serve",
    Says.DISK_ROOM: "{free} av {size} är lediga.",
    Says.DISK_SHORT: "Bara {free} av {size} är lediga.\nFrigör utrymme innan databasen inte längre går att skriva.",
    Says.DESCRIPTOR_IN_FORCE: "Nummer {serial} är undertecknad av rätt myndighet och gäller till {until}.",
    Says.DESCRIPTOR_ENDS: (
        "Nummer {serial} gäller bara till {until}: {days} dagar.\nFråga myndigheten när den undertecknar nästa; när "
        "den har gått ut talar ingen part med någon annan."
    ),
    Says.DESCRIPTOR_BEHIND: (
        "Register {name} har nummer {newer}; här är det {serial}.\nEn nod som är igång hämtar den inom en minut; "
        "starta den, eller leta efter descriptor_not_taken i dess logg."
    ),
    Says.OFFER_WAITS: (
        "Nummer {serial} väntar på att godtas; till dess används den bara för att neka.\nSe vad som har ändrats och "
        "godta den: upprop evaluator accept"
    ),
    Says.CERTIFICATE_IN_FORCE: (
        "Gäller till {until} ({days} dagar), från en CA i beskrivningen, med den nyckel som står där."
    ),
    Says.CERTIFICATE_ENDS: (
        "Gäller bara till {until}: {days} dagar.\nFörnya det hos er PKI och lägg det i {path}; det tas i bruk utan "
        "omstart."
    ),
    Says.CERTIFICATE_NOT_RENEWED: (
        "Gäller bara till {until}: {days} dagar, fast en nod som är igång förnyar det själv.\nSe till att noden är "
        "igång och får skriva {path}, och leta efter certificate_not_renewed i dess logg."
    ),
    Says.CLOCK_RIGHT: "Inom {seconds} s från register {name}.",
    Says.CLOCK_AHEAD: (
        "{seconds} s före register {name}.\nStäll datorns klocka efter en tidsserver (timedatectl set-ntp true) innan "
        "den går så fel att noden nekas."
    ),
    Says.CLOCK_BEHIND: (
        "{seconds} s efter register {name}.\nStäll datorns klocka efter en tidsserver (timedatectl set-ntp true) innan "
        "den går så fel att noden nekas."
    ),
    Says.CLOCK_FAR_AHEAD: (
        "{seconds} s före register {name}.\nStäll datorns klocka efter en tidsserver: timedatectl set-ntp true"
    ),
    Says.CLOCK_FAR_BEHIND: (
        "{seconds} s efter register {name}.\nStäll datorns klocka efter en tidsserver: timedatectl set-ntp true"
    ),
    Says.CLOCK_ALONE: "Det finns inget annat register att jämföra med; datorn säger {now} UTC.",
    Says.CLOCK_UNKNOWN: (
        "Inget register har sagt vad klockan är.\nSe raderna om registren; jämför så länge själv: datorn säger {now} "
        "UTC."
    ),
    Says.PEER_ANSWERS: "Svarar på {address}, känner igen oss och är redo.",
    Says.PEER_KNOWS_US_NOT: (
        "Svarar på {address}, men den beskrivning som gäller där tar inte upp oss med vår nyckel.\nHar myndigheten "
        "nyss undertecknat en som gör det så återstår att den godtas där: fråga den som driver den, eller myndigheten."
    ),
    Says.PEER_NOT_READY: (
        "Svarar på {address} men är inte redo.\nDen startar eller stannar, dess databas svarar inte eller dess "
        "beskrivning har gått ut; försök igen, fråga sedan den som driver den."
    ),
    Says.PEER_NOT_NAMED: (
        "Namnet {host} i {address} går inte att slå upp.\nKontrollera datorns DNS, och att beskrivningen är den nyaste."
    ),
    Says.PEER_NOTHING_LISTENS: (
        "Ingenting svarar på {address}.\nAntingen är den inte igång, eller så nekar något däremellan; fråga den som "
        "driver den, och den som sköter er brandvägg."
    ),
    Says.PEER_SILENT: (
        "{address} svarar inte.\nOftast är det en brandvägg: anslutningar från den här datorn till {address} måste "
        "släppas ut. Annars är dess dator nere."
    ),
    Says.PEER_HANDSHAKE: (
        "Något lyssnar på {address}, men ingen säker anslutning kommer till stånd.\nEn av sidorna godtar inte den "
        "andras certifikat, eller så bryter något däremellan upp TLS; se raderna om certifikat, klocka och "
        "beskrivning, och fråga sedan den som driver den vad dess logg säger."
    ),
    Says.PEER_NOT_TRIED: (
        "Inte prövat: beskrivning, certifikat eller nyckel saknas.\nRätta först det som raderna ovanför säger."
    ),
    Says.STORE_CURRENT: "Schemat är {revision}, det som det här programmet känner.",
    Says.STORE_ABSENT: "Det finns ingen databas än.\nSkapa den: upprop {role} migrate",
    Says.STORE_UNREAD: "Inte kontrollerat: databasen går inte att läsa.\nRätta först det som raden om databasen säger.",
    DoctorText.NOTHING_WAITS: "Ingenting väntar på att skickas.",
    DoctorText.WAITS: "{waiting:uppgift|uppgifter} väntar på att skickas, ingen längre än ett dygn.",
    DoctorText.WAITS_LONG: (
        "{waiting:uppgift|uppgifter} väntar på att skickas, den äldsta sedan {oldest}.\nKör upprop node sync: den "
        "säger vad som hindrar. Se raderna om register, nyckelhållare och kvot ovanför."
    ),
    DoctorText.PARKED: (
        "{parked:uppgift|uppgifter} har registret inte tagit emot.\nupprop node cases visar vilka, och varför."
    ),
    DoctorText.ERASURES_WAIT: "{erasures:radering|raderingar} väntar på registret, ingen längre än ett dygn.",
    DoctorText.ERASURES_WAIT_LONG: (
        "{erasures:radering|raderingar} väntar på registret, den äldsta sedan {oldest}: uppgifterna finns kvar "
        "här.\nKör upprop node sync: den säger vad som hindrar."
    ),
    DoctorText.ERASURES_NOT_TAKEN: (
        "{erasures:radering|raderingar} kommer inte vidare: registret tog inte emot återtagandet ({codes}), och "
        "uppgifterna finns kvar här.\nFråga den som driver registret, med koden, och kör sedan upprop node subject "
        "erase en gång till för samma person: då skickas det på nytt. upprop node subject log visar vilka."
    ),
    DoctorText.NOBODY_ON_DUTY: (
        "Ingen har jour i dag för: {roles}. Mejlen väntar tills någon har det.\nAdministratören sätter jour på sidan "
        "Jour i webbgränssnittet."
    ),
    DoctorText.MAILS_WAIT: (
        "Mejl till den som har jour har väntat sedan {since}.\nKontrollera e-postservern som står i [mail], och loggen "
        "efter mail_not_sent."
    ),
    DoctorText.MAILS_GO_OUT: "Någon har jour, och inga mejl väntar.",
    DoctorText.CONSOLE_DEVELOPMENT: (
        "Webbgränssnittet släpper in vem som helst som vem som helst.\nDet är till för prov med påhittade elever. "
        "Ställ in openid i [console]."
    ),
    DoctorText.CONSOLE_LOGIN_ANSWERS: "Kommunens inloggning {issuer} svarar.",
    DoctorText.CONSOLE_LOGIN_SILENT: (
        "Kommunens inloggning {issuer} svarar inte som den ska, och ingen kan logga in.\nKontrollera adressen, "
        "certifikatet (ca_file) och att den här maskinen får nå den."
    ),
    DoctorText.CONSOLE_PRINCIPALS_BLIND: (
        "Rektorer ser inga elever: inloggningen säger inte vilka skolenheter de är rektorer för.\nStäll in units_claim "
        "i [console.openid]."
    ),
    DoctorText.CONSOLE_CERTIFICATE_LASTS: "Webbgränssnittets certifikat gäller till {day}.",
    DoctorText.CONSOLE_CERTIFICATE_ENDS: (
        "Webbgränssnittets certifikat gäller till {day}.\nLägg dit ett nytt; det tas i bruk utan omstart."
    ),
    DoctorText.CONSOLE_CERTIFICATE_UNREAD: (
        "Webbgränssnittets certifikat {path} går inte att läsa.\nLägg dit en certifikatkedja (PEM) som tjänstens "
        "användare får läsa."
    ),
    DoctorText.JOURNAL_SOUND: "Varje rad i journalen ({rows}) är som den skrevs.",
    DoctorText.JOURNAL_TOUCHED: (
        "Någon har ändrat journalen i databasen ({flaws}): rad {rows}.\nLåt databasen och säkerhetskopiorna vara som "
        "de är och ta reda på vem. upprop node journal verify säger vilka ärenden det gäller."
    ),
    DoctorText.JOURNAL_KNOWN: (
        "Journalen är ändrad i databasen ({flaws}), och någon har sagt att det är känt.\nLita inte på det som ärendena "
        "pekar ut. upprop node journal verify säger vilka."
    ),
    DoctorText.CASE_KEYS_LACK: (
        "{files:ärende går|ärenden går} inte att öppna: nyckeln saknas i datakatalogen (case-keys).\nLägg tillbaka "
        "katalogen, eller stoppa noden och återställ med upprop node restore --case-keys."
    ),
    DoctorText.FETCHED: "Registret tillfrågades och svarade senast {day}.",
    DoctorText.NEVER_FETCHED: (
        "Registret har aldrig tillfrågats om besked.\nStarta noden (upprop node serve), eller kör upprop node sync."
    ),
    DoctorText.FETCHED_LONG_AGO: (
        "Registret svarade senast {day}; vad det har att säga om elever sedan dess är inte känt här.\nSe till att "
        "noden är igång, och se raderna om register ovanför; upprop node sync frågar genast."
    ),
    DoctorText.NEVER_IMPORTED: "Ingenting är inläst än.\nupprop node import EXPORT --as-of DATUM",
    DoctorText.IMPORTED: "Den nyaste exporten är från {day}.",
    DoctorText.IMPORTED_LONG_AGO: (
        "Den nyaste exporten är från {day}; den som har slutat sedan dess märks inte.\nSe efter varför ingen har "
        "kommit, och läs in den: upprop node import EXPORT --as-of DATUM"
    ),
    DoctorText.QUOTA_LEFT: "{year} av {year_limit} kvar i år, {day} av {day_limit} i dag.",
    DoctorText.QUOTA_SHORT: (
        "Bara {year} av {year_limit} kvar i år, {day} av {day_limit} i dag.\nNya elever får vänta när den är slut. Säg "
        "till nyckelhållarens administratör varför så många behövs, och be om fler."
    ),
    DoctorText.QUOTA_UNKNOWN: (
        "Vad som är kvar vet bara nyckelhållarna, och ingen svarade.\nSe raderna om nyckelhållare ovanför."
    ),
}
