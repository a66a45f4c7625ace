"""The ledger over the wire: what a member can check of it, who may ask, and what the operator's command says of it."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable

import pytest

from federation import checkpoint, files
from federation.errors import EXIT_LEDGER, EXIT_SECRET, Code, UppropError
from federation.rules import merkle
from federation.rules.canonical import batch_leaf, blinded_batch_digest
from federation.rules.vocabulary import MemberId
from federation.v1 import ledger_pb2, registry_pb2
from federation.v1.ledger_pb2_grpc import LedgerServiceStub
from registry.ledger.checkpoints import NEWEST_NAME
from registry.ledger.wire import as_sent
from registry.settings import DATABASE_NAME
from tests.conftest import MakeFederation
from tests.harness.signing import sign
from tests.integration.registry_parties import COMMAND, ROOT, SINCE, Caller, Server, refused, stated

Change = Callable[[registry_pb2.SubmitSignalsRequest, Caller, Caller], object]


def batch(caller: Caller, size: int = 2) -> registry_pb2.SubmitSignalsRequest:
    """A signed batch that has not been sent."""
    request = registry_pb2.SubmitSignalsRequest(
        envelope=caller.envelope(),
        batch_id=secrets.token_bytes(16),
        signals=[stated(secrets.token_bytes(32), leaves=True) for _ in range(size)],
    )
    sign(request, caller.member, caller.key)
    return request


def digest(request: registry_pb2.SubmitSignalsRequest, caller: Caller) -> bytes:
    sent = [as_sent(message) for message in request.signals]
    return blinded_batch_digest(MemberId(caller.member), request.batch_id, sent, request.batch_key)


class Ledger:
    """The ledger as one party asks about it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._stub = LedgerServiceStub(caller.peer.channel)

    def checkpoint(self) -> bytes:
        request = ledger_pb2.GetCheckpointRequest(envelope=self._caller.envelope())
        return self._caller.peer.call(self._stub.GetCheckpoint, request).checkpoint

    def inclusion(self, size: int, *indexes: int) -> list[list[bytes]]:
        request = ledger_pb2.GetInclusionProofsRequest(
            envelope=self._caller.envelope(), tree_size=size, leaf_indexes=indexes
        )
        answer = self._caller.peer.call(self._stub.GetInclusionProofs, request)
        assert [proof.leaf_index for proof in answer.proofs] == list(indexes)
        return [list(proof.hashes) for proof in answer.proofs]

    def consistency(self, first: int, second: int) -> list[bytes]:
        request = ledger_pb2.GetConsistencyProofRequest(
            envelope=self._caller.envelope(), first_size=first, second_size=second
        )
        return list(self._caller.peer.call(self._stub.GetConsistencyProof, request).hashes)


def test_a_receipt_leads_to_every_later_checkpoint(server: Server, callers: tuple[Caller, Caller]) -> None:
    first, second = callers
    key = first.descriptors.current().ledger_key
    assert key is not None
    request = batch(first)
    receipt = first.peer.call(first.stub.SubmitSignals, request).receipt
    told = checkpoint.verify(receipt.signed_checkpoint, key)
    leaf = merkle.leaf_hash(batch_leaf(receipt.salt, digest(request, first), receipt.stored_digest))
    [path] = Ledger(first).inclusion(told.size, receipt.leaf_index)
    merkle.verify_inclusion(leaf, receipt.leaf_index, told.size, path, told.root)

    for _ in range(3):
        second.submit(stated(secrets.token_bytes(32), leaves=False))
    server.close_day(SINCE)
    # Whoever else asks sees the same tree, and that it goes on from the one before.
    newest = checkpoint.verify(Ledger(second).checkpoint(), key)
    assert (told.size, newest.size) == (1, 5)
    merkle.verify_consistency(
        told.size, told.root, newest.size, newest.root, Ledger(second).consistency(told.size, newest.size)
    )
    [path] = Ledger(first).inclusion(newest.size, receipt.leaf_index)
    merkle.verify_inclusion(leaf, receipt.leaf_index, newest.size, path, newest.root)
    # The same batch again: the same leaf, under the newest checkpoint.
    again = first.peer.call(first.stub.SubmitSignals, request).receipt
    assert (again.leaf_index, again.salt, again.stored_digest) == (0, receipt.salt, receipt.stored_digest)
    assert checkpoint.verify(again.signed_checkpoint, key) == newest


