"""Certificates are renewed while a member submits without a pause: nothing that was acknowledged is lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from federation import identity, throwaway
from federation.observability import Log
from federation.renewal import Renewal, from_registries
from federation.travelling import Registries
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports
from tests.integration.rpc_parties import reissue
from tests.integration.travelling_parties import (
    Load,
    Member,
    RunningDaemon,
    certificate_in,
    due,
    eventually,
    served_certificate,
)


@pytest.fixture
def federation(tmp_path: Path) -> throwaway.DevFederation:
    registry, one, two, joining = free_ports(4)
    return throwaway.dev(
        tmp_path / "federation",
        [throwaway.DevMember("0180"), throwaway.DevMember("1480")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry, (one, two), joining=joining),
        clock="system",
    )


def test_registry_and_node_renew_under_load_and_lose_no_acknowledgement(federation: throwaway.DevFederation) -> None:
    """The member does not even see a failure: calls under way end on the connection they began on."""
    node_certificate = federation.directory / "node-0180" / "tls.crt"
    with due(federation, "registry", "node-0180") as old, RunningDaemon(federation, federation.registry) as running:
        with Member(federation) as member, Load(member) as load:
            load.goes_on()
            member.work()
            eventually(lambda: served_certificate(federation, running.address).serial_number != old["registry"])
            eventually(lambda: certificate_in(node_certificate).serial_number != old["node-0180"])
            # Both sides go on with what is new: every connection from here on is opened with it.
            load.goes_on(20)
        assert load.refusals == []
        assert load.acknowledged == load.submitted
        assert load.submitted <= running.handles()
        assert running.own.expires == served_certificate(federation, running.address).not_valid_after_utc
        [issued] = [each for each in running.events("certificate_issued") if each["party"] == "upprop://node/0180"]
        assert issued["serial"] == f"{certificate_in(node_certificate).serial_number:x}"


def test_a_certificate_that_has_expired_is_renewed_where_none_is_asked_for(
    federation: throwaway.DevFederation,
) -> None:
    """The registry was away until the node's certificate expired; the node runs on, and heals by itself."""
    reissue(federation, "node-0180", identity.node("0180"), lifetime=timedelta(days=1))
    with RunningDaemon(federation, federation.registry) as running, Member(federation) as member:
        request = member.batch()
        expired = certificate_in(federation.directory / "node-0180" / "tls.crt").not_valid_after_utc
        later = Renewal(
            federation.directory / "node-0180" / "tls.crt",
            member.descriptors,
            member.own,
            from_registries(Registries(member.descriptors, member.own, now=lambda: expired)),
            Log(member.text),
            now=lambda: expired - timedelta(seconds=1),
        )
        later.run()
        assert running.events("rpc_refused") == []
        assert member.own.expires == certificate_in(federation.directory / "node-0180" / "tls.crt").not_valid_after_utc
        assert member.submit(request)


def test_where_another_pki_renews_nothing_is_asked_or_written(federation: throwaway.DevFederation) -> None:
    with (
        due(federation, "registry") as old,
        RunningDaemon(federation, federation.registry, renew_certificate=False) as running,
    ):
        assert not any(worker.name == "certificate" for worker in threading.enumerate())
        assert served_certificate(federation, running.address).serial_number == old["registry"]
