"""The page of the yearly report, and its files.

Who reads no case files, an administrator, is given what may be published: no small number, no protected identity.
"""

from __future__ import annotations

from starlette.responses import Response

from node.casework.actor import Role
from node.casework.quality.documents import Form, about
from node.casework.quality.model import Report
from node.casework.quality.reporting import NoSuchYearError
from node.casework.quality.tables import by_classification
from node.console.page import READERS, Page
from node.console.quality.chart import BAR, LABELS, WIDTH, chart
from node.console.visit import NoSuchPageError, Visit

ROLES = READERS | {Role.ADMINISTRATOR}


def show(visit: Visit) -> Response:
    reporting = visit.desk.reporting
    publish = not visit.actor.reads_cases
    report = _report(visit, visit.asked("year") or str(visit.desk.today().year), publish=publish)
    # The bars would tell what the table hides.
    numbers = [] if publish else [(visit.words(f"classification.{each}"), n) for each, n in by_classification(report)]
    return visit.show(
        "quality/quality.html",
        report=report,
        years=reporting.years(visit.actor),
        about=about(report, visit.words, publish=publish),
        tables=reporting.tables(report, visit.words, publish=publish),
        publish=publish,
        chart=chart(numbers),
        frame={"width": WIDTH, "labels": LABELS, "bar": BAR},
        forms=list(Form),
    )


def download(visit: Visit) -> Response:
    """The report as a file; `?publish=1` without small numbers."""
    publish = visit.asked("publish") == "1" or not visit.actor.reads_cases
    report = _report(visit, visit.part("year"), publish=publish)
    try:
        form = Form(visit.part("form"))
    except ValueError:
        raise NoSuchPageError from None
    content = visit.desk.reporting.document(form, report, visit.words, publish=publish)
    headers = {
        "Content-Disposition": f'attachment; filename="upprop-{report.year}.{form}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=form.media_type, headers=headers)


def _report(visit: Visit, year: str, *, publish: bool = False) -> Report:
    try:
        number = int(year) if year.isascii() and year.isdigit() else 0
        return visit.desk.reporting.report(number, visit.actor, publish=publish)
    except NoSuchYearError:
        raise NoSuchPageError from None


PAGES = (
    Page("quality", "arsrapport", "yearly-report", show, ROLES, menu=True),
    Page("quality-file", "arsrapport/{year}/{form}", "yearly-report/{year}/{form}", download, ROLES),
)
