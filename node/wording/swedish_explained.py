"""Swedish: the sentences of explanations, section by section."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from node.explain.findings import Answer, Case, Heard, Next, Presences, Rows, Said, Sent, Why

EXPLAINED: Mapping[enum.Enum, str] = {
    Answer.GAP: "Eleven saknar känd skolplacering sedan {since} ({kind!t}, {urgency!t}).",
    Answer.NO_GAP: "Eleven räknas inte som utan skolplacering.",
    # -- why a gap
    Why.LEFT_ENDED: "Den senaste inskrivningen slutade {last_day}, och ingen ny har börjat.",
    Why.LEFT_VANISHED: "Eleven, eller elevens inskrivning, finns inte längre i exporten från {as_of}.",
    Why.LEFT_CANCELLED: (
        "Inskrivningen togs bort som inställd {as_of}, fast den länge hade visats som gällande. Eleven räknas ha "
        "lämnat den dagen."
    ),
    Why.LATER_ROW_TOO_LATE: (
        "En ny inskrivning här börjar {begins}. Det är efter {due_on}, då bevakningen löper ut, och hindrar därför "
        "inget."
    ),
    Why.LAST_YEAR_ENDED_EARLY: (
        "Eleven gick i den sista årskursen ({school_year}) men slutade {last_day}, före vårterminens sista dagar. "
        "Skolplikten räknas därför inte som fullgjord."
    ),
    Why.GONE: "Personal har antecknat att eleven är borta trots inskrivning; sista dagen i skolan var {last_day}.",
    Why.NO_SHOW: "Personal har antecknat att eleven aldrig kom till skolan; det räknas från {since}.",
    Why.NOT_PLACED: "Personal har antecknat att eleven är skolpliktig och bosatt här men utan skolplats sedan {since}.",
    Why.WITHDRAWAL_WAITS: "En utskrivning med sista dag {last_day} är begärd och väntar på att eleven redovisas.",
    Why.LOOKED_FOR_SINCE: "Eleven hade lämnat redan {since}; eleven söks från den dagen.",
    Why.URGENT_BY_REASON: "Brådskande: skälet är {reason!t} (antecknat {said_on}).",
    Why.URGENT_BY_WORD: "Brådskande: personal har antecknat det {said_on}.",
    Why.POSTPONED: (
        "Vårdnadshavaren har uppgett skolstart på annat håll {planned_start}. Ärendet öppnas därför först {due_on}."
    ),
    Why.NOT_POSTPONED: (
        "Vårdnadshavaren har uppgett skolstart på annat håll {planned_start}. Det skjuter inte upp något: dagen är "
        "{due_on}."
    ),
    Why.DUTY_ENDED_AFTERWARDS: (
        "Skolplikten har upphört {on} ({cause!t}), men det visades först {shown_on}. Den saknade skolplaceringen var "
        "redan sagd och står kvar bredvid."
    ),
    Why.DUTY_ENDED_LONG_BEFORE: (
        "Skolplikten upphörde {on} ({cause!t}). Det är för länge sedan för att förklara att eleven saknas nu."
    ),
    Why.EMIGRATION_TOO_LATE: (
        "Skolsystemet visar eleven som utvandrad sedan {shown_on}. Det är mer än {days} dagar efter sista skoldagen "
        "och förklarar därför inte att eleven lämnade."
    ),
    Why.REVIEW_PASSED: (
        "Beslutet om skolplikten skulle ha prövats på nytt {review}. Det har inte skett, och beslutet gäller inte "
        "längre här."
    ),
    # -- why no gap
    Why.NEVER_HERE: "Inget skolsystem har visat någon inskrivning för eleven.",
    Why.BEGINS_LATER: "Elevens inskrivning börjar {begins}. Innan dess finns ingen skolgång att lämna.",
    Why.NOTHING_COUNTS: (
        "Ingen av elevens inskrivningar är i en skolform som räknas; det finns ingen skolgång att lämna."
    ),
    Why.TAKEN_BACK: (
        "Inskrivningen vid {unit} ställdes in {as_of}, innan den hade gällt i tjugo skoldagar. Den räknas som om den "
        "aldrig hade funnits."
    ),
    Why.IN_FORCE: "Eleven har en inskrivning i dag: {unit} ({form}).",
    Why.BRIDGED: "Mellan {last_day}, då förra inskrivningen slutade, och {begins}, då nästa börjar, är ingen skoldag.",
    Why.HELD: (
        "Eleven slutade {last_day}, men för många lämnade {unit} på en gång i inläsningen {as_of}. Det väntar på "
        "bekräftelse. Bekräfta med `upprop node import --confirm-leavings`; annars gäller det vid en inläsning från "
        "{released_on} som fortfarande visar samma sak. Brådskande elever väntar inte."
    ),
    Why.NOT_SHOWN: (
        "Den senaste inskrivningen slutade {last_day}, men ingen skoldag har kommit sedan dess. Det räknas från "
        "{shown_on}."
    ),
    Why.UNKNOWN_FORM: (
        "Det som slutade {last_day} var i en okänd skolform ({form}). Den räknas som skolgång, men att den slutar "
        "säger ingenting."
    ),
    Why.BEFORE_BASELINE: (
        "Eleven lämnade {last_day}. Första inläsningen var {baseline}; den säger bara det som hänt från {first_day}."
    ),
    Why.LATER_ROW: "Eleven slutade {last_day} men har en ny inskrivning här från {begins}, innan bevakningen löper ut.",
    Why.FOUND: "Personal antecknade {said_on} att eleven är återfunnen sedan {on}.",
    Why.BACK: "Det som personal antecknade om frånvaron gäller inte längre: en ny inskrivning började {begins}.",
    Why.PLACED: "Det som personal antecknade om saknad skolplats gäller inte längre: en inskrivning började {begins}.",
    Why.WORD_WAITS: (
        "Antecknat {said_on}, och skickas först när en annan person har godkänt det: {what!t}, {on}. Se `upprop node "
        "review`."
    ),
    Why.DUTY_DECEASED: "Eleven är avliden; skolsystemet visade det {shown_on}. Skolplikten har upphört {on}.",
    Why.DUTY_EMIGRATED: "Eleven är utvandrad; skolsystemet visade det {shown_on}. Skolplikten har upphört {on}.",
    Why.DUTY_COMPLETED: "Eleven har slutfört den sista årskursen. Skolplikten har upphört {on}.",
    Why.DUTY_DECIDED: (
        "Det är beslutat om skolplikten från {on} (antecknat {shown_on}): utomlands, eller fullgörs på annat sätt. "
        "Beslutet ska prövas på nytt {review}."
    ),
    # -- what school systems show
    Rows.IN_FORCE: "{unit}, {form}, {start}–{end}: gäller (skolsystem {system}).",
    Rows.ENDED: "{unit}, {form}, {start}–{end}: har slutat (skolsystem {system}).",
    Rows.LATER: "{unit}, {form}, {start}–{end}: har inte börjat (skolsystem {system}).",
    Rows.NOT_COUNTED: "{unit}, {form}, {start}–{end}: skolformen räknas inte (skolsystem {system}).",
    Rows.UPPER_SECONDARY: (
        "{unit}, {form}, {start}–{end}: gymnasieformer räknas inte enligt inställningen upper_secondary (skolsystem "
        "{system})."
    ),
    Rows.UNKNOWN_FORM: (
        "{unit}, {form}, {start}–{end}: okänd skolform, räknas men utlöser ingenting när den slutar (skolsystem "
        "{system})."
    ),
    Rows.VOID: "{unit}, {form}, {start}–{end}: inställd, räknas inte (skolsystem {system}).",
    Rows.VOID_ENDS: "{unit}, {form}, {start}–{end}: inställd, räknas till den dag det visades (skolsystem {system}).",
    Rows.FORMER: "{unit}, {form}, {start}–{end}: finns inte kvar sedan exporten från {gone_on}.",
    Rows.STATUS: "Personstatus i skolsystemet: {status!t}.",
    Rows.NONE: "Inga inskrivningar.",
    # -- what people stated
    Said.REASON: "{said_on}: skäl till att eleven lämnade: {reason!t}.",
    Said.PLANNED_START: "{said_on}: planerad skolstart på annat håll {on}.",
    Said.URGENT: "{said_on}: brådskande.",
    Said.NOT_PLACED: "{said_on}: ingen skolplats sedan {on}.",
    Said.NO_SHOW: "{said_on}: kom aldrig, gäller inskrivningen {on}.",
    Said.GONE: "{said_on}: borta trots inskrivning, sista dagen i skolan {on}.",
    Said.FOUND: "{said_on}: återfunnen sedan {on}.",
    Said.MET: "{said_on}: sedd i skolan {on}.",
    Said.AFFIRM: "{said_on}: skolgången här bekräftad för {on}.",
    Said.HELD: "{said_on}: utskrivning begärd från {on}. Den väntar tills eleven är redovisad.",
    Said.HOLD_OVER: "{said_on}: begäran om utskrivning återtagen. Eleven är kvar.",
    Said.DUTY_ENDED: "{said_on}: skolplikten har upphört från {on}, prövas på nytt {review}.",
    # -- presences
    Presences.IN_FORCE: "Från {begins}, pågår.",
    Presences.IN_FORCE_LONG: "Sedan mer än 13 månader, pågår.",
    Presences.ENDED: "Från {begins} till och med {last_day}.",
    Presences.ENDED_LONG: "Sedan mer än 13 månader, till och med {last_day}.",
    Presences.SEEN: "Sedd i skolan av personal {on}.",
    Presences.NONE: "Ingen.",
    # -- sent
    Sent.UNLINKABLE: (
        "Ingenting skickas: eleven har inget användbart personnummer eller samordningsnummer. Eleven bevakas bara här,"
        " tills ett sådant kommer."
    ),
    Sent.PROTECTED: "Ingenting skickas: skyddade personuppgifter. Ärendet sköts här, av behörig personal.",
    Sent.RENUMBERED: (
        "Ingenting skickas: eleven har fått ett nytt personnummer, vilket kan betyda skyddade personuppgifter. Var det"
        " ett skrivfel: `upprop node say PERSON typing-error`."
    ),
    Sent.NO_MOVER: (
        "Ingenting har skickats: eleven fanns här vid första inläsningen och har varken kommit eller lämnat sedan dess."
    ),
    Sent.NOTHING_YET: "Ingenting har skickats än; det sker vid nästa utbyte med registret (`upprop node sync`).",
    Sent.WAITING: "Version {version} från {made_on} ({says!t}): väntar på att skickas.",
    Sent.SENT: "Version {version} från {made_on} ({says!t}): skickad, svar väntas.",
    Sent.ACKNOWLEDGED: "Version {version} från {made_on} ({says!t}): mottagen av registret.",
    Sent.PARKED: (
        "Version {version} från {made_on} ({says!t}): EJ MOTTAGEN av registret, kod {code}. Ta upp det med den som "
        "driver registret."
    ),
    Sent.SUPERSEDED: "Version {version} från {made_on} ({says!t}): ersatt innan den skickades.",
    # -- heard
    Heard.OPENED: "{closed_on}: ingen annan huvudman har eleven. Ärendet är öppet.",
    Heard.ANSWERED: "{closed_on}: besvarat, en annan huvudman har eleven. Vilken sägs aldrig.",
    Heard.REOPENED: "{closed_on}: svaret gäller inte längre. Ärendet är öppet igen.",
    Heard.LINKED: "{closed_on}: en annan huvudman har också ett öppet ärende om eleven och leder det.",
    Heard.LEAD: "{closed_on}: den här huvudmannen leder ärendet.",
    Heard.CONFIRM: "{closed_on}: en annan huvudman frågar brådskande om eleven har setts i skolan här.",
    Heard.OVERLAP: "{closed_on}: en annan huvudman uppger sedan länge samma elev. Går eleven kvar här?",
    Heard.RELEASED: "{closed_on}: utskrivningen kan göras.",
    Heard.ENDED: "{closed_on}: avslutat, skolplikten har upphört.",
    Heard.VOIDED: "{closed_on}: den saknade skolplaceringen är återtagen.",
    Heard.OTHER: "{closed_on}: besked av slaget {kind}.",
    Heard.NOTHING: "Inga besked om eleven.",
    Heard.NO_CLOSE: "Registret har ännu inte meddelat något dagsavslut.",
    Heard.UNREACHED: (
        "Registret gick inte att nå på hela skoldagen {day}. Ärenden vars dag har passerat öppnas då här ändå."
    ),
    # -- the case
    Case.NOT_MADE: "Beräknat nu, men inte bearbetat än: det sker vid nästa utbyte med registret (`upprop node sync`).",
    Case.WATCH: (
        "Bevakas till {due_on}: {school_days:skoldag|skoldagar} kvar (saknar skolplacering sedan {since}). Visar sig "
        "eleven hos en annan huvudman innan dess blir det inget ärende."
    ),
    Case.OVERDUE: (
        "Bevakningen löpte ut {due_on} (saknar skolplacering sedan {since}). Registrets besked väntas; uteblir det "
        "öppnas ärendet här ändå."
    ),
    Case.OPEN: "Öppet ärende sedan {opened_on} ({opened_by!t}); saknar skolplacering sedan {since}, {urgency!t}.",
    Case.ANSWERED: (
        "Besvarat {on}: eleven är redovisad (saknade skolplacering sedan {since}). Var eleven är sägs aldrig."
    ),
    Case.ENDED: "Avslutat {on}: skolplikten har upphört (saknade skolplacering sedan {since}).",
    Case.VOID: "Återtaget {on}: uppgiften om saknad skolplacering sedan {since} gällde inte.",
    Case.LEADS: "Den här huvudmannen leder ärendet.",
    Case.LINKED: "En annan huvudman har också ett öppet ärende om eleven.",
    Case.COVERAGE_INCOMPLETE: "Någon huvudman har inte hörts av på länge, så svaret kan vara ofullständigt.",
    Case.STEP_POPULATION_REGISTER: (
        "0. Fråga folkbokföringen, före varje kontakt med vårdnadshavare, skola eller klasskamrater: skyddad, nytt "
        "personnummer, avliden, utvandrad?"
    ),
    Case.STEP_HOME_MUNICIPALITY: (
        "1. Underrätta hemkommunen: {home}. Vid skyddade personuppgifter: bara dess behöriga personal."
    ),
    # -- next
    Next.DUE: ("{on} ({school_days:skoldag|skoldagar} kvar): har ingen annan huvudman eleven då öppnas ett ärende."),
    Next.SHOWS: "{on}, första skoldagen därefter: är eleven fortfarande utan skolplacering börjar bevakningen.",
    Next.HELD_RELEASED: "{on}: en inläsning från och med då som visar samma sak släpper fram att eleven har lämnat.",
    Next.ROW_BEGINS: "{on}: nästa inskrivning här börjar.",
    Next.ROW_ENDS: "{on}: inskrivningen slutar {last_day}. Finns ingen ny då saknar eleven skolplacering.",
    Next.REVIEW: "{on}: beslutet om skolplikten ska prövas på nytt. Sker det inte gäller det inte dagen efter.",
    Next.SYNC: "Nu: kör `upprop node sync`, eller låt noden göra det.",
    Next.NOTHING: "Ingen dag är att vänta på.",
}
