"""What the console says, in Swedish and in English, gathered from its subjects."""

from __future__ import annotations

import functools

from federation.web.i18n import Language, Texts
from node.console import wording_common
from node.console.board import wording as board
from node.console.case import wording as case
from node.console.contact import wording as contact
from node.console.duty import wording as duty
from node.console.figures import wording as figures
from node.console.holds import wording as holds
from node.console.imports import wording as imports
from node.console.journal import wording as journal
from node.console.lead import wording as lead
from node.console.login import wording as login
from node.console.quality import wording as quality
from node.console.routines import wording as routines
from node.console.search import wording as search
from node.console.sources import wording as sources
from node.console.worry import wording as worry

_SUBJECTS = (
    wording_common,
    login,
    board,
    search,
    case,
    contact,
    lead,
    holds,
    journal,
    routines,
    sources,
    figures,
    quality,
    imports,
    duty,
    worry,
)


@functools.cache
def texts(language: Language) -> Texts:
    areas = [
        subject.SWEDISH if language is Language.SWEDISH else subject.ENGLISH  # each subject has both
        for subject in _SUBJECTS
    ]
    return Texts(language, *areas)
