"""The evaluator, put together."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.clock import Clock
from federation.coarse import Steps
from federation.control import Handlers
from federation.database import Database, closed_on_failure
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.identity import Kind
from federation.migration import check_schema
from federation.observability import Log, Metrics, Sampled
from federation.pki import read_private_signing_key
from federation.rpc.authorisation import Rule
from federation.rpc.server import Binding
from federation.runtime import LocalServer, PageServer, Worker
from federation.tls import OwnIdentity
from privacy.evaluator.acceptance import open_descriptors
from privacy.evaluator.destruction import Destruction
from privacy.evaluator.evaluation import Evaluation
from privacy.evaluator.observability import (
    EPOCH_WITHOUT_SHARE,
    SHARE_UNLISTED,
    WITNESS_WITHOUT_KEY,
    EvaluatorMetrics,
)
from privacy.evaluator.sampling import STANDING, Sampling
from privacy.evaluator.servicers import RULES, EvaluatorServicer, binding, control_handlers, destroy_handler
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.evaluator.shares import Shares
from privacy.evaluator.store import destroyed
from privacy.evaluator.witness import servicers as witness_servicers
from privacy.evaluator.witness.quotas import QuotaReports
from privacy.evaluator.witness.servicers import WitnessServicer
from privacy.evaluator.witness.witnessing import Witness

FORGET_SECONDS = 6 * 3_600.0


@dataclass(frozen=True, slots=True)
class App:
    """What a daemon runs and what tests look at."""

    database: Database
    evaluation: Evaluation
    witness: Witness
    services: Sequence[Binding]
    workers: Sequence[Worker]
    handlers: Handlers
    rules: Mapping[str, Rule] = field(default_factory=lambda: {**RULES, **witness_servicers.RULES})
    local_servers: Sequence[LocalServer] = ()
    page_servers: Sequence[PageServer] = ()

    def close(self) -> None:
        """Release the store."""
        self.database.close()


def build(
    settings: EvaluatorSettings,
    *,
    clock: Clock,
    metrics: Metrics,
    descriptors: DescriptorStore | None = None,
    own: OwnIdentity | None = None,
    log: Log | None = None,
) -> App:
    """The evaluator its settings describe. Raises UppropError for settings, secrets or a schema not in order."""
    log = log or Log(level=settings.log_level)
    descriptors = descriptors or open_descriptors(settings, log)
    own = own or OwnIdentity.of(settings, descriptors, kind=Kind.EVALUATOR)
    shares = Shares(int(own.identity.name), settings.share_files, settings.share_dir, log)
    signing_key = _signing_key(settings, shares.index, descriptors, log)
    database = open_database(settings, metrics)
    check_schema(database, STORE_PACKAGE)
    with closed_on_failure(database):
        shares.leave_out(database.view("evaluator_shares_destroyed", destroyed.all_of_them))
        _check(shares, descriptors, log)
    steps = Steps()
    own_metrics = EvaluatorMetrics(metrics.registry, steps, clock.today)
    sampling = Sampling(database, shares, descriptors.newest, clock, steps)
    Sampled("standing", STANDING, sampling.standing, registry=metrics.registry, log=log)
    evaluation = Evaluation(database, shares, descriptors.current, secrets.token_bytes, own_metrics)
    servicer = EvaluatorServicer(evaluation, clock, descriptors.current)
    witness = Witness(
        database=database,
        index=shares.index,
        signing_key=signing_key,
        descriptors=descriptors.current,
        now=clock.now,
        metrics=own_metrics,
        log=log,
    )
    witness.show_last()
    quotas = QuotaReports(database, shares.index, signing_key, secrets.token_bytes)
    return App(
        database=database,
        evaluation=evaluation,
        witness=witness,
        services=[
            binding(servicer),
            witness_servicers.binding(WitnessServicer(witness, quotas, clock, descriptors.current)),
        ],
        handlers={
            **control_handlers(evaluation, witness, own.identity, clock, descriptors.current, log),
            "DestroyShare": destroy_handler(Destruction(database, shares, descriptors.current, clock, log)),
        },
        workers=[Worker("forget_requests", FORGET_SECONDS, lambda: evaluation.forget(clock.today()))],
    )


def _signing_key(
    settings: EvaluatorSettings, index: int, descriptors: DescriptorStore, log: Log
) -> Ed25519PrivateKey | None:
    """The key of a witness; UppropError(CONFIG_INVALID) where it is not the one that the descriptor lists."""
    if settings.signing_key is None:
        if descriptors.current().ledger_key is not None:
            log(WITNESS_WITHOUT_KEY)
        return None
    key = read_private_signing_key(settings.signing_key)
    if key.public_key().public_bytes_raw() != descriptors.current().evaluator(index).signing_key:
        raise UppropError(
            Code.CONFIG_INVALID,
            f"{settings.signing_key} is not the signing key that the descriptor lists for evaluator {index}. "
            "Restore the right one.",
        )
    return key


def _check(shares: Shares, descriptors: DescriptorStore, log: Log) -> None:
    descriptor = descriptors.current()
    shares.check(descriptor)
    usable = shares.usable(descriptor)
    for share in shares.held():
        if share not in usable:
            log(SHARE_UNLISTED, epoch=share.epoch, version=share.version)
    for epoch in {epoch.epoch for epoch in descriptor.epochs} - {share.epoch for share in usable}:
        log(EPOCH_WITHOUT_SHARE, epoch=epoch)
