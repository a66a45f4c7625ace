"""What the pages say, in Swedish and in English."""

from __future__ import annotations

import functools

from federation.web.i18n import Language, Texts
from registry.dashboard.wording import english, english_about, swedish, swedish_about

_AREAS = {
    Language.SWEDISH: (*swedish.AREAS, *swedish_about.AREAS),
    Language.ENGLISH: (*english.AREAS, *english_about.AREAS),
}


@functools.cache
def texts(language: Language) -> Texts:
    return Texts(language, *_AREAS[language])
