"""Whether whoever is on duty is told: somebody is, and what is written goes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from federation.doctor.findings import Finding, Topic, warning, well
from node.casework.mailing.model import FIRST, MAILED_ROLES, SECOND, on_duty
from node.doctor.texts import DoctorText
from node.store import Transaction
from node.store.mailing import Duties, Mails
from node.store.sealing import Sealer

WAITS_LONG = timedelta(minutes=30)


def mails(tx: Transaction, sealer: Sealer, today: date, now: datetime) -> Iterator[Finding]:
    """For a node with a mail server. The roles are named, and never whether there is anything to tell them."""
    duties = Duties(sealer).all(tx, today)
    lacking = [
        role.value
        for role in MAILED_ROLES
        if on_duty(duties, role, FIRST, today) is None and on_duty(duties, role, SECOND, today) is None
    ]
    if lacking:
        yield warning(Topic.BACKLOG, DoctorText.NOBODY_ON_DUTY, roles=", ".join(lacking))
    since = Mails().waiting_since(tx)
    if since is not None and now - since > WAITS_LONG:
        yield warning(Topic.BACKLOG, DoctorText.MAILS_WAIT, since=since.strftime("%Y-%m-%d %H:%M UTC"))
    elif not lacking:
        yield well(Topic.BACKLOG, DoctorText.MAILS_GO_OUT)
