"""The node under the registry's ledger: receipts for what it sends, and an alarm that nobody can miss."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.checkpoint import Checkpoint, sign
from federation.cli import main
from federation.clock import ManualClock
from federation.errors import EXIT_LEDGER, Code, UppropError
from federation.rules.vocabulary import Signal
from federation.v1 import control_pb2
from node.ledger.findings import Kind
from node.ledger.receipts import Receipt, Signed
from node.ledger.servicers import handlers
from node.store.outbox import BatchState
from node.store.schema import batches, versions
from node.store.schema_ledger import receipts
from node.uplink import RegistryLink, Submitted, Uplink
from tests.attacks.ledger_parties import (
    BASELINE,
    MALMO,
    MONDAY,
    STOCKHOLM,
    TUESDAY,
    WEDNESDAY,
    alarms,
    day,
    leaves,
    rebuild,
    roll,
    seal,
    sent,
    superuser,
    verify,
)
from tests.integration.node_parties import ZONE, Federation, Node, running

NAME = "Test Person"


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """Both members have imported their baseline. On Monday a pupil of Stockholm's has left; nothing is sent yet."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        day(federation, BASELINE, stockholm=0)
        federation.set_today(MONDAY)
        federation.nodes[STOCKHOLM].take(roll(1, 30))
        yield federation


@pytest.fixture
def stockholm(federation: Federation) -> Node:
    return federation.nodes[STOCKHOLM]


def states(node: Node) -> list[tuple[str, bool]]:
    """State of each batch, and whether there is a receipt for it; oldest first."""
    query = sa.select(batches.c.state, receipts.c.batch_id.is_not(None)).outerjoin(
        receipts, receipts.c.batch_id == batches.c.batch_id
    )
    with node.app.database.read("test_batches") as tx:
        return [(row[0], bool(row[1])) for row in tx.execute(query.order_by(batches.c.created_at))]


class _Liar:
    """The real connections to a registry that does its work and lies about the receipt, or whose answer is lost."""

    def __init__(self, uplink: Uplink, lie: Callable[[Receipt], Receipt | None]) -> None:
        self._uplink = uplink
        self._lie = lie

    def __getattr__(self, name: str) -> Any:
        return getattr(self._uplink, name)

    def registry(self) -> Any:
        return _LyingRegistry(self._uplink.registry(), self._lie)


_NONE = Receipt(0, b"", b"", b"")
"""In place of what a federation without a ledger does not give."""


class _LyingRegistry:
    def __init__(self, registry: RegistryLink, lie: Callable[[Receipt], Receipt | None]) -> None:
        self._registry = registry
        self._lie = lie

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def submit(self, batch_id: bytes, signals: Sequence[Signal], signed: Signed | None = None) -> Submitted:
        answer = self._registry.submit(batch_id, signals, signed)
        return replace(answer, receipt=self._lie(answer.receipt or _NONE))


def _lost(_receipt: Receipt) -> Receipt:
    raise UppropError(Code.DEADLINE, "The answer was lost.")


# -- receipts ---------------------------------------------------------------------------------------------------------


def test_a_batch_whose_answer_was_lost_is_one_leaf_with_one_receipt(federation: Federation, stockholm: Node) -> None:
    size = federation.registry_app.ledger.checkpoints.size()  # type: ignore[union-attr]
    stockholm.app.pipeline._links = _Liar(stockholm.app.uplink, _lost)
    assert stockholm.sync().waiting == 1
    assert states(stockholm) == [(BatchState.OPEN, False)]
    stockholm.app.pipeline._links = stockholm.app.uplink
    assert stockholm.sync().waiting == 0
    assert federation.registry_app.ledger.checkpoints.size() == size + 1  # type: ignore[union-attr]
    assert [leaf for leaf, *_ in sent(stockholm)] == [size]
    assert verify(stockholm).receipts == 1
    assert alarms(stockholm) == set()


FORGED = sign(Checkpoint(10_000, bytes(32)), Ed25519PrivateKey.generate())


LIES: dict[str, Callable[[Receipt], Receipt | None]] = {
    "none": lambda _: None,
    "a leaf beyond the tree": lambda receipt: replace(receipt, leaf_index=receipt.leaf_index + 1),
    "signed with another key": lambda receipt: replace(receipt, checkpoint=FORGED),
    "no salt": lambda receipt: replace(receipt, salt=b"short"),
    "no stored digest": lambda receipt: replace(receipt, stored_digest=b""),
    "a leaf that no store can hold": lambda receipt: replace(receipt, leaf_index=2**64 - 1),
    "a checkpoint that is no text": lambda receipt: replace(receipt, checkpoint=b"\xff\xfe"),
}


