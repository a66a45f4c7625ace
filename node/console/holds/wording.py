"""What the pages of holds say."""

from __future__ import annotations

SWEDISH = {
    "nav.holds": "Spärrar",
    "holds.title": "Utskrivningar som väntar",
    "holds.text": (
        "En elev skrivs ut först när den är redovisad hos en annan huvudman, har plats på en annan skola här, när "
        "skolplikten har upphört eller när en namngiven person beslutar det. Svaret kommer med registrets nästa "
        "leverans."
    ),
    "holds.none": "Ingen utskrivning väntar.",
    "holds.who": "Elev",
    "holds.last-day": "Sista dag",
    "holds.reason": "Skäl",
    "holds.responsible": "Ansvarig",
    "holds.asked-on": "Begärd",
    "holds.asked-by": "Begärd av",
    "holds.person": "Formulär",
    "holds.state": "Läge",
    "holds.decide": "Besluta",
    "holds.new": "Begär utskrivning",
    "holds.new.person": "Personnummer eller skolsystemets id",
    "holds.new.last-day": "Sista dag i skolan",
    "holds.new.unit": "Skola som eleven lämnar",
    "holds.new.every-unit": "Alla skolor hos oss",
    "holds.new.reason": "Skäl",
    "holds.new.choose": "Välj",
    "holds.new.responsible": "Vem som ansvarar för begäran",
    "holds.new.note": "Vad familjen har sagt",
    "holds.new.button": "Begär",
    "hold.state.HELD": "Väntar",
    "hold.state.RELEASED": "Släppt",
    "hold.state.CANCELLED": "Återtagen",
    "hold.by.ANSWER": "redovisad hos annan huvudman",
    "hold.by.PLACED_HERE": "har plats på en annan skola här",
    "hold.made-while-held": "redan utskriven",
    "hold.made-while-held.text": (
        "Skolans uppgifter visar att eleven redan är utskriven, fast begäran väntar. Eleven eftersöks. Skriv av vilket "
        "skäl det blev så, eller se till att eleven skrivs in igen."
    ),
    "hold.not-made": "inte utskriven än",
    "hold.by.DUTY_ENDED": "skolplikten har upphört",
    "hold.by.OVERRIDE": "beslut av {who}",
    "hold.reason.unknown-whereabouts": "Okänt var eleven är",
    "hold.reason.abroad-undecided": "Utomlands, inget beslut",
    "hold.reason.moved": "Har flyttat",
    "hold.reason.other-school": "Börjar i annan skola",
    "hold.reason.other": "Annat",
    "hold.title": "Utskrivning som väntar",
    "hold.override": "Skriv ut ändå",
    "hold.override.text": (
        "Lagen låter ingen hållas inskriven av ett system. Den som beslutar står för det med namn och skäl. Eleven "
        "eftersöks ändå, och ett ärende öppnas."
    ),
    "hold.why": "Skäl för beslutet",
    "hold.override.button": "Besluta om utskrivning",
    "hold.duty": "Skolplikten har upphört",
    "hold.duty.text": (
        "Det är beslutat att eleven går i skola utomlands eller fullgör skolplikten på annat sätt. Beslutet ses över "
        "senast den dag som du anger: görs det inte eftersöks eleven igen."
    ),
    "hold.duty.begins": "Från och med",
    "hold.duty.review": "Ses över senast",
    "hold.duty.why": "Vilket beslut, och av vem",
    "hold.duty.button": "Anteckna beslutet",
    "hold.cancel": "Eleven är kvar",
    "hold.cancel.text": "Begäran tas tillbaka och eleven räknas som inskriven.",
    "hold.cancel.why": "Skäl (frivilligt)",
    "hold.cancel.button": "Ta tillbaka begäran",
    "hold.undo.text": (
        "Utskrivningen är släppt men inte gjord. Blir den inte av tas begäran tillbaka här: då räknas eleven som "
        "inskriven igen, och skolsystemet får veta det."
    ),
    "hold.undo.why": "Varför utskrivningen inte blir av",
    "hold.error.responsible": "Skriv vem som ansvarar för begäran.",
    "hold.error.too-long": "Texten är för lång. Korta den.",
    "hold.error.too-far": "Sista dagen ligger mer än ett år fram. Kontrollera datumet.",
    "hold.error.too-long-ago": "Sista dagen ligger mer än ett år tillbaka. Kontrollera datumet.",
    "hold.error.sent-before": "Formuläret är redan skickat med annat innehåll. Kontrollera det och skicka igen.",
    "hold.error.unknown-person": "Ingen elev med det numret eller id:t är känd här. Kontrollera det. En rektor når "
    "bara elever på sina egna skolenheter.",
    "hold.error.not-enrolled": "Eleven är inte inskriven här: det finns inget att skriva ut.",
    "hold.error.not-at-unit": "Eleven är inte inskriven på den skolan den sista dagen. Kontrollera skola och dag.",
    "hold.error.stands-already": "En utskrivning av eleven väntar redan.",
    "hold.error.role": "Din roll får inte besluta om detta.",
    "hold.error.reason": "Ange skälet.",
    "hold.error.duty-ahead": "Beslutet antecknas tidigast den dag då det börjar gälla.",
    "hold.error.duty-long-ago": "Beslutet började gälla för länge sedan för att förklara att eleven slutar nu.",
    "hold.error.review": "Beslutet ska ses över en senare dag, inom ett år.",
    "hold.error.date": "Skriv dagen som ÅÅÅÅ-MM-DD.",
    "hold.error.over": "Utskrivningen väntar inte längre.",
    "hold.error.made": "Eleven är redan utskriven. Låt skolan skriva in eleven igen: det syns här vid nästa inläsning.",
    "hold.error.newer": "En nyare begäran om eleven väntar. Avgör den i stället.",
    "hold.error.not-there": "Det finns ingen sådan utskrivning.",
    "journal.field.hold": "Spärr",
    "journal.value.hold.OVERRIDE": "släppt genom beslut",
    "journal.value.hold.CANCELLED": "begäran återtagen",
    "journal.value.hold.DUTY_ENDED": "släppt, skolplikten har upphört",
    "view.hold": "Spärrens sida",
    "journal.field.last_day": "Sista dag",
    "said.hold-asked": "Begäran är mottagen och väntar.",
    "said.hold-decided": "Beslutet är antecknat.",
    "said.hold-cancelled": "Begäran är återtagen.",
}
ENGLISH = {
    "nav.holds": "Holds",
    "holds.title": "Withdrawals that wait",
    "holds.text": (
        "A pupil is withdrawn once it is accounted for by another member or has a place at another school here, once "
        "the duty to attend has ended, or once a named person decides it. The answer comes with the registry's next "
        "delivery."
    ),
    "holds.none": "No withdrawal waits.",
    "holds.who": "Pupil",
    "holds.last-day": "Last day",
    "holds.reason": "Reason",
    "holds.responsible": "Responsible",
    "holds.asked-on": "Asked",
    "holds.asked-by": "Asked by",
    "holds.person": "Form",
    "holds.state": "State",
    "holds.decide": "Decide",
    "holds.new": "Ask to withdraw",
    "holds.new.person": "National number or the school system's id",
    "holds.new.last-day": "Last day in school",
    "holds.new.unit": "School that the pupil leaves",
    "holds.new.every-unit": "All our schools",
    "holds.new.reason": "Reason",
    "holds.new.choose": "Choose",
    "holds.new.responsible": "Who answers for the request",
    "holds.new.note": "What the family has said",
    "holds.new.button": "Ask",
    "hold.state.HELD": "Waits",
    "hold.state.RELEASED": "Let go",
    "hold.state.CANCELLED": "Taken back",
    "hold.by.ANSWER": "accounted for by another member",
    "hold.by.PLACED_HERE": "has a place at another school here",
    "hold.made-while-held": "withdrawn already",
    "hold.made-while-held.text": (
        "The school's records show that the pupil was withdrawn already, though the request waits. The pupil is looked "
        "for. Write for what reason it came to be so, or see to it that the pupil is enrolled again."
    ),
    "hold.not-made": "not withdrawn yet",
    "hold.by.DUTY_ENDED": "the duty to attend has ended",
    "hold.by.OVERRIDE": "decided by {who}",
    "hold.reason.unknown-whereabouts": "Whereabouts unknown",
    "hold.reason.abroad-undecided": "Abroad, undecided",
    "hold.reason.moved": "Has moved",
    "hold.reason.other-school": "Begins at another school",
    "hold.reason.other": "Other",
    "hold.title": "A withdrawal that waits",
    "hold.override": "Withdraw all the same",
    "hold.override.text": (
        "The law lets nobody be kept enrolled by a system. Whoever decides answers for it, by name and reason. The "
        "pupil is looked for all the same, and a case file opens."
    ),
    "hold.why": "Reason for the decision",
    "hold.override.button": "Decide to withdraw",
    "hold.duty": "The duty to attend has ended",
    "hold.duty.text": (
        "It is decided that the pupil goes to school abroad or is taught in another way. The decision is looked at "
        "again on the day that you give at the latest: if it is not, the pupil is looked for again."
    ),
    "hold.duty.begins": "From",
    "hold.duty.review": "To be looked at again by",
    "hold.duty.why": "Which decision, and whose",
    "hold.duty.button": "Note the decision",
    "hold.cancel": "The pupil stays",
    "hold.cancel.text": "The request is taken back and the pupil counts as enrolled.",
    "hold.cancel.why": "Reason (if you like)",
    "hold.cancel.button": "Take the request back",
    "hold.undo.text": (
        "The withdrawal was let go and is not made. If it comes to nothing the request is taken back here: the pupil "
        "counts as enrolled again, and the school system is told."
    ),
    "hold.undo.why": "Why the withdrawal is not made",
    "hold.error.responsible": "Write who answers for the request.",
    "hold.error.too-long": "The text is too long. Shorten it.",
    "hold.error.too-far": "The last day lies more than a year ahead. Check the date.",
    "hold.error.too-long-ago": "The last day lies more than a year back. Check the date.",
    "hold.error.sent-before": "This form was sent before with other content. Check what it says and send it again.",
    "hold.error.unknown-person": "No pupil with this number or id is known here. Check it. A principal reaches pupils "
    "of their own school units alone.",
    "hold.error.not-enrolled": "The pupil is not enrolled here: there is nothing to withdraw.",
    "hold.error.not-at-unit": "The pupil is not enrolled at this school on the last day. Check the school and the day.",
    "hold.error.stands-already": "A withdrawal of this pupil waits already.",
    "hold.error.role": "Your role may not decide this.",
    "hold.error.reason": "Give the reason.",
    "hold.error.duty-ahead": "The decision is noted on the day from which it holds at the earliest.",
    "hold.error.duty-long-ago": "The decision began too long ago to explain that the pupil leaves now.",
    "hold.error.review": "The decision has to be looked at again on a later day, within a year.",
    "hold.error.date": "Write the day as YYYY-MM-DD.",
    "hold.error.over": "The withdrawal waits no more.",
    "hold.error.made": (
        "The pupil was withdrawn already. Let the school enrol the pupil again: it shows here at the next import."
    ),
    "hold.error.newer": "A newer request about this pupil waits. Settle that one instead.",
    "hold.error.not-there": "There is no such withdrawal.",
    "journal.field.hold": "Hold",
    "journal.value.hold.OVERRIDE": "let go by a decision",
    "journal.value.hold.CANCELLED": "request taken back",
    "journal.value.hold.DUTY_ENDED": "let go, the duty to attend has ended",
    "view.hold": "The hold's page",
    "journal.field.last_day": "Last day",
    "said.hold-asked": "The request was taken and waits.",
    "said.hold-decided": "The decision was noted.",
    "said.hold-cancelled": "The request was taken back.",
}
