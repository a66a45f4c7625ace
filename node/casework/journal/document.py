"""A case file on paper: a PDF for the authority that takes over. Names and texts are set as text, never as markup.

The fonts hold the letters of Latin, Greek and Cyrillic scripts; a sign that they lack stands as its code, `[U+1230]`:
nothing is left out unseen.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
PART = 4_000
"""Characters of a text set as one paragraph: a longer one would not fit on a page."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, facts as (label, value), and paragraphs."""

    heading: str
    facts: Sequence[tuple[str, str]] = ()
    paragraphs: Sequence[str] = field(default=(), repr=False)


def pdf(title: str, sections: Sequence[Section], foot: str, language: str) -> bytes:
    """The document. `foot` stands on every page, with the page's number."""
    _fonts()
    made = io.BytesIO()
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=18 * mm,
        bottomMargin=20 * mm,
        title=title,
        lang=language,
        author="Upprop",
    )

    def page(canvas: object, _document: object) -> None:
        canvas.setFont(FONT, 8)  # type: ignore[attr-defined]  # reportlab's canvas has no stub
        canvas.drawString(20 * mm, 10 * mm, _settable(foot))  # type: ignore[attr-defined]
        canvas.drawRightString(190 * mm, 10 * mm, str(canvas.getPageNumber()))  # type: ignore[attr-defined]

    body: list[Flowable] = [Paragraph(_lines(title), _style("title", 16, bold=True, after=10))]
    for section in sections:
        head: list[Flowable] = [
            Paragraph(_lines(section.heading), _style("heading", 11, bold=True, before=10, after=4))
        ]
        facts = [
            Paragraph(f'<font name="{BOLD}">{_lines(label)}</font> {_lines(value)}' if label else _lines(value), _TEXT)
            for label, value in section.facts
        ]
        body.append(KeepTogether([*head, *facts[:2]]))
        body.extend(facts[2:])
        for paragraph in section.paragraphs:
            body.extend(Paragraph(_lines(part), _TEXT) for part in _parts(paragraph))
        body.append(Spacer(1, 3 * mm))
    document.build(body, onFirstPage=page, onLaterPages=page)
    return made.getvalue()


def _parts(text: str) -> list[str]:
    return [text[place : place + PART] for place in range(0, len(text), PART)] or [""]


def _lines(text: str) -> str:
    return escape(_settable(text)).replace("\n", "<br/>")


def _settable(text: str) -> str:
    """Without what turns the direction of writing or is no sign at all: it could hide what stands around it."""
    known = _fonts()
    signs = (sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cf"))
    return "".join(sign if ord(sign) in known or sign in "\n\t" else f"[U+{ord(sign):04X}]" for sign in signs)


def _style(name: str, size: int, *, bold: bool = False, before: int = 0, after: int = 2) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=BOLD if bold else FONT, fontSize=size, leading=size * 1.35, spaceBefore=before, spaceAfter=after
    )


@functools.cache
def _fonts() -> frozenset[int]:
    """Both registered; the signs that they can set."""
    # Those built into every reader, and those that come with the library, lack letters of many names.
    folder = Path(__file__).parent / "fonts"
    fonts = [TTFont(name, str(folder / f"{name}.ttf")) for name in (FONT, BOLD)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


_TEXT = _style("text", 9)