def test_batches_without_a_sound_receipt_count_as_sent_and_are_asked_for_again(stockholm: Node) -> None:
    for number, (name, lie) in enumerate(LIES.items(), start=1):
        stockholm.app.pipeline._links = _Liar(stockholm.app.uplink, lie)
        stockholm.take(roll(number, 30))
        report = stockholm.sync()
        # What is new goes out behind those that are owed.
        assert (report.submitted, report.waiting) == (1, 0), name
        assert {kind for kind, *_ in alarms(stockholm)} == {Kind.NO_RECEIPT}, name
        assert len(alarms(stockholm)) <= number, name
        assert states(stockholm) == [(BatchState.OWED, False)] * number, name
    listed = handlers(stockholm.app.pipeline, stockholm.app.pipeline._alarms)["ListAlarms"]
    assert len(listed(control_pb2.ListAlarmsRequest()).alarms) == len(LIES)

    stockholm.app.pipeline._links = stockholm.app.uplink
    stockholm.sync()
    assert states(stockholm) == [(BatchState.DONE, True)] * len(LIES)
    assert len({leaf for leaf, *_ in sent(stockholm)}) == len(LIES)
    assert verify(stockholm).problems == ()
    assert {kind for kind, *_ in alarms(stockholm)} == {Kind.NO_RECEIPT}


def test_a_receipt_for_another_leaf_is_found_out_in_the_same_sync(stockholm: Node) -> None:
    """It has the form of a receipt: only the proof shows that nothing of ours stands there."""
    stockholm.app.pipeline._links = _Liar(
        stockholm.app.uplink, lambda receipt: replace(receipt, stored_digest=bytes(32))
    )
    stockholm.sync()
    [(leaf, *_)] = sent(stockholm)
    assert alarms(stockholm) == {(Kind.LEAF_GONE, leaf, leaf)}


def test_a_federation_without_a_ledger_works_without(federation: Federation, stockholm: Node) -> None:
    federation.publish(2, ledger_key=None)
    report = stockholm.sync()
    assert (report.submitted, report.problems) == (1, ())
    assert states(stockholm) == [(BatchState.DONE, False)]
    report_of_ledger = verify(stockholm)
    assert (report_of_ledger.size, report_of_ledger.problems) == (None, ())


def test_a_batch_from_before_the_ledger_goes_out_signed_in_another_one(federation: Federation, stockholm: Node) -> None:
    federation.publish(2, ledger_key=None)
    stockholm.app.pipeline._links = _Liar(stockholm.app.uplink, _lost)
    stockholm.sync()
    assert states(stockholm) == [(BatchState.OPEN, False)]
    stockholm.app.pipeline._links = stockholm.app.uplink
    federation.publish(3)
    assert stockholm.sync().problems == ()
    assert states(stockholm) == [(BatchState.DONE, False), (BatchState.DONE, True)]
    assert alarms(stockholm) == set()
    with stockholm.app.database.read("test_versions") as tx:
        assert tx.execute(sa.select(versions.c.version)).scalars().all() == [1]


# -- witnesses --------------------------------------------------------------------------------------------------------


class _Later(ManualClock):
    """Three days on, for machines."""

    def now(self) -> datetime:
        return super().now() + timedelta(days=3)


def test_witnesses_that_were_shown_nothing_new_for_days_are_named_and_most_of_them_alarm(
    federation: Federation, stockholm: Node
) -> None:
    one = federation.evaluators[1]
    stockholm.sync()
    seal(federation)
    assert verify(stockholm).problems == ()
    one.stop()
    seal(federation)
    one.start()
    assert verify(stockholm).problems == ()
    stockholm.app.pipeline._watch._clock = _Later(ZONE, MONDAY)
    [problem] = verify(stockholm).problems
    assert problem.startswith("Witness 1 has not co-signed")
    assert alarms(stockholm) == set()

    # The hour's leaf is sealed, and nobody is shown it.
    stockholm.app.pipeline._watch._clock = federation.clock
    federation.registry_app.ledger.hours.seal_after_close(TUESDAY, federation.clock._zone)
    verify(stockholm)
    assert alarms(stockholm) == set()
    stockholm.app.pipeline._watch._clock = _Later(ZONE, MONDAY)
    report = verify(stockholm)
    assert sum("has not co-signed" in problem for problem in report.problems) == 3
    assert {kind for kind, *_ in alarms(stockholm)} == {Kind.WITNESSES_LATE}
    # It goes on, with more leaves: once it has been seen it is not raised again.
    stockholm.app.pipeline._alarms.acknowledge(NAME)
    federation.registry_app.ledger.hours.seal_after_close(WEDNESDAY, federation.clock._zone)
    verify(stockholm)
    assert alarms(stockholm) == set()


