"""What a municipality reads: sentences in Swedish first, in English by switch.

A catalogue per language maps every key (`Text` for the commands, the kinds of `node.explain.findings` for
explanations) to a sentence; codes that sentences carry have their own words, the terms. It is a table in Python rather
than gettext or Fluent: keys are enumerations, so that mypy finds a key that does not exist, and a test finds one that a
language lacks, or says with other parameters; there is nothing to compile and no package to bring for the two plural
forms that both languages have. Pages use it as commands do: `words(key, name=value)`.

Form of a sentence: `{name}` is a value as it stands (days as 2026-10-19, the form of Swedish official texts);
`{number:elev|elever}` a number with the word that fits it; `{code!t}` the term for a code.

The terms of the field in Swedish, one for each word of the design:

    gap              saknad skolplacering   watch            bevakning
    case file        ärende                 open             öppet
    answered         redovisad (en annan huvudman har eleven; var sägs aldrig)
    ended            avslutad, skolplikten har upphört
    void             återtagen (uppgiften gällde aldrig)
    enrolment        inskrivning            presence         skolgång
    school unit      skolenhet              school type      skolform
    evaluator        nyckelhållare
    member           huvudman               home municipality  hemkommun
    duty             skolplikt              population register  folkbokföringen
    protected identity  skyddade personuppgifter
    registry         registret              notice           besked
    signal           uppgift (till registret)  parked        ej mottagen
    import           inläsning              baseline         första inläsningen
    school system    skolsystem             saying           anteckning
    review           granskning             held             väntar på bekräftelse
    lead             leder (ledningen)      urgent           brådskande
    close            dagsavslut             drill            övning
    guardian         vårdnadshavare         absence          frånvaro
    ledger           liggare                leaf             post (i liggaren)
    receipt          kvitto                 witness          vittne
    alarm            larm                   acknowledge      kvittera (ett larm)
"""

from __future__ import annotations

from node.wording.english import ENGLISH
from node.wording.swedish import SWEDISH
from node.wording.words import Catalogue, Language, Words

CATALOGUES = {Language.SWEDISH: SWEDISH, Language.ENGLISH: ENGLISH}

__all__ = ["CATALOGUES", "Catalogue", "Language", "Words", "words_in"]


def words_in(language: Language) -> Words:
    """The words of a language."""
    return Words(CATALOGUES[language], language)
