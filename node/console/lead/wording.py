"""What is said of the lead."""

from __future__ import annotations

SWEDISH = {
    "lead.heading": "Vem som leder",
    "lead.ours": "Vi leder ärendet. En annan huvudman söker också eleven.",
    "lead.theirs": "En annan huvudman leder ärendet.",
    "lead.offered": "Vi vill lämna över ledningen. Vi leder tills en annan huvudman har tagit över.",
    "lead.wanted": "Vi kan ta över ledningen. Det sker när den som leder vill lämna över.",
    "lead.offer": "Lämna över ledningen",
    "lead.keep": "Behåll ledningen",
    "lead.take": "Erbjud oss att ta över ledningen",
    "lead.decline": "Ta tillbaka erbjudandet",
    "lead.when": "Ansvaret byter hand vid registrets nästa dagliga stängning, aldrig utan att någon har det.",
    "journal.field.offers": "Vill lämna över ledningen",
    "journal.field.takes": "Kan ta över ledningen",
    "journal.value.offers.True": "ja",
    "journal.value.offers.False": "nej",
    "journal.value.takes.True": "ja",
    "journal.value.takes.False": "nej",
    "view.lead": "Ledningen av ärendet",
    "said.lead-saved": "Sparat. Det gäller från registrets nästa dagliga stängning.",
}
ENGLISH = {
    "lead.heading": "Who leads",
    "lead.ours": "We lead the case. Another member misses the pupil too.",
    "lead.theirs": "Another member leads the case.",
    "lead.offered": "We would hand the lead over. We lead until another member has taken it.",
    "lead.wanted": "We can take the lead. That happens once the lead would hand it over.",
    "lead.offer": "Hand the lead over",
    "lead.keep": "Keep the lead",
    "lead.take": "Offer to take the lead",
    "lead.decline": "Take the offer back",
    "lead.when": "The lead changes at the registry's next daily close, and at every moment somebody has it.",
    "journal.field.offers": "Would hand the lead over",
    "journal.field.takes": "Can take the lead",
    "journal.value.offers.True": "yes",
    "journal.value.offers.False": "no",
    "journal.value.takes.True": "yes",
    "journal.value.takes.False": "no",
    "view.lead": "The lead of the case",
    "said.lead-saved": "Saved. It counts from the registry's next daily close.",
}