def test_no_witness_is_late_by_being_down_for_a_moment_however_long_ago_the_ledger_began(
    federation: Federation, stockholm: Node
) -> None:
    stockholm.sync()
    stockholm.app.pipeline._watch._clock = _Later(ZONE, MONDAY)
    for evaluator in federation.evaluators.values():
        evaluator.stop()
    report = verify(stockholm)
    assert {problem.split(":")[0] for problem in report.problems} == {"Witness 1", "Witness 2", "Witness 3"}
    assert alarms(stockholm) == set()
    for evaluator in federation.evaluators.values():
        evaluator.start()

    # A registry that comes back after days has its witnesses sign within a minute, and a node may be there first.
    federation.registry_app.ledger.hours.seal_after_close(TUESDAY, federation.clock._zone)
    verify(stockholm)
    assert alarms(stockholm) == set()


def test_a_witness_that_is_down_contradicts_nobody(federation: Federation, stockholm: Node) -> None:
    stockholm.sync()
    federation.evaluators[2].stop()
    report = verify(stockholm)
    assert any(problem.startswith("Witness 2") for problem in report.problems)
    assert alarms(stockholm) == set()
    assert report.receipts == 1


# -- the alarm --------------------------------------------------------------------------------------------------------


@pytest.fixture
def alarmed(federation: Federation, stockholm: Node) -> Iterator[Callable[..., Result]]:
    """A node that has seen the end of the ledger cut off; runs its commands."""
    day(federation, TUESDAY, stockholm=1)
    day(federation, WEDNESDAY, stockholm=1)
    stockholm.sync()
    with superuser(federation) as connection:
        rebuild(connection, leaves(connection)[:-1])
    stockholm.sync(notices_only=True)
    assert alarms(stockholm)
    assert stockholm.measured.get_sample_value("upprop_ledger_alarms") == 1.0
    events = [json.loads(line) for line in stockholm.log.getvalue().splitlines()]
    assert [event["level"] for event in events if event["event"] == "ledger_alarm"] == ["error"]
    stockholm.close()
    config = str(federation.dev.node(STOCKHOLM))

    def run(*command: str) -> Result:
        return CliRunner().invoke(main, ["node", *command, "--config", config])

    yield run
    stockholm.open()


def test_the_alarm_is_the_first_line_of_every_command_until_a_person_has_seen_it(
    alarmed: Callable[..., Result],
) -> None:
    commands = (
        ["status"],
        ["cases"],
        ["sync", "--notices-only"],
        ["review"],
        ["systems"],
        ["client", "list"],
        ["ledger", "alarms"],
        ["ledger", "verify"],
    )
    for command in commands:
        first, *_ = alarmed(*command).stdout.splitlines()
        assert first.startswith("LARM 1 OM REGISTRET: Poster"), command
        assert "Ring myndigheten" in first
    [english, *_] = alarmed("cases", "--lang", "en").stdout.splitlines()
    assert english.startswith("ALARM 1 ABOUT THE REGISTRY: Leaves that its ledger had are gone (leaf ")
    assert "Signals go on being sent and case files opened" in english

    shown = alarmed("status", "--json")
    assert json.loads(shown.stdout)["ledger_alarms"][0]["kind"] == "SHRUNK"
    assert shown.stderr.startswith("LARM 1")
    assert alarmed("ledger", "verify").exit_code == EXIT_LEDGER
    assert any("ALARM 1 about the registry" in line for line in alarmed("sync").stderr.splitlines())

    assert alarmed("ledger", "acknowledge").exit_code == 2
    assert alarmed("ledger", "acknowledge", "--by", " ").exit_code != 0
    assert "Kvitterat av Test Person: 1 larm." in alarmed("ledger", "acknowledge", "--by", NAME).stdout
    for command in commands[:-2]:
        assert "LARM" not in alarmed(*command).output
    [line] = alarmed("ledger", "alarms").stdout.splitlines()
    assert line.startswith("Larm 1, ")
    assert line.endswith(f"({NAME})")
    [alarm] = json.loads(alarmed("ledger", "alarms", "--json").stdout)
    assert (alarm["acknowledged_by"], alarm["evidence"].count("upprop/ledger\n")) == (NAME, 2)


def test_who_acknowledged_is_not_readable_in_the_database(stockholm: Node, alarmed: Callable[..., Result]) -> None:
    alarmed("ledger", "acknowledge", "--by", NAME)
    content = b"".join(path.read_bytes() for path in stockholm.settings.data_dir.glob("node.sqlite*"))
    assert NAME.encode() not in content
