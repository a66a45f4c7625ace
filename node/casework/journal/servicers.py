"""The node's side of the control socket for the journal: requests to calls, results to messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from federation.control import Handlers
from federation.errors import Code, UppropError
from federation.v1 import control_pb2
from federation.web.i18n import Language, Texts
from node.casework.actor import Actor, Role
from node.casework.files.filing import NoSuchFileError
from node.casework.journal.exporting import Form, HandingOut
from node.casework.journal.keeping import JournalError
from node.casework.journal.verifying import Watching

PIECE = 1024 * 1024
TERMINAL = "terminal|"
"""Whoever works at the machine's own terminal is known by the name that is stated."""


def handlers(watching: Watching, handing_out: HandingOut, texts: Callable[[Language], Texts]) -> Handlers:
    def verify(_request: control_pb2.VerifyJournalRequest) -> control_pb2.VerifyJournalResponse:
        verified = watching.run()
        references = handing_out.references(flaw.file_id for flaw in verified.flaws)
        return control_pb2.VerifyJournalResponse(
            rows=verified.rows,
            flaws=[
                control_pb2.JournalFlaw(
                    position=flaw.position,
                    what=flaw.what.value,
                    reference=None if flaw.file_id is None else references.get(flaw.file_id),
                    known_by=None if flaw not in verified.known else verified.known[flaw].by,
                    known_on=None if flaw not in verified.known else verified.known[flaw].on.isoformat(),
                )
                for flaw in verified.flaws
            ],
        )

    def acknowledge(request: control_pb2.AcknowledgeJournalRequest) -> control_pb2.AcknowledgeJournalResponse:
        return control_pb2.AcknowledgeJournalResponse(flaws=watching.acknowledge(request.by))

    def export(request: control_pb2.ExportCaseFileRequest) -> Iterator[control_pb2.ExportCaseFileResponse]:
        roles = {Role.CASEWORKER, *([Role.PROTECTED] if request.protected else [])}
        actor = Actor(TERMINAL + request.by, request.by, frozenset(roles))
        if not request.by.strip():
            raise UppropError(Code.INPUT_REFUSED, "Say who hands it out: --by NAME.")
        words = texts(Language(request.language or Language.SWEDISH.value))
        try:
            file_id = handing_out.by_reference(request.reference.strip())
            made = handing_out.hand_out(file_id, Form(request.form), request.to, actor, words)
        except NoSuchFileError:
            raise UppropError(
                Code.INPUT_REFUSED,
                "There is no such case file, or it is not yours to see. Write its reference as it stands on its page, "
                "2026-00017; for the protected-identity role: --protected.",
            ) from None
        except JournalError:
            raise UppropError(Code.INPUT_REFUSED, "Say to whom it is handed out: --to WHOM.") from None
        for start in range(0, len(made.content), PIECE):
            yield control_pb2.ExportCaseFileResponse(piece=made.content[start : start + PIECE])

    return {"VerifyJournal": verify, "AcknowledgeJournal": acknowledge, "ExportCaseFile": export}
