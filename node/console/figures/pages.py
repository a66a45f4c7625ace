"""The page of figures."""

from __future__ import annotations

from starlette.responses import Response

from federation.rules.vocabulary import CaseStatus
from node.casework.files.counting import figures, since
from node.casework.files.model import Classification
from node.console.figures.chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart
from node.console.page import READERS, Page
from node.console.visit import Visit
from node.store.file_counts import counted


def show(visit: Visit) -> Response:
    today = visit.desk.today()
    files = visit.desk.database.view("console_figures", lambda tx: counted(tx, since(today)))
    found = figures(files, visit.actor, today)
    return visit.show(
        "figures/figures.html",
        figures=found,
        chart=chart(found.months),
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP},
        statuses=[status for status in CaseStatus if found.by_status.get(status)],
        classifications=[each for each in Classification if found.by_classification.get(each)],
    )


PAGES = (Page("figures", "statistik", "figures", show, READERS, menu=True),)