def test_evaluators_may_ask_and_nobody_beyond_bounds(server: Server, callers: tuple[Caller, Caller]) -> None:
    first, _ = callers
    first.submit(stated(secrets.token_bytes(32), leaves=True))
    evaluator, registry = Caller(server, "evaluator-1"), Caller(server, "registry")
    with contextlib.closing(evaluator.peer), contextlib.closing(registry.peer):
        assert Ledger(evaluator).checkpoint() == Ledger(first).checkpoint()
        with pytest.raises(UppropError) as error:
            Ledger(registry).checkpoint()
        assert refused(error) is Code.METHOD_FORBIDDEN
    ledger = Ledger(first)
    assert ledger.inclusion(1, *[0] * 1_000) == [[]] * 1_000
    asked: list[tuple[Callable[[], object], Code]] = [
        (lambda: ledger.inclusion(1, *[0] * 1_001), Code.BATCH_TOO_LARGE),
        (lambda: ledger.inclusion(1, 1), Code.REQUEST_INVALID),
        (lambda: ledger.inclusion(2, 0), Code.REQUEST_INVALID),
        (lambda: ledger.inclusion(2**64 - 1, 0), Code.REQUEST_INVALID),
        (lambda: ledger.consistency(1, 0), Code.REQUEST_INVALID),
        (lambda: ledger.consistency(0, 2), Code.REQUEST_INVALID),
        (lambda: ledger.consistency(2**63, 2**64 - 1), Code.REQUEST_INVALID),
    ]
    for ask, code in asked:
        with pytest.raises(UppropError) as error:
            ask()
        assert refused(error) is code


def _sign_as(request: registry_pb2.SubmitSignalsRequest, caller: Caller, by: Caller) -> None:
    sign(request, caller.member, by.key)


CHANGES: dict[str, tuple[Change, Code]] = {
    "unsigned": (lambda request, _a, _b: request.ClearField("batch_signature"), Code.BATCH_UNSIGNED),
    "without its key": (lambda request, _a, _b: request.ClearField("batch_key"), Code.REQUEST_INVALID),
    "another key": (lambda request, _a, _b: setattr(request, "batch_key", bytes(32)), Code.BATCH_SIGNATURE_WRONG),
    "another member's key": (_sign_as, Code.BATCH_SIGNATURE_WRONG),
    "another member's name": (
        lambda request, caller, other: sign(request, other.member, caller.key),
        Code.BATCH_SIGNATURE_WRONG,
    ),
    "another id": (lambda request, _a, _b: setattr(request, "batch_id", bytes(16)), Code.BATCH_SIGNATURE_WRONG),
    "a signal less": (lambda request, _a, _b: request.signals.pop(), Code.BATCH_SIGNATURE_WRONG),
    "another date": (
        lambda request, _a, _b: setattr(request.signals[0].opening, "since", "2026-08-31"),
        Code.BATCH_SIGNATURE_WRONG,
    ),
    "another pseudonym": (
        lambda request, _a, _b: setattr(request.signals[0].pseudonyms[0], "value", bytes(32)),
        Code.BATCH_SIGNATURE_WRONG,
    ),
    "no DER": (lambda request, _a, _b: setattr(request, "batch_signature", b"\x30\x01"), Code.BATCH_SIGNATURE_WRONG),
    "over-long": (lambda request, _a, _b: setattr(request, "batch_signature", bytes(300)), Code.REQUEST_INVALID),
}


def test_a_batch_that_is_not_signed_as_it_is_sent_is_refused_whole(
    server: Server, callers: tuple[Caller, Caller]
) -> None:
    caller, other = callers
    for name, (change, code) in CHANGES.items():
        request = batch(caller)
        change(request, caller, other)
        with pytest.raises(UppropError) as error:
            caller.peer.call(caller.stub.SubmitSignals, request)
        assert refused(error) is code, name
    # None of them left a leaf, and a signal that is not understood is covered by the signature as the others are.
    request = batch(caller)
    request.signals[0].opening.since = "next week"
    request.signals[1].opening.kind = 77  # type: ignore[assignment]  # a kind of a later version
    sign(request, caller.member, caller.key)
    answer = caller.peer.call(caller.stub.SubmitSignals, request)
    assert [each.code for each in answer.dispositions] == ["SIGNAL_MALFORMED"] * 2
    assert answer.receipt.leaf_index == 0


