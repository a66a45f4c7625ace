"""What an evaluator's own things and its store tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from federation.descriptor import Descriptor
from federation.doctor.findings import Finding, Topic, failed, refused, warning, well
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.pki import read_private_signing_key
from privacy.evaluator.doctor.english import DoctorText
from privacy.evaluator.settings import EvaluatorSettings
from privacy.evaluator.shares import Shares
from privacy.evaluator.store import Transaction, usage, witness

NEAR = 0.9
WITNESSED_LONG_AGO = timedelta(hours=6)
"""The registry's checkpoints come by the hour, whether there are new leaves or not."""


def shares(settings: EvaluatorSettings, identity: Identity, descriptor: Descriptor) -> Iterator[Finding]:
    try:
        held = Shares(int(identity.name), settings.share_files, settings.share_dir)
        held.check(descriptor)
    except UppropError as error:
        yield refused(Topic.SHARES, error)
        return
    epochs = [each.epoch for each in descriptor.epochs]
    lacking = sorted(set(epochs) - {share.epoch for share in held.usable(descriptor)})
    for epoch in lacking:
        yield warning(Topic.SHARES, DoctorText.EPOCH_WITHOUT_SHARE, epoch=epoch)
    if not lacking:
        yield well(Topic.SHARES, DoctorText.SHARES_HELD, epochs=", ".join(map(str, epochs)))


def signing_key(settings: EvaluatorSettings, identity: Identity, descriptor: Descriptor) -> Iterator[Finding]:
    if settings.signing_key is None:
        if descriptor.ledger_key is not None:
            yield warning(Topic.KEYS, DoctorText.NO_WITNESS)
        return
    try:
        key = read_private_signing_key(settings.signing_key)
        if key.public_key().public_bytes_raw() == descriptor.evaluator(int(identity.name)).signing_key:
            yield well(Topic.KEYS, DoctorText.SIGNING_KEY_LISTED)
            return
        sentence = f"{settings.signing_key} is not the signing key that the descriptor lists. Restore the right one."
        yield refused(Topic.KEYS, UppropError(Code.CONFIG_INVALID, sentence))
    except UppropError as error:
        yield refused(Topic.KEYS, error)


def quotas(tx: Transaction, descriptor: Descriptor, today: date) -> Iterator[Finding]:
    """Who is near its limit. How much a member has asked for is no secret from the evaluator's administrator."""
    near = False
    for member, used in usage.used_by_all(tx, today).items():
        if not descriptor.has_member(member):
            continue
        limits = descriptor.quota(member)
        year, day = used.year / limits.year, used.day / limits.day
        if max(year, day) > NEAR:
            near = True
            yield warning(Topic.QUOTA, DoctorText.QUOTA_NEAR, member=member, year=int(100 * year), day=int(100 * day))
    if not near:
        yield well(Topic.QUOTA, DoctorText.QUOTAS_LEFT, percent=round(100 * NEAR))


def witnessed(tx: Transaction, now: datetime) -> Iterator[Finding]:
    refused_checkpoints = witness.refused(tx)
    if refused_checkpoints:
        yield failed(
            Topic.LEDGER,
            Code.LEDGER_CHECKPOINT_REFUSED,
            DoctorText.CHECKPOINTS_REFUSED,
            refused=refused_checkpoints,
        )
    newest = witness.seen(tx)
    if newest is None:
        yield warning(Topic.LEDGER, DoctorText.NOTHING_WITNESSED)
        return
    age = now - newest.cosigned_at
    hours = max(0, round(age.total_seconds() / 3_600))
    if age > WITNESSED_LONG_AGO:
        yield warning(Topic.LEDGER, DoctorText.WITNESSED_LONG_AGO, hours=hours)
    else:
        yield well(Topic.LEDGER, DoctorText.WITNESSED, hours=hours)
