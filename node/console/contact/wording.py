"""What the pages of contact say."""

from __future__ import annotations

SWEDISH = {
    "nav.contacts": "Kontakter",
    "view.contact": "Kontakten med den andra huvudmannen",
    "contacts.title": "Kontakter med andra huvudmän",
    "contacts.none": "Ingen har frågat efter kontakt, och ingen kontakt är öppen.",
    "contacts.case": "Ärende",
    "contacts.with": "Med",
    "contacts.state": "Läge",
    "contacts.last": "Senaste meddelande",
    "contact.title": "Kontakt – ärende {reference}",
    "contact.heading": "Kontakt med den andra huvudmannen",
    "contact.case-link": "Till ärendet",
    "contact.open-link": "Frågor, svar och meddelanden",
    "contact.lead": (
        "När en annan huvudman, en kommun eller en friskola, söker samma elev kan den som leder ärendet fråga efter "
        "kontakt. Den andra ser då vem som frågar och svarar ja, eller inte alls. Först med ett ja får den som frågade "
        "veta vem den andra är."
    ),
    "contact.waits": "{n} {n:fråga|frågor} från andra väntar på svar.",
    "contact.ask.heading": "Fråga efter kontakt",
    "contact.ask.text": (
        "Frågan innehåller ert namn som huvudman, en nyckel och den rättsliga grunden. Den säger ingenting om eleven. "
        "Svar kan komma i {days} dagar. Därefter står det ”inget svar”, vad det än beror på."
    ),
    "contact.ask.ground": "Rättslig grund",
    "contact.ask.choose": "Välj grund",
    "contact.ask.button": "Skicka frågan",
    "contact.ground.SCHOOL_ATTENDANCE": "Hemkommunens ansvar för att skolplikten fullgörs (7 kap. 21 § skollagen)",
    "contact.ground.ENROLMENT_NOTICE": (
        "Skyldigheten att lämna uppgift när en elev börjar eller slutar (7 kap. 22 § skollagen)"
    ),
    "contact.ground.CHILD_AT_RISK": "Misstanke om att ett barn far illa (19 kap. 1 § socialtjänstlagen (2025:400))",
    "contact.ground.SECRECY_BALANCE": (
        "Sekretessprövning i det enskilda fallet (10 kap. 27 § offentlighets- och sekretesslagen (2009:400))"
    ),
    "contact.requests.heading": "Våra frågor",
    "contact.requests.asked": "Ställd {on} av {by}",
    "contact.request.WAITING": "Skickas vid nästa överföring",
    "contact.request.STANDS": "Svar kan komma till och med {until}",
    "contact.request.ANSWERED": "Besvarad med ja",
    "contact.request.NO_ANSWER": "Inget svar",
    "contact.request.REFUSED": "Registret tog inte emot frågan",
    "contact.state.RECEIVED": "Väntar på ert svar",
    "contact.state.DECLINED": "Lämnas utan svar",
    "contact.state.ACCEPTING": "Ert ja skickas vid nästa överföring",
    "contact.state.LAPSED": "Tiden gick ut",
    "contact.state.OPEN": "Öppen",
    "contact.asked-by": "{member} frågar efter kontakt",
    "contact.with": "Kontakt med {member}",
    "contact.person": "Svarade ja: {by}",
    "contact.ground": "Grund: {ground}",
    "contact.until": "Svara senast {until}",
    "contact.answer.text": (
        "Svarar du ja får den andra veta vilka ni är, och ni kan skriva till varandra. Svarar du inte skickas "
        "ingenting, och den andra ser ”inget svar”. Pröva sekretessen innan du svarar."
    ),
    "contact.accept": "Svara ja",
    "contact.decline": "Lämna utan svar",
    "contact.protected": ("Eleven har skyddade personuppgifter. Ingenting skickas, och den andra ser ”inget svar”."),
    "contact.messages": "Meddelanden",
    "contact.messages.none": "Inget meddelande ännu.",
    "contact.message.out": "{by} skrev {on}",
    "contact.message.in": "{by}, {member}, skrev; det kom {on}",
    "contact.message.WAITING": "skickas vid nästa överföring",
    "contact.message.SENT": "skickat",
    "contact.message.RECEIVED": "mottaget",
    "contact.flawed": (
        "Meddelande {sequence} kunde inte öppnas: det är inte vad den andra sidan skrev under, eller hör inte hit. "
        "Ingenting av det är mottaget. Ring den andra sidan på ett nummer som du vet är rätt."
    ),
    "contact.write.label": "Nytt meddelande",
    "contact.write.hint": (
        "Högst {max:,} byte, ungefär två sidor. Bara ni och {member} kan läsa det. Det sparas i journalen på båda "
        "sidor."
    ),
    "contact.write.button": "Skicka",
    "contact.refused.protected": "Eleven har skyddade personuppgifter: ingenting får skickas om eleven.",
    "contact.refused.no-gap": "Ingen annan huvudman söker eleven just nu.",
    "contact.refused.not-lead": "Den andra sidan leder ärendet, och det är den som kan fråga. Här kan du svara.",
    "contact.refused.stands": "En fråga är redan ställd. Vänta tills den är besvarad eller tiden har gått ut.",
    "contact.refused.ground-missing": "Välj vilken rättslig grund frågan har.",
    "contact.refused.lapsed": "Frågan kan inte besvaras längre.",
    "contact.refused.text-missing": "Skriv något i meddelandet.",
    "contact.refused.text-long": "Meddelandet är för långt. Dela upp det i flera; texten står kvar nedan.",
    "contact.refused.not-open": "Kontakten är inte öppen, så ingenting kan skickas.",
    "contact.refused.meanwhile": (
        "Någon annan skrev medan du skrev. Läs det nya meddelandet först; din text står kvar nedan."
    ),
    "journal.field.event": "Vad som hände",
    "journal.value.event.asked": "vi frågade efter kontakt",
    "journal.value.event.received": "en annan huvudman frågade efter kontakt",
    "journal.value.event.accepted": "vi svarade ja",
    "journal.value.event.declined": "vi lämnade frågan utan svar",
    "journal.value.event.answered": "den andra sidan svarade ja",
    "journal.value.event.forged": "ett meddelande kunde inte öppnas och togs inte emot",
    "journal.value.event.behind": (
        "databasen här är en äldre kopia: meddelanden från den andra sidan, till och med det här numret, saknas här; "
        "be dem berätta igen"
    ),
    "journal.value.event.renumbered": (
        "databasen här är en äldre kopia: meddelanden som skickades härifrån, till och med det här numret, saknas här; "
        "nya numreras därefter"
    ),
    "journal.field.member": "Den andra sidan",
    "journal.field.ground": "Rättslig grund",
    "journal.field.by": "Av",
    "journal.field.direction": "Riktning",
    "journal.value.direction.in": "från den andra sidan",
    "journal.value.direction.out": "härifrån",
    "journal.field.sequence": "Meddelande nr",
    "said.contact-asked": "Frågan är sparad och skickas vid nästa överföring.",
    "said.contact-accepted": "Ditt ja är sparat och skickas vid nästa överföring.",
    "said.contact-declined": "Frågan lämnas utan svar. Ingenting skickas.",
    "said.contact-written": "Meddelandet är sparat och skickas vid nästa överföring.",
}
ENGLISH = {
    "nav.contacts": "Contacts",
    "view.contact": "The contact with the other member",
    "contacts.title": "Contacts with other municipalities and operators",
    "contacts.none": "Nobody has asked for contact, and no contact is open.",
    "contacts.case": "Case file",
    "contacts.with": "With",
    "contacts.state": "State",
    "contacts.last": "Newest message",
    "contact.title": "Contact – case file {reference}",
    "contact.heading": "Contact with the other municipality or operator",
    "contact.case-link": "To the case file",
    "contact.open-link": "Requests, answers and messages",
    "contact.lead": (
        "Where another municipality or operator looks for the same pupil, the one that leads the case may ask for "
        "contact. The other then sees who asks, and says yes, or nothing at all. Only a yes tells the one that asked "
        "who the other is."
    ),
    "contact.waits": "{n} {n:request of another member waits|requests of other members wait} for an answer.",
    "contact.ask.heading": "Ask for contact",
    "contact.ask.text": (
        "The request holds the name of your municipality or operator, a key and the legal ground. It says nothing "
        "about the pupil. An answer can come within {days} days. After that it says “no answer”, whatever the reason."
    ),
    "contact.ask.ground": "Legal ground",
    "contact.ask.choose": "Choose a ground",
    "contact.ask.button": "Send the request",
    "contact.ground.SCHOOL_ATTENDANCE": (
        "The home municipality's duty to see that children attend school (Education Act, chapter 7, section 21)"
    ),
    "contact.ground.ENROLMENT_NOTICE": (
        "The duty to tell when a pupil begins or leaves (Education Act, chapter 7, section 22)"
    ),
    "contact.ground.CHILD_AT_RISK": (
        "Suspicion that a child is being harmed (Social Services Act (2025:400), chapter 19, section 1)"
    ),
    "contact.ground.SECRECY_BALANCE": (
        "Weighing of secrecy in the single case (Public Access to Information and Secrecy Act (2009:400), chapter 10, "
        "section 27)"
    ),
    "contact.requests.heading": "Our requests",
    "contact.requests.asked": "Asked {on} by {by}",
    "contact.request.WAITING": "Goes out with the next transfer",
    "contact.request.STANDS": "An answer can come until {until}",
    "contact.request.ANSWERED": "Answered with yes",
    "contact.request.NO_ANSWER": "No answer",
    "contact.request.REFUSED": "The registry did not take the request",
    "contact.state.RECEIVED": "Waits for your answer",
    "contact.state.DECLINED": "Left unanswered",
    "contact.state.ACCEPTING": "Your yes goes out with the next transfer",
    "contact.state.LAPSED": "Time ran out",
    "contact.state.OPEN": "Open",
    "contact.asked-by": "{member} asks for contact",
    "contact.with": "Contact with {member}",
    "contact.person": "Said yes: {by}",
    "contact.ground": "Ground: {ground}",
    "contact.until": "Answer by {until}",
    "contact.answer.text": (
        "If you say yes, the other side learns who you are, and both can write. If you do not answer, nothing is sent, "
        "and the other side sees “no answer”. Weigh secrecy before you answer."
    ),
    "contact.accept": "Say yes",
    "contact.decline": "Leave unanswered",
    "contact.protected": "The pupil has a protected identity. Nothing is sent, and the other side sees “no answer”.",
    "contact.messages": "Messages",
    "contact.messages.none": "No message yet.",
    "contact.message.out": "{by} wrote on {on}",
    "contact.message.in": "{by}, {member}, wrote; it came on {on}",
    "contact.message.WAITING": "goes out with the next transfer",
    "contact.message.SENT": "sent",
    "contact.message.RECEIVED": "received",
    "contact.flawed": (
        "Message {sequence} could not be opened: it is not what the other side signed, or does not belong here. "
        "Nothing of it was taken. Call the other side on a number that you know is theirs."
    ),
    "contact.write.label": "New message",
    "contact.write.hint": (
        "At most {max:,} bytes, some two pages. Only you and {member} can read it. It is kept in the journal of both."
    ),
    "contact.write.button": "Send",
    "contact.refused.protected": "The pupil has a protected identity: nothing may be sent about the pupil.",
    "contact.refused.no-gap": "No other municipality or operator looks for the pupil now.",
    "contact.refused.not-lead": "The other side leads the case and is the one that can ask. Here you can answer.",
    "contact.refused.stands": "A request stands already. Wait until it is answered or its time has run out.",
    "contact.refused.ground-missing": "Choose the legal ground of the request.",
    "contact.refused.lapsed": "The request cannot be answered any more.",
    "contact.refused.text-missing": "Write something in the message.",
    "contact.refused.text-long": "The message is too long. Divide it into several; the text still stands below.",
    "contact.refused.not-open": "The contact is not open, so nothing can be sent.",
    "contact.refused.meanwhile": (
        "Somebody else wrote while you were writing. Read the new message first; your text still stands below."
    ),
    "journal.field.event": "What happened",
    "journal.value.event.asked": "we asked for contact",
    "journal.value.event.received": "another member asked for contact",
    "journal.value.event.accepted": "we said yes",
    "journal.value.event.declined": "we left the request unanswered",
    "journal.value.event.answered": "the other side said yes",
    "journal.value.event.forged": "a message could not be opened and was not taken",
    "journal.value.event.behind": (
        "the database here is an older copy: messages of the other side, up to this number, are missing here; ask them "
        "to say it again"
    ),
    "journal.value.event.renumbered": (
        "the database here is an older copy: messages that were sent from here, up to this number, are missing here; "
        "new ones are numbered after it"
    ),
    "journal.field.member": "The other side",
    "journal.field.ground": "Legal ground",
    "journal.field.by": "By",
    "journal.field.direction": "Direction",
    "journal.value.direction.in": "from the other side",
    "journal.value.direction.out": "from here",
    "journal.field.sequence": "Message no.",
    "said.contact-asked": "The request is kept and goes out with the next transfer.",
    "said.contact-accepted": "Your yes is kept and goes out with the next transfer.",
    "said.contact-declined": "The request is left unanswered. Nothing is sent.",
    "said.contact-written": "The message is kept and goes out with the next transfer.",
}
