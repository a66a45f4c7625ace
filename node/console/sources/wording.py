"""What the pages of tasks say."""

from __future__ import annotations

SWEDISH = {
    "nav.tasks": "Uppgifter",
    "tasks.title": "Uppgifter",
    "tasks.part": "Frågor om eleven",
    "tasks.part.attended": "Senast registrerad i skolan",
    "tasks.none": "Inga uppgifter väntar.",
    "tasks.due": "Senast",
    "tasks.late": "Försenad",
    "tasks.pupil": "Elev",
    "tasks.number": "Personnummer",
    "tasks.unit": "Skolenhet",
    "tasks.protected": "Skyddade uppgifter",
    "tasks.no-name": "Namn saknas",
    "tasks.questions": "Frågor från andra huvudmän",
    "tasks.questions.text": (
        "En annan huvudman söker eller har eleven. Vem det är sägs inte. Svara först när någon har sett efter."
    ),
    "tasks.asks.CONFIRM": "Har eleven setts i skolan? En annan huvudman söker eleven brådskande.",
    "tasks.asks.OVERLAP": "Är eleven kvar här? En annan huvudman har länge uppgett att den har eleven.",
    "tasks.asks.ROLL_CALL": "Går eleven verkligen här? En annan huvudman söker en elev som länge varit inskriven här.",
    "tasks.asked-on": "Frågan ställdes {day}",
    "tasks.seen": "Har eleven setts i skolan?",
    "tasks.seen.text": (
        "Eleverna är nyinskrivna. En inskrivning visar inte att eleven har kommit. Svara inom fem skoldagar. "
        "Att eleven "
        "aldrig har kommit öppnar en eftersökning."
    ),
    "tasks.seen.since": "Inskriven från",
    "tasks.seen.attended": "Närvaro registrerad {day}",
    "tasks.seen.more": "{n} till visas när de här är besvarade.",
    "tasks.seen.on": "Sedd i skolan den",
    "tasks.seen.answer": "Svar om {name}",
    "tasks.save": "Spara svar",
    "tasks.absence": "Frånvaro att utreda",
    "tasks.absence.text": (
        "Ingen närvaro på minst fem skoldagar och ingen beviljad ledighet. Avgör i dag om det är problematisk frånvaro "
        "eller om eleven är saknad."
    ),
    "tasks.absence.since": "Senast i skolan",
    "tasks.absence.never": "ingen närvaro registrerad",
    "tasks.absence.valid": "Frånvaron är anmäld som giltig. Det är inte samma sak som beviljad ledighet.",
    "tasks.absence.swept": "Kom inte tillbaka efter lovet.",
    "tasks.not-placed": "Barn utan känd skola",
    "tasks.not-placed.text": ("Folkbokförda i skolpliktig ålder som inte går i skola här och vars skola inte är känd."),
    "tasks.not-placed.since": "Bosatt från",
    "tasks.sweep": "Uppföljning efter lov",
    "tasks.sweep.text": "Gå igenom vilka elever som inte har kommit tillbaka.",
    "tasks.sweep.since": "Skolstart",
    "tasks.sweep.legend": "Elever som inte har kommit",
    "tasks.sweep.hint": (
        "Markera dem som inte har kommit. För var och en skapas en frånvaro att utreda i dag. Har alla "
        "kommit sparar du "
        "utan att markera någon."
    ),
    "tasks.sweep.last": "senast {day}",
    "task.kind.SEEN": "Har eleven setts i skolan?",
    "task.kind.ABSENCE": "Frånvaro: problematisk eller saknad?",
    "task.kind.NOT_PLACED": "Barn utan känd skola",
    "task.kind.SWEEP": "Uppföljning efter lov",
    "task.step0": (
        "Före varje kontakt med familj, skola eller klasskamrater: fråga folkbokföringen. Är eleven skyddad, "
        "har eleven "
        "fått nytt personnummer, avlidit eller utvandrat?"
    ),
    "task.answer": "Svar",
    "task.choose": "Välj",
    "task.answer.SEEN": "Ja, eleven har setts i skolan",
    "task.answer.NOT_SEEN": "Nej, eleven har aldrig kommit",
    "task.answer.PROBLEMATIC": "Problematisk frånvaro: vi vet var eleven är",
    "task.answer.MISSING": "Saknad: vi vet inte var eleven är, eller når inte familjen",
    "task.answer.GONE": "Saknad och borta fast inskriven: sök eleven hos alla huvudmän i dag",
    "task.answer.LEAVE": "Beviljad ledighet eller känd sjukdom",
    "task.answer.BACK": "Tillbaka i skolan, eller fel i närvaron",
    "task.answer.NOT_PLACED": "Saknar skola: sök eleven",
    "task.answer.ELSEWHERE": "Går i en skola som vi känner till",
    "task.answer.NOT_DUE": "Har inte skolplikt just nu (beslut)",
    "task.answer.SWEPT": "Genomgånget",
    "task.on": "Dag",
    "task.on.SEEN": "Dag då eleven sågs",
    "task.on.ABSENCE": "Sista dagen i skolan (om eleven är borta fast inskriven)",
    "task.until": "Till och med (ledighet eller beslut)",
    "task.why": "Vad avgjorde det?",
    "task.why.hint": "Vem som svarade, när och vad. Texten stannar i kommunen och förvaras krypterad.",
    "task.answered": "Besvarad {day} av {by}",
    "task.dropped": "Uppgiften gäller inte längre.",
    "task.meanwhile": "Någon annan har redan svarat. Ditt svar är inte sparat.",
    "task.refused.title": "Svaret är inte sparat",
    "task.refused.nothing-chosen": "Välj ett svar.",
    "task.refused.not-of-kind": "Välj ett av svaren i listan.",
    "task.refused.why-missing": "Skriv vad som avgjorde det.",
    "task.refused.why-too-long": "Texten är för lång: högst 2 000 tecken. Skriv resten i ärendets journal.",
    "task.refused.day-missing": "Ange dagen, som 2026-10-19.",
    "task.refused.day-ahead": "Dagen har inte varit än. Ange en dag till och med i dag.",
    "task.refused.day-too-early": "Dagen är för tidig. Ange en dag då eleven var inskriven här.",
    "task.refused.until-missing": "Ange till och med vilken dag det gäller, som 2026-10-19.",
    "task.refused.until-past": "Dagen har redan varit. Ange en dag från och med i dag.",
    "task.refused.until-too-late": "Dagen ligger mer än ett år fram. Ange en tidigare dag.",
    "said.tasks-answered": "Svaret är sparat.",
    "said.tasks-wait": "Svaret är sparat. Registret får veta det först när en andra person har granskat uppgiften.",
    "said.task-file-opened": "Svaret är sparat och ett ärende är öppet.",
    "said.task-file-waits": (
        "Svaret är sparat och ett ärende är öppet. Registret får veta det först när en andra person har granskat "
        "uppgiften."
    ),
}
ENGLISH = {
    "nav.tasks": "Tasks",
    "tasks.title": "Tasks",
    "tasks.part": "Questions about the pupil",
    "tasks.part.attended": "Last recorded in school",
    "tasks.none": "No task waits.",
    "tasks.due": "Due",
    "tasks.late": "Late",
    "tasks.pupil": "Pupil",
    "tasks.number": "National number",
    "tasks.unit": "School unit",
    "tasks.protected": "Protected identity",
    "tasks.no-name": "No name",
    "tasks.questions": "Questions from other members",
    "tasks.questions.text": (
        "Another member looks for the pupil, or has the pupil too. Who it is is not told. Answer once "
        "somebody has looked."
    ),
    "tasks.asks.CONFIRM": "Has the pupil been seen in school? Another member looks for the pupil urgently.",
    "tasks.asks.OVERLAP": "Is the pupil still here? Another member has said for long that it has the pupil.",
    "tasks.asks.ROLL_CALL": (
        "Is the pupil really here? Another member misses a pupil who has long been enrolled here."
    ),
    "tasks.asked-on": "Asked on {day}",
    "tasks.seen": "Has the pupil been seen in school?",
    "tasks.seen.text": (
        "These pupils are newly enrolled. An enrolment does not show that a pupil has come. Answer within five school "
        "days. That a pupil never came opens a search."
    ),
    "tasks.seen.since": "Enrolled from",
    "tasks.seen.attended": "Attendance recorded {day}",
    "tasks.seen.more": "{n} more are shown once these are answered.",
    "tasks.seen.on": "Seen in school on",
    "tasks.seen.answer": "Answer about {name}",
    "tasks.save": "Save answers",
    "tasks.absence": "Absences to look into",
    "tasks.absence.text": (
        "No attendance for five school days or more, and no granted leave. Tell today whether it is "
        "problematic absence "
        "or the pupil is missing."
    ),
    "tasks.absence.since": "Last in school",
    "tasks.absence.never": "no attendance on record",
    "tasks.absence.valid": "The absence was reported as valid. That is not the same as granted leave.",
    "tasks.absence.swept": "Did not come back after the break.",
    "tasks.not-placed": "Children without a known school",
    "tasks.not-placed.text": "Residents of school age who go to no school here and whose school is not known.",
    "tasks.not-placed.since": "Resident since",
    "tasks.sweep": "After the break",
    "tasks.sweep.text": "Look through which pupils have not come back.",
    "tasks.sweep.since": "Term began",
    "tasks.sweep.legend": "Pupils who have not come",
    "tasks.sweep.hint": (
        "Mark those who have not come. For each an absence is made, to be looked into today. If everyone has "
        "come, save "
        "without marking anybody."
    ),
    "tasks.sweep.last": "last {day}",
    "task.kind.SEEN": "Has the pupil been seen in school?",
    "task.kind.ABSENCE": "Absence: problematic, or missing?",
    "task.kind.NOT_PLACED": "A child without a known school",
    "task.kind.SWEEP": "After the break",
    "task.step0": (
        "Before any contact with family, school or classmates: ask the population register. Is the pupil protected, "
        "renumbered, deceased, emigrated?"
    ),
    "task.answer": "Answer",
    "task.choose": "Choose",
    "task.answer.SEEN": "Yes, the pupil has been seen in school",
    "task.answer.NOT_SEEN": "No, the pupil never came",
    "task.answer.PROBLEMATIC": "Problematic absence: we know where the pupil is",
    "task.answer.MISSING": "Missing: we do not know where the pupil is, or cannot reach the family",
    "task.answer.GONE": "Missing and gone though enrolled: look for the pupil with all members today",
    "task.answer.LEAVE": "Granted leave or known illness",
    "task.answer.BACK": "Back in school, or a mistake in the attendance",
    "task.answer.NOT_PLACED": "Has no school: look for the pupil",
    "task.answer.ELSEWHERE": "Goes to a school that we know of",
    "task.answer.NOT_DUE": "Not under the duty to attend school now (decision)",
    "task.answer.SWEPT": "Looked through",
    "task.on": "Day",
    "task.on.SEEN": "Day on which the pupil was seen",
    "task.on.ABSENCE": "Last day in school (where the pupil is gone though enrolled)",
    "task.until": "Up to and with (leave or decision)",
    "task.why": "What decided it?",
    "task.why.hint": "Who answered, when and what. The text stays in the municipality and is kept encrypted.",
    "task.answered": "Answered {day} by {by}",
    "task.dropped": "The task no longer applies.",
    "task.meanwhile": "Somebody else has answered already. Your answer is not saved.",
    "task.refused.title": "The answer is not saved",
    "task.refused.nothing-chosen": "Choose an answer.",
    "task.refused.not-of-kind": "Choose one of the answers listed.",
    "task.refused.why-missing": "Write what decided it.",
    "task.refused.why-too-long": (
        "The text is too long: 2,000 characters at most. Write the rest in the case's journal."
    ),
    "task.refused.day-missing": "Give the day, as 2026-10-19.",
    "task.refused.day-ahead": "The day has not come yet. Give a day up to today.",
    "task.refused.day-too-early": "The day is too early. Give a day on which the pupil was enrolled here.",
    "task.refused.until-missing": "Say up to which day it holds, as 2026-10-19.",
    "task.refused.until-past": "The day has passed. Give today or a later day.",
    "task.refused.until-too-late": "The day is more than a year ahead. Give an earlier one.",
    "said.tasks-answered": "The answer is saved.",
    "said.tasks-wait": "The answer is saved. The registry is told once a second person has reviewed it.",
    "said.task-file-opened": "The answer is saved and a case file is open.",
    "said.task-file-waits": (
        "The answer is saved and a case file is open. The registry is told once a second person has reviewed it."
    ),
}
