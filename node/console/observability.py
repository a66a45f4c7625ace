"""What the console logs. No event tells who asked, nor for whom."""

from __future__ import annotations

from federation.observability import Event, Level

FAILED = Event("console_failed", ("exception", "where"), Level.ERROR)
CERTIFICATE_REFUSED = Event("console_certificate_refused", (), Level.ERROR)
LOGIN_REFUSED = Event("console_login_refused", ("reason",), Level.WARNING)
