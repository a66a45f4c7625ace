"""The guarantee and the accessibility statement in English."""

from __future__ import annotations

_ABOUT = {
    "about.title": "About the statistics",
    "about.lead": "The statistics show how many children are missing from school, where and for how long. They are "
    "made so that nobody, whatever else they know, can work out a single child.",
    "about.counts": "What is counted",
    "about.counts_1": "A case opens when a child has left a school, or has no school place, and no other school in the "
    "country has said within the waiting time that the child attends there. This is called an enrolment gap.",
    "about.counts_2": "The numbers are children with a new case. A child is counted once a year, in the municipality "
    "that first led the case and in the month it opened, even if the child has several cases that year.",
    "about.counts_3": "A case does not mean that something has happened to the child. Most are explained: the child "
    "has moved or started at another school.",
    "about.guarantee": "The guarantee in plain words",
    "about.guarantee_1": "Random noise is added to every number before it is released. The noise is so large that the "
    "numbers would look almost the same if any one child were not in them.",
    "about.guarantee_2": "How much can be said exactly: whoever has to guess whether a certain child is in a year's "
    "figures, and guesses right 50 times out of 100 without them, guesses right at most {guess} times out of 100 with "
    "all tables of that year. This holds whatever they know and however strong their computers are.",
    "about.guarantee_3": "The technical term is zero-concentrated differential privacy (zCDP), with ρ = {rho} for each "
    "cohort. It amounts to ε ≈ {epsilon} at δ = 0.000001.",
    "about.guarantee_4": "Noise is drawn once, from the operating system's secure random numbers, and never changes. "
    "Asking again gives the same answer, so the noise cannot be averaged away.",
    "about.public": "Why some numbers are missing",
    "about.public_1": "The figures that everyone sees have further noise. Where the noisy number is under 10, two dots "
    "(..) are shown instead. The noisy number decides, never the true one: so two dots say nothing certain of any "
    "child.",
    "about.public_2": "Where nobody in a municipality has reported, a colon (:) is shown. This is silence, not zero.",
    "about.interval": "How to read the interval",
    "about.interval_1": "The interval beside a number holds the right count in at least 95 cases out of 100. It "
    "describes the noise. It says nothing of children whom municipalities have not reported.",
    "about.interval_2": "Where the interval begins at 0 there may be no child at all. Do not compare such numbers, and "
    "do not rank municipalities whose intervals overlap.",
    "about.sums": "Why sums may differ",
    "about.sums_1": "Within a release municipalities, counties and the country add up. Months and years are drawn "
    "separately: the sum of twelve months is not exactly the year's number.",
    "about.not": "What the guarantee does not cover",
    "about.not_1": "A child with cases in several years is in several cohorts. Then the cohorts' ρ add up.",
    "about.not_2": "Conclusions about groups. The statistics are there to show that something is more common in one "
    "county than in another, and such things allow conclusions about those who live there too.",
    "about.not_3": "Those who already know that a certain child has a case. The statistics add nothing, but take "
    "nothing away.",
    "about.not_4": "The handling of cases in municipalities and in the registry. It is protected by other means than "
    "noise.",
    "about.not_5": "Which municipalities were silent. This is stated openly.",
    "about.not_6": "Errors in what was reported. A case may come from a wrong entry in a school's records.",
    "about.not_7": "Siblings who go missing together, and a child whom two municipalities know by different numbers. "
    "Each of them is protected, but the group, or the child that is counted twice, less than the numbers above say.",
    "about.use": "Use the figures in programs of your own",
    "about.use_1": "All tables are in an open programming interface in the manner of Statistics Sweden's (PxWebApi 2), "
    "as JSON-stat, CSV and Excel.",
    "about.use_link": "The programming interface's settings and limits",
    "about.use_tables": "The tables in the programming interface",
    "about.use_2": "Name Upprop and the release's identifier as the source, so that others can find the same number.",
}

_ACCESSIBILITY = {
    "accessibility.title": "Accessibility",
    "accessibility.lead": "Everyone should be able to use this site, however you read and steer your screen.",
    "accessibility.goal": "How well it does",
    "accessibility.goal_1": "The aim is level AA of WCAG 2.1, as the Swedish act on accessibility of digital public "
    "services (2018:1937) demands. Every page is tested against it in a real browser before a new version is put to "
    "use. We know of no shortcoming.",
    "accessibility.how": "How you can use it",
    "accessibility.how_1": "Everything can be reached by keyboard. The first tab stop on each page leads to the "
    "content.",
    "accessibility.how_2": "The map and the charts have all their values in a table on the same page.",
    "accessibility.how_3": "Nothing is told by colour alone: what is not a number has a pattern on the map and a "
    "symbol in the table.",
    "accessibility.how_4": "Pages follow the light or dark mode of your device, can be enlarged to 400 per cent and be "
    "printed.",
    "accessibility.how_5": "Pages work without JavaScript. All that falls away is reading values by pointing at the "
    "map.",
    "accessibility.contact": "If something does not work",
    "accessibility.contact_1": "Tell the authority that runs this site. If its answer does not help, report it to the "
    "Agency for Digital Government (Digg), which supervises.",
}

AREAS = (_ABOUT, _ACCESSIBILITY)
