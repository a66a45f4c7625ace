"""Every page of the console says the same in both languages, and every page of the menu has its word."""

from __future__ import annotations

from federation.rules.vocabulary import GapState
from federation.web.i18n import Language, differences
from node.casework.contact.model import Ground
from node.casework.files.by_hand import Told
from node.casework.journal.model import BODY_KEYS, EntryKind
from node.casework.journal.telling import HIDDEN
from node.casework.questions import Asks
from node.casework.routines.model import HelpKind
from node.casework.tasks.model import Answer, TaskKind
from node.console.pages import PAGES
from node.console.wording import texts


def test_both_languages_have_the_same_texts_with_the_same_parameters() -> None:
    assert differences(texts(Language.SWEDISH), texts(Language.ENGLISH)) == []


def test_pages_of_the_menu_and_kinds_of_help_have_words() -> None:
    words = texts(Language.SWEDISH)
    wanted = [f"nav.{page.name}" for page in PAGES if page.menu] + [f"help.kind.{kind.value}" for kind in HelpKind]
    assert [key for key in wanted if key not in words] == []


def test_what_a_journal_entry_says_has_words() -> None:
    words = texts(Language.SWEDISH)
    wanted = [f"journal.field.{key}" for key in BODY_KEYS - HIDDEN - {"text"}]
    wanted += [f"journal.kind.{kind}" for kind in EntryKind]
    wanted += [f"gap.{state}" for state in GapState] + [f"task.answer.{answer}" for answer in Answer]
    wanted += [f"task.kind.{kind}" for kind in TaskKind] + [f"tasks.asks.{asks}" for asks in Asks]
    wanted += [f"worry.what.{told}" for told in Told] + [f"contact.ground.{ground}" for ground in Ground]
    assert [key for key in wanted if key not in words] == []


def test_every_look_that_the_log_of_views_may_hold_has_words() -> None:
    words = texts(Language.SWEDISH)
    looks = {page.name for page in PAGES if "{file}" in page.swedish or "{hold}" in page.swedish} | {"search", "export"}
    assert [look for look in looks if f"view.{look}" not in words] == []


def test_large_numbers_have_their_thousands_apart_as_the_language_has_them() -> None:
    said = [texts(language)("journal.note.most", most=100_000) for language in Language]
    assert ["100\N{NO-BREAK SPACE}000" in said[0], "100,000" in said[1]] == [True, True]


def test_no_two_pages_share_an_address() -> None:
    for language in Language:
        found = [page.pattern(language) for page in PAGES]
        assert sorted(found) == sorted(set(found))
