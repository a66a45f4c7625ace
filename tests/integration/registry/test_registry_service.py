"""What members send and get over mutual TLS, and what is left on the registry's disk."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from federation.errors import EXIT_CONFIGURATION, EXIT_SECRET, Code, UppropError
from federation.v1 import registry_pb2, signal_pb2
from tests.conftest import MakeFederation
from tests.integration.registry_parties import COMMAND, DUE, ROOT, SINCE, Caller, Server, refused, stated


def test_from_a_leaving_to_an_acknowledged_notice(server: Server, callers: tuple[Caller, Caller]) -> None:
    first, second = callers
    moved, missing = secrets.token_bytes(32), secrets.token_bytes(32)
    gone = stated(missing, leaves=True)
    assert first.kinds(stated(moved, leaves=True), gone) == ["ACCEPTED", "ACCEPTED"]
    assert second.kinds(stated(moved, leaves=False)) == ["ACCEPTED"]
    server.close_day(SINCE)
    assert list(first.notices().notices) == []
    assert first.notices().closed_on == "2026-09-01"

    for caller in callers:
        caller.clock.set_today(DUE)
    server.set_today(DUE)
    for caller in callers:
        caller.report(DUE)
    server.close_day(DUE)
    assert sorted(first.told()) == ["ANSWERED", "LEAD", "OPENED"]
    assert second.told() == []
    (opened,) = [each for each in first.notices().notices if each.kind == registry_pb2.NOTICE_KIND_OPENED]
    assert (opened.handle, opened.opening_number, opened.closed_on) == (gone.handle, 1, "2026-09-14")
    assert len(opened.case_id) == 16
    assert not opened.coverage_incomplete

    page = first.notices(limit=2)
    assert page.more
    assert [each.number for each in page.notices] == [1, 2]
    rest = first.notices(after=2)
    assert not rest.more
    assert [each.number for each in rest.notices] == [3]
    first.acknowledge(3)
    with pytest.raises(UppropError) as error:
        first.acknowledge(4)
    assert refused(error) is Code.REQUEST_INVALID


def test_a_batch_sent_again_gets_the_same_answer_and_other_content_is_told_apart(
    callers: tuple[Caller, Caller],
) -> None:
    caller, _ = callers
    signal = stated(secrets.token_bytes(32), leaves=True)
    broken = stated(secrets.token_bytes(32), leaves=True)
    broken.version = 0
    batch_id = secrets.token_bytes(16)
    answer = caller.submit(signal, broken, batch_id=batch_id)
    assert [each.code for each in answer.dispositions] == ["", "SIGNAL_MALFORMED"]
    assert caller.submit(signal, broken, batch_id=batch_id) == answer
    other = signal_pb2.Signal.FromString(signal.SerializeToString())
    other.opening.since = "2026-09-02"
    with pytest.raises(UppropError) as error:
        caller.submit(other, broken, batch_id=batch_id)
    assert refused(error) is Code.BATCH_REUSED
    assert caller.kinds(signal, other) == ["DUPLICATE", "CONFLICT"]


def test_the_envelope_alone_refuses_a_batch(server: Server, callers: tuple[Caller, Caller]) -> None:
    caller, _ = callers
    signal = stated(secrets.token_bytes(32), leaves=True)

    many = [signal_pb2.Signal(version=1)] * 1_001
    with pytest.raises(UppropError) as error:
        caller.submit(*many)
    assert refused(error) is Code.BATCH_TOO_LARGE

    with pytest.raises(UppropError) as error:
        caller.submit(signal, batch_id=b"short")
    assert refused(error) is Code.REQUEST_INVALID

    for days, code in ((-2, Code.DATE_SKEW), (2, Code.DATE_SKEW), (-1, None), (1, None)):
        caller.clock.set_today(SINCE + timedelta(days=days))
        if code is None:
            assert caller.kinds(stated(secrets.token_bytes(32), leaves=True)) == ["ACCEPTED"]
        else:
            with pytest.raises(UppropError) as error:
                caller.submit(signal)
            assert refused(error) is code
    caller.clock.set_today(SINCE)

    foreign_epoch = stated(secrets.token_bytes(32), leaves=True)
    foreign_epoch.pseudonyms[0].epoch = 7
    with pytest.raises(UppropError) as error:
        caller.submit(foreign_epoch)
    assert refused(error) is Code.EPOCH_UNKNOWN
    answer = caller.submit(foreign_epoch, signal)
    assert [each.code for each in answer.dispositions] == ["EPOCH_UNKNOWN", ""]


def test_only_members_may_call(server: Server) -> None:
    stranger = Caller(server, "evaluator-1")
    for call in (stranger.submit, lambda: stranger.report(SINCE), stranger.notices):
        with pytest.raises(UppropError) as error:
            call()
        assert refused(error) is Code.METHOD_FORBIDDEN
    stranger.peer.close()


def test_members_see_and_acknowledge_their_own_notices_alone(server: Server, callers: tuple[Caller, Caller]) -> None:
    first, second = callers
    first.submit(*(stated(secrets.token_bytes(32), leaves=True) for _ in range(5)))
    second.submit(stated(secrets.token_bytes(32), leaves=True))
    server.set_today(DUE)
    for caller in callers:
        caller.clock.set_today(DUE)
    server.close_day(DUE)
    assert [each.number for each in second.notices().notices] == [1, 2]
    assert [each.number for each in first.notices().notices] == list(range(1, 11))
    # The first two closes made more notices than the second member may acknowledge.
    with pytest.raises(UppropError) as error:
        second.acknowledge(3)
    assert refused(error) is Code.REQUEST_INVALID


def test_nothing_tells_a_matched_sender_from_an_unmatched_one_before_delivery(
    server: Server, callers: tuple[Caller, Caller]
) -> None:
    """Same content, same size: of the answer to the batch, and of every fetch until the due day."""
    first, second = callers
    known, unknown = secrets.token_bytes(32), secrets.token_bytes(32)
    second.submit(stated(known, leaves=False))
    answers = []
    for pseudonym in (known, unknown):
        answer = first.submit(stated(pseudonym, leaves=True), batch_id=secrets.token_bytes(16))
        answers.append(answer)
    assert [answer.receipt.leaf_index for answer in answers] == [1, 2]
    assert answers[0].dispositions == answers[1].dispositions
    assert answers[0].ByteSize() == answers[1].ByteSize()
    for days in range(0, 13, 4):
        day = SINCE + timedelta(days=days)
        server.set_today(day)
        for caller in callers:
            caller.clock.set_today(day)
        server.close_day(day)
        empty = registry_pb2.ListNoticesResponse(closed_on=day.isoformat()).SerializeToString()
        assert [caller.notices().SerializeToString() for caller in callers] == [empty, empty]


def test_whatever_was_acknowledged_survives_the_end_of_the_process(
    server: Server, callers: tuple[Caller, Caller]
) -> None:
    """Killed between batches, and in the middle of them: every acknowledged signal is a DUPLICATE afterwards."""
    caller, _ = callers
    acknowledged: list[signal_pb2.Signal] = []
    for round_number in range(3):
        batch = [stated(secrets.token_bytes(32), leaves=True) for _ in range(50)]
        assert set(caller.kinds(*batch)) == {"ACCEPTED"}
        acknowledged += batch
        server.kill()
        if round_number == 1:
            # Sent while nobody listens: the same batch later, under the same id, is taken once.
            lost, batch_id = [stated(secrets.token_bytes(32), leaves=True)], secrets.token_bytes(16)
            with pytest.raises(UppropError) as error:
                caller.submit(*lost, batch_id=batch_id, attempts=1)
            assert refused(error) is Code.PEER_UNREACHABLE
            server.start()
            caller.reach()
            assert caller.kinds(*lost, batch_id=batch_id) == ["ACCEPTED"]
            acknowledged += lost
        else:
            server.start()
            caller.reach()
    assert set(caller.kinds(*acknowledged)) == {"DUPLICATE"}


def test_no_pseudonym_and_no_handle_where_it_does_not_belong(server: Server, callers: tuple[Caller, Caller]) -> None:
    first, second = callers
    pseudonyms = [secrets.token_bytes(32) for _ in range(6)]
    signals = [stated(pseudonym, leaves=True) for pseudonym in pseudonyms]
    signals[4].version = 0
    signals[5].pseudonyms[0].epoch = 9
    first.submit(*signals)
    second.submit(*(stated(pseudonym, leaves=False) for pseudonym in pseudonyms[:2]))
    with pytest.raises(UppropError):
        first.submit(signals[5])
    server.close_day(SINCE)
    ports = json.loads((server.settings.data_dir / "ports.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['metrics']}/metrics") as response:
        metrics = response.read()
    # Once while everything is still in the WAL, once after an orderly end.
    for _ in range(2):
        kept = everything_below(server.settings.data_dir)
        log = server.log_path.read_bytes()
        for pseudonym in pseudonyms:
            for form in (pseudonym, pseudonym.hex().encode()):
                assert form not in kept + log + metrics
        for sent in signals:
            assert sent.handle not in log + metrics
            assert sent.handle.hex().encode() not in log + metrics
        if server.process is not None:
            server.kill(signal.SIGTERM)


def everything_below(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def test_metrics_count_signals_by_disposition_in_steps_and_nothing_about_children(
    server: Server, callers: tuple[Caller, Caller]
) -> None:
    caller, _ = callers
    signal_ = stated(secrets.token_bytes(32), leaves=True)
    caller.submit(signal_)
    caller.submit(signal_)
    server.close_day(SINCE)
    ports = json.loads((server.settings.data_dir / "ports.json").read_text())
    with urllib.request.urlopen(f"http://127.0.0.1:{ports['metrics']}/metrics") as response:
        lines = response.read().decode().splitlines()
    # One of each was answered; a step is reached, at a place that nobody knows, or not yet.
    shown = {line for line in lines if line.startswith("upprop_registry_signals_total{")}
    for disposition in ("ACCEPTED", "DUPLICATE"):
        named = f'upprop_registry_signals_total{{disposition="{disposition}"}}'
        assert shown & {f"{named} 0.0", f"{named} 1000.0"}
    assert any(line.startswith("upprop_registry_last_close_timestamp_seconds") for line in lines)
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert not {name for name in names for word in ("gap", "case", "notice", "group") if word in name}
    # Of a member alone stand when it was last heard of, until when its certificate lasts and how late it is.
    assert {line.split("{")[0] for line in lines if '"0180"' in line} <= {
        "upprop_registry_member_last_seen_timestamp_seconds",
        "upprop_registry_member_certificate_expires_timestamp_seconds",
        "upprop_registry_member_lag_days",
    }


def test_commands_of_the_operator(make_federation: MakeFederation, tmp_path: Path) -> None:
    server = Server(make_federation("0180", today=SINCE))
    outdated = server.run("evaluate")
    assert (outdated.returncode, "SCHEMA_OUTDATED" in outdated.stderr) == (7, True)
    migrated = json.loads(server.run("migrate", "--json").stdout)
    assert migrated["before"] is None
    assert server.run("migrate").stdout == f"The database is up to date ({migrated['after']}).\n"
    # Without a daemon the command does the work itself; with one, the daemon does.
    for daemon in (False, True):
        if daemon:
            server.start()
        closed = server.run("evaluate", "--json")
        assert json.loads(closed.stdout) == {"closed_on": "2026-09-01"}
        assert server.run("evaluate").stdout == "2026-09-01 is closed.\n"
    second = server.run("serve")
    assert (second.returncode, "STORE_LOCKED" in second.stderr) == (7, True)
    assert server.kill(signal.SIGTERM) == 0

    key = tmp_path / "epoch-2.key"
    made = subprocess.run(
        [*COMMAND, "keygen", "--epoch", "2", "--out", str(key)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert str(key) in made.stdout
    assert key.stat().st_mode & 0o777 == 0o600
    again = subprocess.run(
        [*COMMAND, "keygen", "--epoch", "2", "--out", str(key)], cwd=ROOT, capture_output=True, text=True
    )
    assert again.returncode == 3

    path = server.federation.registry.parent / "epoch-1.key"
    before = path.read_bytes()
    for words, ends_with in (("SECRET_MODE", EXIT_SECRET), ("CONFIG_INVALID", EXIT_CONFIGURATION)):
        if words == "SECRET_MODE":
            path.chmod(0o640)
        else:
            path.write_text("not a key")
        failed = server.run("serve")
        assert (failed.returncode, words in failed.stderr) == (ends_with, True)
        assert before.hex() not in failed.stderr
        path.chmod(0o600)
        path.write_bytes(before)


def test_help_names_every_command() -> None:
    shown = subprocess.run([*COMMAND, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands: Sequence[str] = ("serve", "migrate", "evaluate", "keygen")
    assert all(command in shown for command in commands)
