"""The node's side of the control socket for the yearly report."""

from __future__ import annotations

from collections.abc import Callable

from federation.clock import Clock
from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.v1 import control_pb2
from federation.web.i18n import Language, Texts
from node.casework.actor import Actor, Role
from node.casework.quality.documents import Form
from node.casework.quality.reporting import NoSuchYearError, Reporting


def handlers(reporting: Reporting, texts: Callable[[Language], Texts], clock: Clock) -> Handlers:
    def report(request: control_pb2.QualityReportRequest) -> control_pb2.QualityReportResponse:
        roles = {Role.AUDITOR, *([Role.PROTECTED] if request.protected else [])}
        actor = Actor("terminal", "", frozenset(roles))
        words = texts(Language(request.language or Language.SWEDISH.value))
        try:
            found = reporting.report(request.year or clock.today().year, actor, publish=request.publish)
        except NoSuchYearError:
            raise UppropError(
                Code.INPUT_REFUSED,
                "Nothing can be told of that year. Give one from that of the first case file to the running one.",
            ) from None
        content = (
            reporting.document(Form(request.form), found, words, publish=request.publish)
            if request.form
            else reporting.text(found, words).encode()
        )
        return control_pb2.QualityReportResponse(content=content)

    return {"QualityReport": report}
