"""The registry put together."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.coarse import Steps
from federation.control import Handlers
from federation.database import Database, closed_on_failure
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.identity import Kind
from federation.migration import check_schema
from federation.observability import Log, Metrics, Sampled
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.runtime import LocalServer, PageServer, Worker
from federation.tls import OwnIdentity
from registry.casework import servicers as casework
from registry.certificates import assembly as certificates
from registry.contact import servicers as contact
from registry.contact.relaying import CONTACT_ID_BYTES, HAND_ON_SECONDS, Contacts
from registry.copies.holding import Hold
from registry.epochs.changing import KEYS_SECONDS, Epochs
from registry.epochs.servicers import handlers as epoch_handlers
from registry.intake import Intake
from registry.keys import PseudonymKeys
from registry.ledger import assembly
from registry.ledger.assembly import Ledger
from registry.limits import servicers as limits_control
from registry.limits.waiting import Waitlist
from registry.mailbox import Mailbox
from registry.observability import RegistryMetrics
from registry.pipeline import Close
from registry.recovery import Recovery
from registry.retention import servicers as retention_control
from registry.retention.purging import LOOK_SECONDS as RETENTION_LOOK_SECONDS
from registry.retention.purging import Retention
from registry.roll_call import servicers as roll_call
from registry.roll_call.calling import RollCall
from registry.roll_call.servicers import RollCallServicer
from registry.sampling import EPOCH_SECONDS, EPOCHS, STANDING, Sampling
from registry.schedule import LOOK_SECONDS, close_due
from registry.servicers import RULES, RegistryServicer, binding, control_handlers
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.silence import servicers as silence_control
from registry.silence.seen import MembersSeen
from registry.statistics import servicers as statistics
from registry.statistics.asking import LOOK_SECONDS as QUESTIONS_LOOK_SECONDS
from registry.statistics.asking import Asking
from registry.statistics.describing import Describing
from registry.statistics.desk import Desk
from registry.statistics.outside import Outside
from registry.statistics.publishing import servicers as publishing
from registry.statistics.releasing import LOOK_SECONDS as RELEASES_LOOK_SECONDS
from registry.statistics.releasing import Releasing
from registry.statistics.servicers import StatisticsServicer


@dataclass(frozen=True, slots=True)
class App:
    """What a daemon runs and what tests look at."""

    services: Sequence[Binding]
    rules: Mapping[str, Rule]
    handlers: Handlers
    workers: Sequence[Worker]
    database: Database
    intake: Intake
    mailbox: Mailbox
    roll_call: RollCall
    daily_close: Close
    ledger: Ledger
    releasing: Releasing
    asking: Asking
    desk: Desk
    seen: MembersSeen
    local_servers: Sequence[LocalServer] = ()
    page_servers: Sequence[PageServer] = ()

    def close(self) -> None:
        """Release the witnesses and the store."""
        self.ledger.close()
        self.database.close()


def build(
    settings: RegistrySettings,
    *,
    clock: Clock,
    metrics: Metrics,
    descriptors: DescriptorStore | None = None,
    own: OwnIdentity | None = None,
    log: Log | None = None,
) -> App:
    """The registry its settings describe. Raises UppropError where secrets, descriptor or schema are not in order."""
    log = log or Log(level=settings.log_level)
    descriptors = descriptors or DescriptorStore.of(settings, log)
    in_force = descriptors.current
    own = own or OwnIdentity.of(settings, descriptors, kind=Kind.REGISTRY)
    keys = PseudonymKeys.read(settings.epoch_keys, settings.epoch_key_dir)
    admission = certificates.build(settings, descriptors=descriptors, own=own, log=log)
    steps = Steps()
    own_metrics = RegistryMetrics(metrics.registry, steps)
    database = open_database(settings, metrics)
    check_schema(database, STORE_PACKAGE)
    intake = Intake(database, keys, in_force, own_metrics, log)
    with closed_on_failure(database):
        ledger = assembly.build(
            settings,
            database,
            clock=clock,
            descriptors=in_force,
            own=own,
            metrics=metrics,
            log=log,
        )
    mailbox = Mailbox(database)
    called = RollCall(database, keys, in_force, secrets.SystemRandom())
    lease = timedelta(seconds=settings.lease_seconds)
    daily_close = Close(database, in_force, clock, own_metrics, log, secrets.token_bytes, called, lease)
    daily_close.show_last()
    outside = Outside(settings.data_dir)
    releasing = Releasing(database, in_force, clock, log, outside=outside)
    asking = Asking(database, in_force, clock, outside=outside)
    desk = Desk(database, asking, in_force, clock)
    retention = Retention(database, in_force, clock, own_metrics, log)
    epochs = Epochs(database, keys, in_force, clock, log)
    waiting = Hold(database, clock, log).unless_held
    seen = MembersSeen(clock.now)
    sampling = Sampling(database, descriptors.newest, clock, own_metrics, seen, steps)
    Sampled("standing", STANDING, sampling.standing, registry=metrics.registry, log=log)
    Sampled("epochs", EPOCHS, sampling.epochs, registry=metrics.registry, log=log, seconds=EPOCH_SECONDS)
    servicer = RegistryServicer(
        intake,
        mailbox,
        Recovery(database, keys, in_force),
        Describing(database, clock),
        ledger,
        clock,
        in_force,
    )
    contacts = Contacts(database, functools.partial(secrets.token_bytes, CONTACT_ID_BYTES))
    return App(
        services=[
            binding(servicer),
            roll_call.binding(RollCallServicer(called, clock, in_force)),
            contact.binding(contact.ContactServicer(contacts, clock, in_force)),
            casework.binding(casework.CaseworkServicer(database, clock, in_force)),
            statistics.binding(StatisticsServicer(desk, clock, in_force)),
            ledger.service,
            admission.service,
        ],
        rules={
            **RULES,
            **roll_call.RULES,
            **contact.RULES,
            **casework.RULES,
            **statistics.RULES,
            **ledger.rules,
            **admission.rules,
        },
        handlers={
            **control_handlers(daily_close, ledger, clock),
            **silence_control.handlers(database, in_force, clock, own.identity),
            **retention_control.handlers(retention),
            **publishing.handlers(releasing, asking.answer_waiting),
            **epoch_handlers(epochs, keys),
            **limits_control.handlers(Waitlist(database, clock)),
        },
        workers=[
            Worker("daily_close", LOOK_SECONDS, waiting(lambda: close_if_due(daily_close, clock, in_force()))),
            Worker("contacts", HAND_ON_SECONDS, lambda: contacts.hand_on(clock.today())),
            Worker("epoch_keys", KEYS_SECONDS, epochs.forget_gone),
            Worker("statistics", RELEASES_LOOK_SECONDS, waiting(releasing.run_if_due)),
            Worker("statistics_questions", QUESTIONS_LOOK_SECONDS, waiting(asking.answer_waiting)),
            Worker("retention", RETENTION_LOOK_SECONDS, waiting(retention.run_if_due)),
            *ledger.workers,
            *admission.workers,
        ],
        database=database,
        intake=intake,
        mailbox=mailbox,
        roll_call=called,
        daily_close=daily_close,
        ledger=ledger,
        releasing=releasing,
        asking=asking,
        desk=desk,
        local_servers=admission.local_servers,
        seen=seen,
    )


def close_if_due(daily_close: Close, clock: Clock, descriptor: Descriptor) -> None:
    """The daily close, where this evening's, or the last one that was missed, has not been."""
    begun, finished = daily_close.state()
    day = close_due(
        clock.now(),
        ZoneInfo(descriptor.zone),
        begun.closed_on if begun is not None else None,
        finished.finished_at if finished is not None else None,
    )
    if day is not None:
        daily_close.run(day)
