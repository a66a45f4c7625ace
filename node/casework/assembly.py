"""Casework put together: what the municipality's people work with, and what works for them in the background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from federation.clock import Clock
from federation.control import Handlers
from federation.database import Database
from federation.descriptor import Descriptor
from federation.observability import Log, Metrics
from federation.rules.calendar import SchoolCalendar
from federation.rules.vocabulary import Policy
from federation.runtime import Worker
from federation.tls import OwnIdentity
from node.casework.contact import assembly as contact
from node.casework.contact.contacting import Contacting
from node.casework.contact.exchanging import Exchange
from node.casework.files.by_hand import ByHand
from node.casework.files.filing import CaseFiles
from node.casework.files.searching import Searching
from node.casework.files.showing import Showing
from node.casework.files.shredding import LOOK_SECONDS as SHRED_LOOK_SECONDS
from node.casework.files.shredding import Shredding
from node.casework.holds.holding import Holding
from node.casework.holds.webhook import LOOK_SECONDS as WEBHOOK_LOOK_SECONDS
from node.casework.holds.webhook import Webhooks
from node.casework.journal import assembly as journal_assembly
from node.casework.journal import servicers as journal_servicers
from node.casework.journal.assembly import Journals
from node.casework.journal.verifying import LOOK_SECONDS as JOURNAL_LOOK_SECONDS
from node.casework.mailing.post import Post
from node.casework.mailing.sending import LOOK_SECONDS as MAIL_LOOK_SECONDS
from node.casework.mailing.sending import Mailing
from node.casework.quality import servicers as quality_servicers
from node.casework.quality.reporting import Reporting
from node.casework.questions import Questions
from node.casework.routines.catalogue import Catalogue
from node.casework.routines.working import Routines
from node.casework.sayings import CaseworkSayings
from node.casework.sources import servicers as sources_servicers
from node.casework.sources.health import Health
from node.casework.sources.service import LOOK_SECONDS as SOURCES_LOOK_SECONDS
from node.casework.sources.service import Sources
from node.casework.statuses.leading import Leading
from node.casework.tasks.answering import Answering
from node.casework.tasks.naming import Naming
from node.casework.tasks.noticing import LOOK_SECONDS as NOTICING_LOOK_SECONDS
from node.console.wording import texts
from node.settings import NodeSettings
from node.store.case_keys import CaseKeys
from node.store.chain import Chain
from node.store.checklists import Checklists
from node.store.files import Files
from node.store.gaps import Gaps
from node.store.journal import Journal
from node.store.mailing import Duties
from node.store.notices import Notices
from node.store.pupils import Pupils
from node.store.sayings import Sayings
from node.store.sealing import Sealer
from node.store.tasks import Tasks
from node.subject.erasing import Erasing
from node.subject.tombstones import Tombstones


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What people use, what answers the terminal, and the workers."""

    answering: Answering
    by_hand: ByHand
    case_files: CaseFiles
    contacting: Contacting
    exchange: Exchange
    gaps: Gaps
    health: Health
    holding: Holding
    journal: Journal
    journals: Journals
    leading: Leading
    mailing: Mailing
    naming: Naming
    reporting: Reporting
    routines: Routines
    searching: Searching
    showing: Showing
    sources: Sources
    tasks: Tasks
    handlers: Handlers
    workers: Sequence[Worker]


