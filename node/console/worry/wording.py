"""What the page says on which a case file is opened by hand."""

from __future__ import annotations

SWEDISH = {
    "nav.worry": "Öppna ärende",
    "worry.title": "Öppna ett ärende",
    "worry.intro": (
        "Här öppnar du ett ärende om en elev som fortfarande är inskriven. Är det fara för liv eller hälsa: ring 112. "
        "Du som får kännedom om eller misstänker att ett barn far illa ska genast anmäla det till socialnämnden "
        "(orosanmälan). Det ersätts inte av det här formuläret."
    ),
    "worry.flaws": "Rätta det här och skicka igen",
    "worry.person": "Personnummer, eller elevens id i skolans system",
    "worry.what": "Vad det gäller",
    "worry.what.WORRY": "Oro: eleven kan vara på väg bort eller riskera att inte komma tillbaka",
    "worry.what.GONE": "Borta fast inskriven: ingen vet var eleven är",
    "worry.since": "Borta sedan (om eleven är borta)",
    "worry.why": "Vad som har hänt",
    "worry.send": "Öppna ärendet",
    "worry.flaw.person": "Ingen elev med det personnumret eller id:t är känd här. Kontrollera det. "
    "En rektor når bara elever på sina egna skolenheter: gäller det en annan elev, tala med en handläggare.",
    "worry.flaw.what": "Välj vad det gäller.",
    "worry.flaw.since": "Skriv dagen som ÅÅÅÅ-MM-DD. Den får inte ligga i framtiden.",
    "worry.flaw.why": "Skriv vad som har hänt, med högst 5 000 tecken. Längre texter läggs i ärendets journal.",
    "worry.flaw.said": "Det gick inte att ta emot. Kontrollera uppgifterna, särskilt dagen.",
    "said.worry-told": "Tack. Ärendet är öppnat, och den som har jour får veta det.",
}
ENGLISH = {
    "nav.worry": "Open a case file",
    "worry.title": "Open a case file",
    "worry.intro": (
        "Here you open a case file about a pupil who is still enrolled. If life or health is in danger, call 112. "
        "Whoever learns or suspects that a child is being harmed must report it to the social services at once "
        "(orosanmälan). This form does not replace that."
    ),
    "worry.flaws": "Mend this and send again",
    "worry.person": "National number, or the pupil's id in the school's system",
    "worry.what": "What it is about",
    "worry.what.WORRY": "Worry: the pupil may be on the way out, or may not come back",
    "worry.what.GONE": "Gone though enrolled: nobody knows where the pupil is",
    "worry.since": "Gone since (if the pupil is gone)",
    "worry.why": "What has happened",
    "worry.send": "Open the case file",
    "worry.flaw.person": "No pupil with that number or id is known here. Check it. A principal reaches "
    "pupils of their own school units alone: if it is about another pupil, speak with a caseworker.",
    "worry.flaw.what": "Choose what it is about.",
    "worry.flaw.since": "Write the day as YYYY-MM-DD. It must not be in the future.",
    "worry.flaw.why": "Write what has happened, in at most 5,000 characters. Put longer texts into the journal.",
    "worry.flaw.said": "It could not be taken. Check what you wrote, the day above all.",
    "said.worry-told": "Thank you. The case file is open, and whoever is on duty will be told.",
}
