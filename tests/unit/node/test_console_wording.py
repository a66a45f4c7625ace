"""Every page of the console says the same in both languages, and every page of the menu has its word."""

from __future__ import annotations

from federation.web.i18n import Language, differences
from node.casework.routines.model import HelpKind
from node.console.pages import PAGES
from node.console.wording import texts


def test_both_languages_have_the_same_texts_with_the_same_parameters() -> None:
    assert differences(texts(Language.SWEDISH), texts(Language.ENGLISH)) == []


def test_pages_of_the_menu_and_kinds_of_help_have_words() -> None:
    words = texts(Language.SWEDISH)
    wanted = [f"nav.{page.name}" for page in PAGES if page.menu] + [f"help.kind.{kind.value}" for kind in HelpKind]
    assert [key for key in wanted if key not in words] == []


def test_no_two_pages_share_an_address() -> None:
    for language in Language:
        found = [page.pattern(language) for page in PAGES]
        assert sorted(found) == sorted(set(found))