def build(
    settings: NodeSettings,
    *,
    database: Database,
    sealer: Sealer,
    case_keys: CaseKeys,
    tombstones: Tombstones,
    erasing: Erasing,
    sayings: CaseworkSayings,
    descriptor: Callable[[], Descriptor],
    rules: Callable[[], tuple[Policy, SchoolCalendar]],
    own: OwnIdentity,
    clock: Clock,
    metrics: Metrics,
    log: Log,
) -> Services:
    """`descriptor` gives the last one that was accepted, expired or not; `rules` its policy and our calendar."""
    member = own.identity.member

    def calendar() -> SchoolCalendar:
        return rules()[1]

    def zone() -> ZoneInfo:
        return ZoneInfo(descriptor().zone)

    def name_of(other: str) -> str:
        return (descriptor().has_member(other) and descriptor().member(other).name) or other

    journal, files, pupils = Journal(case_keys, sealer), Files(case_keys), Pupils(sealer)
    gaps = Gaps(pupils)
    routines = Routines(
        Catalogue.of(settings.casework_dir),
        Checklists(),
        journal,
        rules,
        clock,
        lambda tx, file_id, actor: case_files.protect(tx, file_id, actor),  # noqa: PLW0108 - made below
    )
    mailing = Mailing(
        database,
        files,
        routines,
        Duties(sealer),
        clock,
        log,
        settings=settings.mail,
        post=None if settings.mail is None else Post(settings.mail),
        member=descriptor().member(member).name,
        public_url="" if settings.console is None else settings.console.public_url,
        zone=zone,
    )
    case_files = CaseFiles(
        database,
        files,
        journal,
        clock,
        on_opened=(routines.opened, mailing.opened),
        on_changed=(routines.changed, mailing.changed),
    )
    contacting, exchange = contact.build(
        database=database,
        sealer=sealer,
        keys=case_keys,
        files=files,
        journal=journal,
        own=own,
        clock=clock,
        name_of=name_of,
        on_news=mailing.contact,
    )
    sources = Sources(
        database=database,
        sealer=sealer,
        systems=settings.school_systems,
        calendar=calendar,
        zone=zone,
        clock=clock,
        log=log,
    )
    showing = Showing(case_files, files, gaps, pupils, routines, calendar, clock.today)
    journals = journal_assembly.build(
        database=database,
        sealer=sealer,
        keys=case_keys,
        case_files=case_files,
        files=files,
        journal=journal,
        showing=showing,
        data_dir=settings.data_dir,
        member=lambda: descriptor().member(member).name,
        zone=zone,
        clock=clock,
        metrics=metrics,
        log=log,
    )
    reporting = Reporting(database, routines.catalogue, calendar, lambda: name_of(member), clock)
    shredding = Shredding(
        database,
        case_keys,
        Chain(sealer),
        tombstones,
        routines,
        clock,
        log,
        years=settings.shred_years,
        erase=erasing.begin_aged,
    )
    return Services(
        answering=Answering(
            database=database,
            sealer=sealer,
            sayings=sayings,
            questions=Questions(pupils, Notices(), Sayings(sealer)),
            case_files=case_files,
            files=files,
            journal=journal,
            calendar=calendar,
            clock=clock,
        ),
        by_hand=ByHand(database, sealer, case_files, files, journal, sayings, clock),
        case_files=case_files,
        contacting=contacting,
        exchange=exchange,
        gaps=gaps,
        health=Health(database, sealer, settings.school_systems, calendar, clock),
        holding=Holding(database, sealer, case_files, files, journal, clock, mailing.hold_due),
        journal=journal,
        journals=journals,
        leading=Leading(database, case_files, journal, clock),
        mailing=mailing,
        naming=Naming(sealer),
        reporting=reporting,
        routines=routines,
        searching=Searching(database, sealer, files, journal, clock),
        showing=showing,
        sources=sources,
        tasks=Tasks(sealer),
        handlers={
            **sources_servicers.handlers(sources),
            **journal_servicers.handlers(journals.watching, journals.handing_out, texts),
            **quality_servicers.handlers(reporting, texts, clock),
        },
        workers=(
            Worker("webhooks", WEBHOOK_LOOK_SECONDS, Webhooks(database, sealer, settings.webhooks, clock, log).run),
            Worker("shredding", SHRED_LOOK_SECONDS, shredding.run),
            Worker("journal", JOURNAL_LOOK_SECONDS, journals.watching.run),
            Worker("attendance", SOURCES_LOOK_SECONDS, sources.fetch_what_is_due),
            Worker("noticing", NOTICING_LOOK_SECONDS, sources.noticing.look_if_new),
            Worker("mail", MAIL_LOOK_SECONDS, mailing.run),
        ),
    )
