"""Whoever is on duty is written to: a case file opens, a clock runs out, a hold is due, another member makes contact.

The second on duty is, where nobody who works case files looks.

Invariants
    - The mail about a case file that opens is made in the transaction in which it opens; each occasion is mailed once.
    - No transaction is open while a mail server is spoken to. One that went out and was not noted goes out again, under
      the same Message-ID.
    - What cannot be sent is tried again until it is: it is never given up for the first on duty.
    - Of a case file of the protected-identity role only that role's duty is told. Whose it is, is asked when the mail
      is sent: it may have become that role's while the mail waited.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from email.message import EmailMessage
from typing import Protocol

from federation.clock import Clock
from federation.database import Database
from federation.observability import Event, Level, Log
from node.casework.actor import Role
from node.casework.files.filing import Change
from node.casework.files.model import CaseFile
from node.casework.mailing.letters import letter
from node.casework.mailing.model import MAILED_ROLES, SECOND, Duty, Mail, Occasion, on_duty, wait
from node.casework.mailing.post import NotSentError
from node.casework.mailing.settings import DEFAULT_SECOND_AFTER, MailSettings
from node.casework.routines.working import Routines
from node.store import Transaction, mailing
from node.store.files import Files
from node.store.mailing import Duties, Mails, MailState

LOOK_SECONDS = 60.0
TAKEN_FOR = timedelta(minutes=15)
"""Longer than a round of mails takes; a process that died in between is made up for after it."""
KEPT = timedelta(days=90)
DUTY_KEPT = timedelta(days=365)

NOT_SENT = Event("mail_not_sent", ("exception",), Level.WARNING)
NOBODY_ON_DUTY = Event("nobody_on_duty", (), Level.WARNING)


class Sends(Protocol):
    def send(self, message: EmailMessage) -> None:
        """Raises NotSentError."""
        ...


class Mailing:
    """Makes mails and sends them. `post` is None where no mail server is named: nothing is made then."""

    def __init__(
        self,
        database: Database,
        files: Files,
        routines: Routines,
        duties: Duties,
        clock: Clock,
        log: Log,
        *,
        settings: MailSettings | None,
        post: Sends | None,
        member: str,
        public_url: str,
        zone: Callable[[], tzinfo],
    ) -> None:
        self._database, self._files, self._routines, self._duties = database, files, routines, duties
        self._mails = Mails()
        self._clock, self._log = clock, log
        self._settings, self._post = settings, post
        self._member, self._public_url, self._zone = member, public_url, zone

    @property
    def sends(self) -> bool:
        return self._post is not None

    @property
    def second_after_minutes(self) -> int:
        return DEFAULT_SECOND_AFTER if self._settings is None else self._settings.second_after_minutes

    # -- making -----------------------------------------------------------------------------------------------------

    def opened(self, tx: Transaction, file: CaseFile) -> None:
        """For the hook `on_opened`."""
        self.tell(tx, Occasion.OPENED, file.file_id.hex(), _role(file), file)

    def changed(self, tx: Transaction, change: Change) -> None:
        """For the hook `on_changed`: one that is opened again, or is the other role's by now, is new to somebody."""
        before, after = change.before, change.after
        again = before.closed_on is not None and after.closed_on is None
        if again or (after.protected and not before.protected):
            key = f"{after.file_id.hex()}:{after.revision}"
            self.tell(tx, Occasion.OPENED, key, _role(after), after)

    def hold_due(self, tx: Transaction, hold_id: bytes, file: CaseFile | None, *, protected: bool) -> None:
        """For the hook `on_due` of holds; `file` is the pupil's open case file."""
        self.tell(tx, Occasion.HOLD, hold_id.hex(), Role.PROTECTED if protected else Role.CASEWORKER, file)

    def contact(self, tx: Transaction, file: CaseFile, key: str) -> None:
        """For the hook `on_news` of contacts."""
        self.tell(tx, Occasion.CONTACT, key, _role(file), file)

    def tell(self, tx: Transaction, occasion: Occasion, key: str, role: Role, file: CaseFile | None = None) -> None:
        """Write to whoever of a role is on duty; once for each key of an occasion."""
        if self._post is not None:
            self._mails.add(tx, occasion, key, role, self._clock.now(), file)

    # -- working ----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make what is due, and send what waits. To be called every minute."""
        self._database.run("mail_forget", self._forget)
        if self._post is None or self._settings is None:
            return
        self._database.run("mail_clocks", self._clocks)
        now = self._clock.now()
        patience = timedelta(minutes=self._settings.second_after_minutes)
        self._database.run("mail_seconds", lambda tx: self._mails.add_seconds(tx, now - patience, now))
        self._send(self._post, self._settings.sender)

    def _clocks(self, tx: Transaction) -> None:
        """A mail for each case file and day on which a clock of it runs out."""
        today = self._clock.today()
        due = {f"{each.file_id.hex()}:{each.due_on}": each.file_id for each in self._routines.due(tx, until=today)}
        for key in sorted(self._mails.unmade(tx, Occasion.CLOCK, due)):
            file = self._files.load(tx, due[key])
            if file is not None and file.shredded_on is None:
                self.tell(tx, Occasion.CLOCK, key, _role(file), file)

    def _send(self, post: Sends, sender: str) -> None:
        now, today = self._clock.now(), self._clock.today()
        taken = self._database.run("mail_take", lambda tx: self._take(tx, now))
        duties = self._database.view("mail_duties", lambda tx: self._duties.all(tx, today))
        nobody = False
        for mail in taken:
            to = on_duty(duties, mail.role, mail.place, today)
            if to is None and mail.place != SECOND:
                # Rather the second than nobody.
                to = on_duty(duties, mail.role, SECOND, today)
            if to is None:
                nobody = True
            self._end(mail, self._try(post, sender, mail, to))
        if nobody:
            self._log(NOBODY_ON_DUTY)

    def _take(self, tx: Transaction, now: datetime) -> tuple[Mail, ...]:
        """What is to be sent now, each to the duty of the role whose the case file is by now."""
        taken = self._mails.take(tx, now, now + TAKEN_FOR)
        files = {mail.file_id: self._files.load(tx, mail.file_id) for mail in taken if mail.file_id is not None}
        return tuple(
            replace(mail, role=Role.PROTECTED)
            if mail.file_id is not None and (file := files[mail.file_id]) is not None and file.protected
            else mail
            for mail in taken
        )

    def _try(self, post: Sends, sender: str, mail: Mail, to: Duty | None) -> MailState:
        if to is None:
            return MailState.DROPPED if mail.place == SECOND else MailState.WAITING
        zone, member, url = self._zone(), self._member, self._public_url
        try:
            post.send(letter(mail, to, sender=sender, member=member, public_url=url, zone=zone))
        except NotSentError as error:
            self._log(NOT_SENT, exception=str(error))
            return MailState.WAITING
        return MailState.SENT

    def _end(self, mail: Mail, state: MailState) -> None:
        now = self._clock.now()
        if state is MailState.WAITING:
            failed = functools.partial(self._mails.failed, mail=mail, again_at=now + wait(mail.tries))
            self._database.run("mail_failed", failed)
        else:
            self._database.run("mail_ended", functools.partial(self._mails.ended, mail=mail, state=state, at=now))

    def _forget(self, tx: Transaction) -> None:
        mailing.forget(tx, self._clock.now() - KEPT, self._clock.today() - DUTY_KEPT)

    # -- duty -------------------------------------------------------------------------------------------------------

    def duties(self) -> tuple[Duty, ...]:
        """Who is or will be on duty."""
        today = self._clock.today()
        return self._database.view("mail_duties", lambda tx: self._duties.all(tx, today))

    def lacking(self) -> tuple[Role, ...]:
        """The roles of which nobody is on duty today."""
        duties, today = self.duties(), self._clock.today()
        return tuple(
            role
            for role in MAILED_ROLES
            if on_duty(duties, role, 1, today) is None and on_duty(duties, role, SECOND, today) is None
        )

    def waiting_since(self) -> datetime | None:
        """When the oldest mail that has not gone out was made."""
        return self._database.view("mail_waiting", self._mails.waiting_since)

    def set_duty(
        self, role: Role, place: int, from_on: date, until_on: date | None, *, name: str, address: str
    ) -> None:
        """Put somebody on duty; the form has been checked (`node.casework.mailing.model.sound_address`)."""
        self._database.run(
            "duty_set",
            lambda tx: self._duties.add(tx, role, place, from_on, until_on, name=name, address=address),
        )

    def end_duty(self, duty_id: int) -> None:
        self._database.run("duty_end", lambda tx: self._duties.end(tx, duty_id))


def _role(file: CaseFile) -> Role:
    return Role.PROTECTED if file.protected else Role.CASEWORKER
