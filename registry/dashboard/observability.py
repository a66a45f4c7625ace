"""What the dashboard logs and counts. No event and no label tells who asked, nor what."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from federation.observability import Event, Level

HEALTH = "/healthz"

STARTED = Event("dashboard_started", ("version", "http_port", "metrics_port", "shows", "clock"))
STOPPING = Event("dashboard_stopping", ("signal",))
STOPPED = Event("dashboard_stopped")
FAILED = Event("dashboard_failed", ("exception", "where"), Level.ERROR)
REFUSED = Event("dashboard_refused", ("code",), Level.WARNING)


def face_of(path: str) -> str | None:
    """`api` or `page`; None for what both need, static files and probes."""
    if path == HEALTH or path.startswith("/static/"):
        return None
    return "api" if path == "/api" or path.startswith("/api/") else "page"


class DashboardMetrics:
    """Made against the process's registry of metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "upprop_dashboard_answers",
            "HTTP requests answered, by face (api, page, other) and class of the status.",
            ("face", "status"),
            registry=registry,
        )


class CountedAnswers:
    """Counts what goes out."""

    def __init__(self, app: ASGIApp, *, metrics: DashboardMetrics) -> None:
        self._app = app
        self._answers = metrics.answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answers.labels(face_of(scope["path"]) or "other", f"{message['status'] // 100}xx").inc()
            await send(message)

        await self._app(scope, receive, counted if scope["type"] == "http" else send)
