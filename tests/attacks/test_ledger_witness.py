"""A witness is asked to co-sign two histories, or by somebody who is not the registry: it signs one, once."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select

from federation import identity
from federation.checkpoint import Checkpoint, sign, verify, verify_cosignatures
from federation.descriptor import parse_file
from federation.errors import Code, UppropError
from federation.observability import Log
from federation.pki import read_private_signing_key
from federation.rpc.client import Peer
from federation.rpc.envelope import make_envelope
from federation.rules.merkle import Frontier, Node, consistency_path, leaf_hash
from federation.tls import ChannelCredentials
from federation.v1 import ledger_pb2, ledger_pb2_grpc
from privacy.evaluator.store.schema_witness import refusals, witnessed
from registry.store import ledger
from tests.attacks.ledger_parties import seal
from tests.attacks.ledger_parties import verify as verify_ledger
from tests.integration.node_parties import Federation, running
from tests.integration.rpc_parties import Party
from tests.unit.node.exports import person

DAY = date(2026, 8, 24)
HONEST = [leaf_hash(bytes([number])) for number in range(40)]
FORGED = [*HONEST[:7], leaf_hash(b"forged"), *HONEST[8:]]
"""The eighth leaf is another one."""


@dataclass
class Asked:
    """Evaluator 1 as a witness, and a registry that says what it likes."""

    federation: Federation
    key: Ed25519PrivateKey
    peer: Peer

    def note(self, leaves: list[bytes], size: int, key: Ed25519PrivateKey | None = None) -> bytes:
        return sign(Checkpoint(size, Frontier.of(leaves[:size]).root()), key or self.key)

    def add(
        self, leaves: list[bytes], size: int, old: int, *, path: list[bytes] | None = None, note: bytes | None = None
    ) -> ledger_pb2.AddCheckpointResponse:
        descriptor = self.federation.nodes["0180"].app.pipeline._descriptors.current()
        request = ledger_pb2.AddCheckpointRequest(
            envelope=make_envelope(self.federation.clock, descriptor),
            checkpoint=note or self.note(leaves, size),
            old_size=old,
            consistency_proof=proof(leaves, old, size) if path is None else path,
        )
        stub = ledger_pb2_grpc.WitnessServiceStub(self.peer.channel)
        return self.peer.call(stub.AddCheckpoint, request, 10.0, attempts=1)

    def refused(self, *args: object, **options: object) -> Code:
        with pytest.raises(UppropError) as error:
            self.add(*args, **options)  # type: ignore[arg-type]  # passed through
        return error.value.code

    def seen(self) -> bytes:
        """What a member is shown."""
        [witness, *_] = self.federation.nodes["0180"].app.uplink.witnesses()
        return witness.witnessed()


def proof(leaves: list[bytes], old: int, size: int) -> list[bytes]:
    tree: dict[tuple[int, int], bytes] = {}
    frontier = Frontier()
    for leaf in leaves[:size]:
        nodes: list[Node] = frontier.completed(leaf)
        tree.update({(node.level, node.index): node.hash for node in nodes})
        frontier = frontier.append(leaf)
    return consistency_path(old, size, lambda level, index: tree[level, index]) if old <= size else []


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    with running(tmp_path / "federation", ["0180"], DAY) as federation:
        [first, *_] = parse_file(federation.every_epoch).evaluators
        key = read_private_signing_key(federation.dev.registry.parent / "ledger.key")
        peer = Peer(first.identity, first.address, ChannelCredentials(Party(federation.dev, "registry").own()))
        yield Asked(federation, key, peer)
        peer.close()


def test_what_continues_is_cosigned_and_shown_to_members(asked: Asked) -> None:
    assert asked.seen() == b""
    answer = asked.add(HONEST, 3, 0)
    assert answer.seen_size == 3
    answer = asked.add(HONEST, 11, 3)
    evaluators = parse_file(asked.federation.every_epoch).evaluators
    note = asked.note(HONEST, 11) + answer.cosignature
    assert verify_cosignatures(note, evaluators).keys() == {1}
    assert asked.seen() == note
    assert verify(asked.seen(), asked.key.public_key().public_bytes_raw()).size == 11


def test_a_registry_that_believes_in_another_size_is_told_the_right_one(asked: Asked) -> None:
    asked.add(HONEST, 5, 0)
    answer = asked.add(HONEST, 9, 3)
    assert (answer.cosignature, answer.seen_size) == (b"", 5)
    # Nor does an older one, sound as it is, take its place.
    answer = asked.add(HONEST, 4, 0)
    assert (answer.cosignature, answer.seen_size) == (b"", 5)
    assert verify(asked.seen(), asked.key.public_key().public_bytes_raw()).size == 5


def test_a_witness_whose_database_was_set_back_says_so_and_members_see_it(asked: Asked) -> None:
    """It could be led to co-sign another history from there on: what it has forgotten, others remember."""
    [node] = asked.federation.nodes.values()
    node.sync()
    seal(asked.federation)
    seal(asked.federation)
    assert verify_ledger(node).problems == ()
    with asked.federation.apps[1].database.transaction("test_set_back") as tx:
        tx.execute(delete(witnessed))
    lines = io.StringIO()
    witness = asked.federation.apps[1].witness
    witness._log = Log(lines)
    size = asked.federation.registry_app.ledger.checkpoints.size()  # type: ignore[union-attr]
    asked.add(HONEST, size + 1, size)
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["witness_set_back"]
    # An older tree of the same ledger is all that it can show.
    with asked.federation.registry_app.database.read("test_tree") as tx:
        first = ledger.nodes(tx, {(0, 0)})[0, 0]
    witness.add(sign(Checkpoint(1, first), asked.key), 0, [])
    assert any("Witness 1 has forgotten" in problem for problem in verify_ledger(node).problems)


def test_another_root_of_the_same_size_is_refused_and_kept_as_evidence(asked: Asked) -> None:
    asked.add(HONEST, 10, 0)
    before = asked.seen()
    assert asked.refused(FORGED, 10, 10, path=[]) is Code.LEDGER_PROOF_REFUSED
    assert asked.seen() == before
    witness = asked.federation.apps[1].witness
    assert witness.refused() == 1
    with witness._database.read("test_refusals") as tx:
        [row] = tx.execute(select(refusals)).all()
    assert row.checkpoint == asked.note(FORGED, 10)
    assert row.seen == before
    metrics = asked.federation.measured["evaluator-1"]
    assert metrics.get_sample_value("upprop_witness_checkpoints_refused") == 1.0
    # In steps, at a place that nobody knows: ten leaves have reached the first or not.
    assert metrics.get_sample_value("upprop_witness_tree_size") in (0.0, 1000.0)


@pytest.mark.parametrize("flaw", ["another history", "no proof", "a shorter tree", "the proof of another size"])
def test_what_does_not_continue_is_refused(asked: Asked, flaw: str) -> None:
    asked.add(HONEST, 10, 0)
    before = asked.seen()
    attempts = {
        "another history": lambda: asked.refused(FORGED, 20, 10),
        "no proof": lambda: asked.refused(HONEST, 20, 10, path=[]),
        "a shorter tree": lambda: asked.refused(HONEST, 9, 10),
        "the proof of another size": lambda: asked.refused(HONEST, 20, 10, path=proof(HONEST, 9, 20)),
    }
    assert attempts[flaw]() is Code.LEDGER_PROOF_REFUSED
    assert asked.seen() == before


def test_a_checkpoint_signed_with_another_key_is_refused(asked: Asked) -> None:
    note = asked.note(HONEST, 10, Ed25519PrivateKey.generate())
    assert asked.refused(HONEST, 10, 0, note=note) is Code.LEDGER_CHECKPOINT_REFUSED
    assert asked.seen() == b""


def test_the_registry_alone_may_ask(asked: Asked) -> None:
    [first, *_] = parse_file(asked.federation.every_epoch).evaluators
    for party in ("node-0180", "evaluator-2"):
        own, asked.peer = (
            asked.peer,
            Peer(identity.evaluator(1), first.address, ChannelCredentials(Party(asked.federation.dev, party).own())),
        )
        assert asked.refused(HONEST, 10, 0) is Code.METHOD_FORBIDDEN
        asked.peer.close()
        asked.peer = own
    assert asked.seen() == b""


def test_a_restart_forgets_nothing(asked: Asked) -> None:
    asked.add(HONEST, 10, 0)
    before = asked.seen()
    server = asked.federation.evaluators[1]
    server.stop()
    server.start()
    assert asked.seen() == before
    assert asked.refused(FORGED, 20, 10) is Code.LEDGER_PROOF_REFUSED


def test_of_two_histories_at_once_one_is_cosigned(asked: Asked) -> None:
    asked.add(HONEST, 5, 0)
    signed: list[int] = []

    def offer(leaves: list[bytes], name: int) -> None:
        try:
            if asked.add(leaves, 20, 5).cosignature:
                signed.append(name)
        except UppropError:
            pass

    threads = [threading.Thread(target=offer, args=(leaves, name)) for name, leaves in enumerate((HONEST, FORGED) * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each that was signed is of one and the same history.
    assert len({name % 2 for name in signed}) == 1


def test_an_evaluator_without_its_signing_key_is_no_witness_and_says_so(asked: Asked) -> None:
    config = asked.federation.dev.evaluator(1)
    server = asked.federation.evaluators[1]
    server.stop()
    config.write_text(
        "\n".join(line for line in config.read_text().splitlines() if not line.startswith("signing_key")) + "\n"
    )
    server.start()
    assert asked.refused(HONEST, 10, 0) is Code.NOT_SUPPORTED
    # It goes on evaluating all the same.
    node = asked.federation.nodes["0180"]
    node.take([person(1)])
    asked.federation.set_today(DAY.replace(month=9))
    node.take([person(1), person(2)])
    assert node.sync().problems == ()
