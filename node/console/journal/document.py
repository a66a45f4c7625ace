"""A case file on paper: a PDF for the authority that takes over. Names and texts are set as text, never as markup."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

FONT, BOLD = "Vera", "VeraBd"
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
        canvas.drawString(20 * mm, 10 * mm, foot)  # type: ignore[attr-defined]
        canvas.drawRightString(190 * mm, 10 * mm, str(canvas.getPageNumber()))  # type: ignore[attr-defined]

    body: list[Flowable] = [Paragraph(escape(title), _style("title", 16, bold=True, after=10))]
    for section in sections:
        head: list[Flowable] = [
            Paragraph(escape(section.heading), _style("heading", 11, bold=True, before=10, after=4))
        ]
        facts = [
            Paragraph(f'<font name="{BOLD}">{escape(label)}</font> {_lines(value)}' if label else _lines(value), _TEXT)
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
    return escape(text).replace("\n", "<br/>")


def _style(name: str, size: int, *, bold: bool = False, before: int = 0, after: int = 2) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=BOLD if bold else FONT, fontSize=size, leading=size * 1.35, spaceBefore=before, spaceAfter=after
    )


def _fonts() -> None:
    # The fonts that come with the library: those built into every reader lack letters of many names.
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (FONT, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


_TEXT = _style("text", 9)