def verify(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND[:-1], "ledger", "verify", "--config", str(server.federation.registry), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_finds_what_was_changed_while_the_registry_runs(
    server: Server, callers: tuple[Caller, Caller]
) -> None:
    caller, _ = callers
    for _ in range(3):
        caller.submit(stated(secrets.token_bytes(32), leaves=True))
    server.close_day(SINCE)
    whole = verify(server)
    assert whole.returncode == 0
    assert whole.stdout.startswith("The ledger of 4 leaves is whole")
    said = json.loads(verify(server, "--json").stdout)
    assert (said["size"], said["flaws"]) == (4, [])

    # A checkpoint that a member has kept is held against the ledger, too.
    kept = server.federation.directory / "kept.checkpoint"
    kept.write_bytes(Ledger(caller).checkpoint())
    assert verify(server, "--checkpoint", str(kept)).returncode == 0

    database = server.settings.data_dir / DATABASE_NAME
    with contextlib.closing(sqlite3.connect(database)) as superuser:
        superuser.execute(
            "UPDATE signals SET statement = '{}' WHERE ref = (SELECT s.ref FROM ledger_signals s "
            "JOIN ledger_batches b ON b.bundle = s.bundle WHERE b.leaf_index = 1)"
        )
        superuser.commit()
    broken = verify(server)
    assert broken.returncode == EXIT_LEDGER
    assert broken.stdout == "leaf 1: a signal that stands is not the one that was taken\n"
    assert "LEDGER_BROKEN" in broken.stderr
    said = json.loads(verify(server, "--json").stdout)
    assert [(flaw["kind"], flaw["leaf_index"]) for flaw in said["flaws"]] == [("SIGNAL_CHANGED", 1)]


def test_an_older_copy_is_found_and_not_gone_on_from(server: Server, callers: tuple[Caller, Caller]) -> None:
    caller, _ = callers
    caller.submit(stated(secrets.token_bytes(32), leaves=True))
    assert server.kill(signal.SIGTERM) == 0
    database = server.settings.data_dir / DATABASE_NAME
    copy = database.with_suffix(".copy")
    shutil.copy(database, copy)
    server.start()
    caller.submit(stated(secrets.token_bytes(32), leaves=True))
    assert server.kill(signal.SIGTERM) == 0
    shutil.copy(copy, database)

    found = verify(server)
    assert found.returncode == EXIT_LEDGER
    assert "leaf 1: a checkpoint was signed of a larger tree: the database was set back" in found.stdout
    refused_start = server.run("serve")
    assert refused_start.returncode == EXIT_LEDGER
    assert "upprop registry restore FILE --replace --set-back" in refused_start.stderr
    # Whoever goes on without that takes the checkpoint away; members and witnesses still have theirs.
    (server.settings.data_dir / NEWEST_NAME).unlink()
    server.start()
    assert caller.submit(stated(secrets.token_bytes(32), leaves=True)).receipt.leaf_index == 1


def test_a_registry_does_not_start_without_the_ledger_key_that_is_listed(make_federation: MakeFederation) -> None:
    server = Server(make_federation("0180", today=SINCE))
    server.start()
    assert server.kill(signal.SIGTERM) == 0
    config, key = server.federation.registry, server.federation.registry.parent / "ledger.key"
    made = subprocess.run(
        [*COMMAND, "keygen", "--ledger", "--out", str(key.with_name("other.key"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "upprop federation add ledger" in made.stdout
    assert key.with_name("other.key").stat().st_mode & 0o777 == 0o600
    content = config.read_text(encoding="utf-8")
    for changed in (
        content.replace('ledger_key = "ledger.key"', 'ledger_key = "other.key"'),
        content.replace('ledger_key = "ledger.key"\n', ""),
    ):
        assert changed != content
        config.write_text(changed, encoding="utf-8")
        failed = server.run("serve")
        assert (failed.returncode, "CONFIG_INVALID" in failed.stderr) == (3, True)
    config.write_text(content, encoding="utf-8")
    files.replace(key, key.with_name("other.key").read_bytes(), mode=0o640)
    failed = server.run("serve")
    assert (failed.returncode, "SECRET_MODE" in failed.stderr) == (EXIT_SECRET, True)
