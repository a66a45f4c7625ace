"""The node, put together: the one place where its parts meet."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.control import Handlers
from federation.database import Database
from federation.descriptor import Descriptor
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.migration import check_schema
from federation.observability import Log, Metrics, Sampled
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import MemberId, Policy
from federation.runtime import LocalServer, PageServer, Worker
from federation.tls import ChannelCredentials, OwnIdentity
from node.casework import assembly as casework_assembly
from node.casework.first_steps import first_steps
from node.casework.parked import ParkedSignals
from node.casework.questions import Questions
from node.casework.routines.help import Directory
from node.casework.routines.leaflets import Leaflets
from node.casework.sayings import CaseworkSayings
from node.casework.silence import SilenceMetrics
from node.console.desk import Desk
from node.drill import servicers as drill
from node.drill.drilling import Drilling
from node.drill.observability import DrillMetrics
from node.drill.schedule import LOOK_SECONDS
from node.epochs import EpochLines
from node.evaluators import ASK_SECONDS, Evaluators
from node.explain import servicers as explain
from node.explain.checking import Checking
from node.explain.explainer import Explainer
from node.explain.findings import Finding
from node.ledger import servicers as ledger
from node.ledger.alarms import Alarms
from node.ledger.observability import LedgerMetrics
from node.ledger.sending import Sending
from node.ledger.watching import VERIFY_SECONDS, LedgerWatch
from node.observability import NodeMetrics
from node.pipeline import Pipeline
from node.push import servicers as push
from node.push.administration import PushClients
from node.push.admission import ClientAuthoriser
from node.push.certificates import EnrolmentCa, listening_names
from node.push.pushing import Pushing
from node.push.servicers import EnrolmentServicer
from node.records import servicers as records
from node.records.importing import Importing
from node.records.ss12000_api.fetching import Fetching
from node.records.ss12000_api.observability import FetchMetrics
from node.records.ss12000_api.schedule import LOOK_SECONDS as FETCH_LOOK_SECONDS
from node.records.ss12000_api.schedule import Schedule
from node.recovery import servicers as recovery
from node.recovery.copies import Copies
from node.retention import LOOK_SECONDS as RETENTION_LOOK_SECONDS
from node.retention import Retention
from node.roll_call.calling import RollCall
from node.sampling import EPOCH_SECONDS, EPOCHS, STANDING, Sampling
from node.servicers import Servicers
from node.settings import STORE_PACKAGE, NodeSettings, open_database, open_sealer
from node.store.case_keys import DIRECTORY as CASE_KEYS
from node.store.case_keys import CaseKeys
from node.store.fetches import Fetches
from node.store.gaps import Gaps
from node.store.imports import Imports
from node.store.notices import Notices
from node.store.outbox import Outbox
from node.store.pseudonyms import Pseudonyms
from node.store.pupils import Pupils
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.store.subjects import Subjects
from node.subject import servicers as subject
from node.subject.erasing import Erasing
from node.subject.exporting import Exporting
from node.subject.tombstones import Tombstones
from node.uplink import Uplink


@dataclass(frozen=True, slots=True)
class App:
    """A node. It takes no calls from outside and dials out; school systems of its own may call where it lets them."""

    member: MemberId
    database: Database
    importing: Importing
    sayings: CaseworkSayings
    pipeline: Pipeline
    uplink: Uplink
    handlers: Handlers
    workers: Sequence[Worker]
    desk: Desk
    services: Sequence[Binding] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    local_servers: Sequence[LocalServer] = ()
    page_servers: Sequence[PageServer] = ()

    def close(self) -> None:
        self.uplink.close()
        self.database.close()


def build(
    settings: NodeSettings,
    *,
    clock: Clock,
    metrics: Metrics,
    log: Log | None = None,
    descriptors: DescriptorStore | None = None,
    own: OwnIdentity | None = None,
) -> App:
    """The node of these settings; the caller holds the lock of its data directory.

    Raises UppropError: a schema that is not ours, a record key that does not open this store, a certificate or
    descriptor that is not in order.
    """
    log = log or Log(level=settings.log_level)
    descriptors = descriptors or DescriptorStore.of(settings, log)
    own = own or OwnIdentity.of(settings, descriptors, kind=Kind.NODE)
    member = own.identity.member
    sealer = open_sealer(settings)
    database = open_database(settings, metrics)

    def policy(stated: Policy) -> Policy:
        return replace(stated, upper_secondary=settings.upper_secondary)

    def descriptor() -> Descriptor:
        try:
            return descriptors.current()
        except UppropError:
            # Under an expired one no party is spoken to; what is imported or said is taken in all the same.
            return descriptors.last()

    def rules() -> tuple[Policy, SchoolCalendar]:
        return policy(descriptor().policy), descriptor().calendar(member)

    def steps() -> tuple[Finding, ...]:
        return first_steps(descriptor(), member)

    check_schema(database, STORE_PACKAGE)
    imports = Imports(sealer)
    if not database.run("node_key_check", imports.check_key):
        database.close()
        raise UppropError(
            Code.CONFIG_INVALID,
            f"The record key {settings.record_key} is not the one this store was begun with. Restore that one.",
        )
    own_metrics = NodeMetrics(metrics.registry)
    evaluators = Evaluators(own_metrics, descriptor, clock.now)
    case_keys = CaseKeys(settings.data_dir / CASE_KEYS, sealer)
    tombstones = Tombstones(settings.data_dir, sealer)
    erasing = Erasing(database, sealer, tombstones, clock, log, secrets.token_bytes, case_keys)
    sayings = CaseworkSayings(database, sealer, lambda: rules()[0], clock)
    casework = casework_assembly.build(
        settings,
        database=database,
        sealer=sealer,
        case_keys=case_keys,
        tombstones=tombstones,
        erasing=erasing,
        sayings=sayings,
        descriptor=descriptor,
        rules=rules,
        own=own,
        clock=clock,
        metrics=metrics,
        log=log,
    )

    def refused(system: str, code: Code | None) -> None:
        own_metrics.import_refused.labels(system).set(code is not None)
        casework.health.refused(system, code)

    importing = Importing(
        database,
        sealer,
        rules,
        clock,
        refused=refused,
    )
    fetching = Fetching(
        database=database,
        sealer=sealer,
        importing=importing,
        systems=settings.school_systems,
        clock=clock,
        metrics=FetchMetrics(metrics.registry),
        log=log,
    )
    fetching.show_last()
    schedule = Schedule(
        database, Fetches(sealer), fetching, settings.school_systems, clock, lambda: ZoneInfo(descriptor().zone)
    )
    uplink = Uplink(descriptors, ChannelCredentials(own), clock, metrics, evaluators.heard)
    drilling = Drilling(
        database=database,
        sealer=sealer,
        member=member,
        rules=rules,
        clock=clock,
        metrics=DrillMetrics(metrics.registry),
        log=log,
    )
    drilling.show_last()
    roll_call = RollCall(
        database=database,
        sealer=sealer,
        member=member,
        descriptor=descriptor,
        clock=clock,
        random_bytes=secrets.token_bytes,
        log=log,
        watch=evaluators,
    )
    ledger_metrics = LedgerMetrics(metrics.registry)
    alarms = Alarms(database, sealer, clock, ledger_metrics, log)
    alarms.show_last()
    watch = LedgerWatch(database, sealer, alarms, clock, ledger_metrics, log)
    watch.show_last()
    pipeline = Pipeline(
        database=database,
        sealer=sealer,
        descriptors=descriptors,
        member=member,
        links=uplink,
        clock=clock,
        random_bytes=secrets.token_bytes,
        log=log,
        drilling=drilling,
        silence=SilenceMetrics(metrics.registry),
        roll_call=roll_call,
        sending=Sending(database, sealer, member, alarms, own.sign, secrets.token_bytes),
        watch=watch,
        alarms=alarms,
        policy=policy,
        evaluators=evaluators,
        erasing=erasing,
        case_files=casework.case_files,
        holding=casework.holding,
        exchange=casework.exchange,
        leading=casework.leading,
    )
    ca = EnrolmentCa(settings.data_dir, member, listening_names(settings.enrolment_listen, settings.enrolment_names))
    pushing = Pushing(database, sealer, importing, clock)
    clients = PushClients(database, sealer, ca, clock, log)
    pupils, outbox = Pupils(sealer), Outbox(sealer)
    sampling = Sampling(database, imports, outbox, Pseudonyms(sealer), descriptor, clock)
    Sampled("standing", STANDING, sampling.standing, registry=metrics.registry, log=log)
    Sampled("epochs", EPOCHS, sampling.epochs, registry=metrics.registry, log=log, seconds=EPOCH_SECONDS)
    servicers = Servicers(
        database=database,
        sayings=sayings,
        pipeline=pipeline,
        gaps=Gaps(pupils),
        questions=Questions(pupils, Notices(), Sayings(sealer)),
        parked=ParkedSignals(pupils, outbox),
        imports=imports,
        clients=clients,
        fetching=fetching,
        outbox=outbox,
        subjects=Subjects(sealer),
        epochs=EpochLines(Pseudonyms(sealer), Notices(), descriptor),
        roll_call=roll_call,
        watch=watch,
        identity=own.identity.uri,
        first_steps=steps,
        today=clock.today,
    )
    handlers = {
        **servicers.handlers(),
        **records.handlers(importing, fetching, clock.today, log),
        **push.handlers(clients, ca, pushing),
        **drill.handlers(drilling, pipeline),
        **recovery.handlers(pipeline, Copies(database, case_keys)),
        **ledger.handlers(pipeline, alarms),
        **casework.handlers,
        **subject.handlers(Exporting(database, sealer, member, clock, log, case_keys), erasing),
        **explain.handlers(
            Explainer(database, sealer, rules, steps, clock),
            Checking(importing, sealer, pipeline.foreseeing, rules, clock),
        ),
    }
    workers = (
        Worker("sync", settings.sync_seconds, lambda: list(pipeline.sync())),
        Worker("fetch", FETCH_LOOK_SECONDS, schedule.fetch_what_is_due),
        *casework.workers,
        Worker("ledger", VERIFY_SECONDS, lambda: list(pipeline.verify_ledger())),
        Worker("retention", RETENTION_LOOK_SECONDS, Retention(database, descriptor, clock).run),
        Worker("evaluators", ASK_SECONDS, lambda: evaluators.ask(uplink.evaluators())),
        Worker("drill", LOOK_SECONDS, lambda: drilling.begin_if_due(settings.drill_days)),
    )
    local_servers: Sequence[LocalServer] = ()
    if settings.enrolment_listen is not None:
        local_servers = (
            LocalServer(
                "enrolment",
                settings.enrolment_listen,
                push.binding(EnrolmentServicer(pushing, casework.holding, clock)),
                ca.server_credentials,
                ClientAuthoriser(ca, database, log),
            ),
        )
    desk = Desk(
        answering=casework.answering,
        by_hand=casework.by_hand,
        case_files=casework.case_files,
        contacting=casework.contacting,
        database=database,
        gaps=casework.gaps,
        handing_out=casework.journals.handing_out,
        health=casework.health,
        help=Directory.of(settings.casework_dir),
        holding=casework.holding,
        journal=casework.journal,
        keeping=casework.journals.keeping,
        leading=casework.leading,
        leaflets=Leaflets.of(settings.casework_dir),
        mailing=casework.mailing,
        member_name=descriptor().member(member).name,
        naming=casework.naming,
        now=clock.now,
        reporting=casework.reporting,
        routines=casework.routines,
        searching=casework.searching,
        showing=casework.showing,
        sources=casework.sources,
        tasks=casework.tasks,
        today=clock.today,
        zone=lambda: ZoneInfo(descriptor().zone),
    )
    return App(
        member,
        database,
        importing,
        sayings,
        pipeline,
        uplink,
        handlers,
        workers,
        local_servers=local_servers,
        page_servers=_page_servers(settings, desk, sealer, clock, log),
        desk=desk,
    )


def _page_servers(settings: NodeSettings, desk: Desk, sealer: Sealer, clock: Clock, log: Log) -> Sequence[PageServer]:
    if settings.console is None:
        return ()
    from node.console.assembly import page_servers  # what renders pages: most processes of a node serve none

    return page_servers(settings.console, desk, sealer=sealer, clock=clock, log=log)
