"""How long a descriptor may take to reach everybody, and when a certificate is renewed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from federation import identity, pki, throwaway
from federation.clock import utc_now
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.renewal import LOOK_SECONDS, Renewal
from federation.rpc.admission import DEADLINE
from federation.settings import DaemonSettings, load
from federation.tls import OwnIdentity
from federation.travelling import POLL_SECONDS, REACHED_SECONDS
from federation.workers import LONGEST_FACTOR
from registry.certificates.joining import Strangers, network
from tests.conftest import MakeFederation
from tests.integration.rpc_parties import reissue, resign


class Settings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    record_key: Path


def test_a_descriptor_is_everywhere_within_a_minute() -> None:
    """The longest pause between two questions, and three calls that take as long as they may."""
    assert POLL_SECONDS <= 20
    assert POLL_SECONDS * LONGEST_FACTOR + 3 * DEADLINE == REACHED_SECONDS <= 60


def test_a_certificate_that_lasts_three_months_is_tried_for_a_month() -> None:
    assert timedelta(days=30) == pki.CERTIFICATE_LIFETIME / 3
    assert LOOK_SECONDS * LONGEST_FACTOR < 3_600


@pytest.fixture
def federation(make_federation: MakeFederation) -> throwaway.DevFederation:
    return make_federation("0180")


def renewal(federation: throwaway.DevFederation, later: timedelta) -> Renewal:
    settings = load(federation.node("0180"), Settings)
    descriptors = DescriptorStore.of(settings)
    own = OwnIdentity.of(settings, descriptors)
    return Renewal(settings.certificate, descriptors, own, list, Log(), now=lambda: utc_now() + later)


@pytest.mark.parametrize(("days", "is_due"), [(0, False), (59, False), (61, True), (89, True), (100, True)])
def test_a_certificate_is_due_when_a_third_of_its_life_is_left(
    federation: throwaway.DevFederation, days: int, is_due: bool
) -> None:
    reissue(federation, "node-0180", identity.node("0180"), lifetime=timedelta(days=90))
    assert renewal(federation, timedelta(days=days)).is_due() is is_due


def test_a_certificate_of_a_ca_that_is_no_longer_listed_is_due(federation: throwaway.DevFederation) -> None:
    due = renewal(federation, timedelta())
    assert not due.is_due()
    other = pki.make_ca("Another CA", utc_now())
    resign(federation, ca_certificates=[pki.certificate_pem(other.certificate).decode()])
    assert due.is_due()


def test_where_nobody_certifies_the_failure_is_told(federation: throwaway.DevFederation) -> None:
    with pytest.raises(UppropError) as error:
        renewal(federation, timedelta(days=80)).run()
    assert error.value.code is Code.CONFIG_INVALID


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("ipv4:192.0.2.1:5000", "ipv4:192.0.2.1:6000", True),
        ("ipv4:192.0.2.1:5000", "ipv4:192.0.2.2:5000", False),
        ("ipv6:%5B2001:db8::1%5D:5000", "ipv6:%5B2001:db8::ffff:1%5D:5001", True),
        ("ipv6:[2001:db8::1]:5000", "ipv6:[2001:db8:0:1::1]:5000", False),
        ("ipv6:[::ffff:192.0.2.1]:5000", "ipv4:192.0.2.1:6000", True),
        ("ipv6:[fe80::1%25eth0]:5000", "ipv6:[fe80::2]:5000", True),
    ],
)
def test_limits_of_strangers_are_by_network(one: str, other: str, together: bool) -> None:
    assert (network(one) == network(other)) is together


def test_what_is_remembered_of_strangers_does_not_grow_with_their_number() -> None:
    strangers = Strangers()
    buckets = {strangers.bucket(f"ipv4:10.{a}.{b}.1:1") for a in range(100) for b in range(250)}
    assert len(buckets) <= 4_096
