"""Shares refreshed, backed up, lost and made again, by the commands their keepers type and with files they carry."""

from __future__ import annotations

import json
import secrets
import shlex
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from prometheus_client import CollectorRegistry

from federation import descriptor_cli, throwaway
from federation.clock import ManualClock
from federation.descriptor import parse_file, serialise_file, sign, sign_epoch, split
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.pki import read_private_signing_key
from federation.settings import load
from privacy import group, oprf, protocol, threshold
from privacy.errors import AnswerError, PrivacyError, Reason
from privacy.evaluator.app import App, build
from privacy.evaluator.ceremonies import DEAL, PARTS, SUM, Assembly
from privacy.evaluator.cli import evaluator
from privacy.evaluator.home import Home
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.keys import Share, parse_share
from privacy.protocol import Answer, EpochKey
from tests.conftest import MakeFederation

INDICES = (1, 2, 3)
INPUTS = [b"one", b"two", b"three"]
PASSPHRASE = b"five plain random words"


class Keepers:
    """Three evaluators on their own machines, and files carried between them."""

    def __init__(self, dev: throwaway.DevFederation, carried: Path) -> None:
        self.dev, self.carried = dev, carried
        carried.mkdir(exist_ok=True)
        for index in INDICES:
            database = open_database(self.settings(index))
            migrate(database, STORE_PACKAGE)
            database.close()

    def settings(self, index: int) -> EvaluatorSettings:
        return load(self.dev.evaluator(index), EvaluatorSettings)

    def run(self, index: int, *arguments: str) -> Result:
        return CliRunner().invoke(evaluator, [*arguments, "--config", str(self.dev.evaluator(index))])

    def does(self, index: int, *arguments: str) -> str:
        result = self.run(index, *arguments)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.stdout

    def refused(self, index: int, *arguments: str) -> str:
        error = self.run(index, *arguments).exception
        assert isinstance(error, UppropError), error
        assert error.code is Code.INPUT_REFUSED, error.code
        return error.sentence

    def file(self, name: str) -> Path:
        return self.carried / name

    def makes(self, indices: Sequence[int], name: str, *arguments: str) -> list[str]:
        """Each of these evaluators runs a command that writes a file; returns the options that hand the files on."""
        option = f"--{name.partition('-')[0]}"
        for index in indices:
            path = self.file(f"{name}-{index}.json")
            path.unlink(missing_ok=True)
            self.does(index, *arguments, "--out", str(path))
        return [word for index in indices for word in (option, str(self.file(f"{name}-{index}.json")))]

    def share_in_force(self, index: int) -> Share:
        app = self.start(index)
        try:
            [share] = app.evaluation.epochs()
            return share
        finally:
            app.close()

    def start(self, index: int) -> App:
        clock = ManualClock("Europe/Stockholm")
        return build(self.settings(index), clock=clock, metrics=Metrics(CollectorRegistry()), log=Log(level="error"))

    def share_file(self, index: int) -> Path:
        return self.settings(index).share_files[0]

    def without_listed_share(self, index: int) -> None:
        """The settings name share_dir alone."""
        path = self.dev.evaluator(index)
        content = msgspec.toml.decode(path.read_bytes())
        path.write_bytes(msgspec.toml.encode(content | {"share_files": []}))

    def key(self) -> EpochKey:
        [epoch] = parse_file(split(self.dev.descriptor.read_bytes())[0]).epochs
        return EpochKey.checked(epoch.epoch, epoch.threshold, epoch.share_version, epoch.public_key, epoch.commitments)

    def put_in_force(self, command: str) -> None:
        """The authority runs the printed command on its draft, all evaluators sign, and it signs the descriptor."""
        draft = self.file("draft.toml")
        draft.write_bytes(serialise_file(parse_file(split(self.dev.descriptor.read_bytes())[0])))
        words = [str(draft) if word == "draft.toml" else word for word in shlex.split(command)[2:]]
        self._authority(*words)
        for index in INDICES:
            key = str(self.settings(index).signing_key)
            self._authority("sign-epoch", str(draft), "--epoch", "1", "--index", str(index), "--signing-key", key)
        key = str(self.dev.directory / "authority" / "authority.key")
        self._authority("sign", str(draft), "--key", key, "--out", str(self.dev.descriptor))

    def _authority(self, *arguments: str) -> None:
        result = CliRunner().invoke(descriptor_cli.federation, list(arguments))
        assert result.exit_code == 0, (result.output, result.exception)


@pytest.fixture
def keepers(make_federation: MakeFederation, tmp_path: Path) -> Keepers:
    return Keepers(make_federation("0180"), tmp_path / "carried")


def pseudonyms(key: EpochKey, shares: Sequence[Share]) -> list[bytes]:
    """What a node makes of these shares' answers."""
    blinded = protocol.blind(INPUTS, secrets.token_bytes)
    answers = []
    for share in shares:
        elements = oprf.blind_evaluate(share.secret, blinded.elements)
        proof = oprf.generate_proof(share.secret, share.commitment, blinded.elements, elements, secrets.token_bytes)
        answers.append(Answer(share.index, share.epoch, share.version, elements, proof.encoded, proof.composite))
    return protocol.finalize(protocol.verify(key, blinded, answers, secrets.token_bytes))


def refresh(keepers: Keepers, dealers: Sequence[int] = INDICES) -> dict[int, str]:
    """What each evaluator prints at the end."""
    invitations = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1")
    deals = keepers.makes(dealers, "deal", "refresh", "deal", *invitations)
    return {index: keepers.does(index, "refresh", "finish", *invitations, *deals) for index in INDICES}


def command_for_the_draft(printed: dict[int, str]) -> str:
    [command] = {line for text in printed.values() for line in text.splitlines() if "add epoch" in line}
    return command


def test_a_refresh_changes_every_share_and_no_pseudonym(keepers: Keepers) -> None:
    before = {index: keepers.share_in_force(index) for index in INDICES}
    old_key = keepers.key()
    known = pseudonyms(old_key, [before[1], before[2]])
    command = command_for_the_draft(refresh(keepers))
    # Until the descriptor lists the new shares, the old ones are in force.
    assert {index: keepers.share_in_force(index) for index in INDICES} == before
    keepers.put_in_force(command)
    after = {index: keepers.share_in_force(index) for index in INDICES}
    key = keepers.key()
    assert {share.version for share in after.values()} == {2}
    assert key.public_key == old_key.public_key
    for pair in ((1, 2), (1, 3), (2, 3)):
        assert pseudonyms(key, [after[index] for index in pair]) == known
    with pytest.raises(AnswerError) as refused:
        pseudonyms(key, [before[1], after[2]])
    assert refused.value.reason is Reason.SHARE_VERSIONS_MIXED
    with pytest.raises(AnswerError) as refused:
        pseudonyms(key, [replace(before[1], version=2), after[2]])
    assert refused.value.indices == (1,)
    with pytest.raises(PrivacyError) as too_few:
        pseudonyms(key, [after[1]])
    assert too_few.value.reason is Reason.ANSWERS_TOO_FEW


def test_t_shares_from_before_and_after_a_refresh_are_not_the_key(keepers: Keepers) -> None:
    before = {index: keepers.share_in_force(index) for index in INDICES}
    keepers.put_in_force(command_for_the_draft(refresh(keepers)))
    after = {index: keepers.share_in_force(index) for index in INDICES}
    whole = keepers.key().public_key

    def are_the_key(*shares: Share) -> bool:
        chosen = threshold.combination(2, [share.index for share in shares])
        [found] = threshold.combine(chosen, [[share.commitment] for share in shares])
        return [found] == group.multiply([group.scalar_of(chosen.denominator)], [whole])

    assert are_the_key(before[1], before[2])
    assert are_the_key(after[1], after[2])
    assert not are_the_key(before[1], after[2])
    assert not are_the_key(after[1], before[2])


def test_a_running_evaluator_goes_over_to_the_new_share_with_the_descriptor(keepers: Keepers) -> None:
    app = keepers.start(1)
    command = command_for_the_draft(refresh(keepers))
    assert [share.version for share in app.evaluation.epochs()] == [1]
    keepers.put_in_force(command)
    assert [share.version for share in app.evaluation.epochs()] == [2]
    app.close()


def _as_dealt(keepers: Keepers, index: int, invitations: Sequence[str]) -> tuple[Assembly, dict[str, Any]]:
    """What an evaluator dealt, for a test to change it and sign it in that evaluator's name."""
    home = Home.of(keepers.dev.evaluator(index))
    assembly = Assembly(home, [Path(path).read_bytes() for path in invitations[1::2]])
    _, fields = assembly.ceremony.read(keepers.file(f"deal-{index}.json").read_bytes(), DEAL, home.signing_keys)
    return assembly, fields


def test_a_dealer_whose_value_does_not_fit_is_named_and_left_out(keepers: Keepers) -> None:
    known = pseudonyms(keepers.key(), [keepers.share_in_force(1), keepers.share_in_force(2)])
    invitations = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1")
    deals = keepers.makes(INDICES, "deal", "refresh", "deal", *invitations)
    assembly, fields = _as_dealt(keepers, 3, invitations)
    honest = keepers.file("deal-3.json").read_bytes()
    lie = assembly.ceremony.seal(DEAL, 3, 1, group.scalar_of(5))
    changes: tuple[dict[str, object], ...] = (
        {"values": {**fields["values"], "1": lie}},
        {"values": {**fields["values"], "1": fields["values"]["2"]}},
        {"values": {}},
        {"commitments": []},
        {"commitments": fields["commitments"] * 2},
        {"commitments": "none"},
    )
    for change in changes:
        content = assembly.ceremony.write(DEAL, 3, {**fields, **change}, assembly.home.signing_key())
        keepers.file("deal-3.json").write_bytes(content)
        assert "evaluator 3" in keepers.refused(1, "refresh", "finish", *invitations, *deals)
    keepers.file("deal-3.json").write_bytes(honest.replace(b'"evaluator": 3', b'"evaluator": 2'))
    assert "does not bear its signature" in keepers.refused(1, "refresh", "finish", *invitations, *deals)
    printed = {index: keepers.does(index, "refresh", "finish", *invitations, *deals[:4]) for index in INDICES}
    keepers.put_in_force(command_for_the_draft(printed))
    assert pseudonyms(keepers.key(), [keepers.share_in_force(1), keepers.share_in_force(3)]) == known


def test_too_few_dealers_are_refused(keepers: Keepers) -> None:
    invitations = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1")
    deals = keepers.makes([2], "deal", "refresh", "deal", *invitations)
    assert "1 evaluators dealt where 2" in keepers.refused(1, "refresh", "finish", *invitations, *deals)
    missing = keepers.refused(1, "refresh", "finish", *invitations[:4], *deals)
    assert "invitation of evaluator 3 is missing" in missing


def test_a_refresh_that_was_broken_off_is_begun_again(keepers: Keepers) -> None:
    known = pseudonyms(keepers.key(), [keepers.share_in_force(1), keepers.share_in_force(2)])
    invitations = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1")
    deals = keepers.makes(INDICES, "deal", "refresh", "deal", *invitations)
    old = [keepers.file(f"deal-{index}.json").read_bytes() for index in INDICES]
    # One finishes, the others never do: nothing has changed for members, and a later try starts from the same shares.
    keepers.does(1, "refresh", "finish", *invitations, *deals)
    assert "The one-time key of this ceremony is not here" in keepers.refused(
        1, "refresh", "finish", *invitations, *deals
    )
    assert keepers.share_in_force(1).version == 1
    keepers.does(1, "share", "destroy", "--epoch", "1", "--version", "2", "--yes")
    command = command_for_the_draft(refresh(keepers))
    keepers.file("deal-2.json").write_bytes(old[1])
    again = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1")
    keepers.makes([1, 3], "deal", "refresh", "deal", *again)
    assert "belongs to other invitations" in keepers.refused(1, "refresh", "finish", *again, *deals)
    keepers.put_in_force(command)
    assert pseudonyms(keepers.key(), [keepers.share_in_force(2), keepers.share_in_force(1)]) == known


# -- backups ----------------------------------------------------------------------------------------------------------


def _secret(path: Path, content: bytes) -> str:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


def test_a_share_comes_back_from_its_backup_while_the_evaluator_runs(keepers: Keepers) -> None:
    own = keepers.share_in_force(1)
    passphrase = _secret(keepers.file("passphrase"), PASSPHRASE + b"\n")
    out = keepers.file("share.backup")
    keepers.does(1, "share", "backup", "--epoch", "1", "--out", str(out), "--passphrase-file", passphrase)
    assert own.secret.hex() not in out.read_text()
    assert bytes(own.secret) not in out.read_bytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    wrong = _secret(keepers.file("wrong"), b"five other random words")
    assert "does not open" in keepers.refused(1, "share", "restore", str(out), "--passphrase-file", wrong)
    assert "of evaluator 1" in keepers.refused(2, "share", "restore", str(out), "--passphrase-file", passphrase)
    lose(keepers, 1)
    keepers.does(1, "share", "restore", str(out), "--passphrase-file", passphrase)
    assert keepers.share_in_force(1) == own


def lose(keepers: Keepers, index: int) -> None:
    """The share's file is gone, and the settings name share_dir alone."""
    keepers.share_file(index).unlink()
    keepers.without_listed_share(index)
    with pytest.raises(UppropError) as caught:
        keepers.start(index)
    assert caught.value.code is Code.CONFIG_INVALID


@pytest.mark.parametrize("passphrase", [b"too short", b"\n"])
def test_a_passphrase_that_can_be_guessed_is_refused(keepers: Keepers, passphrase: bytes) -> None:
    path = _secret(keepers.file("passphrase"), passphrase)
    arguments = ("--epoch", "1", "--out", str(keepers.file("b")), "--passphrase-file", path)
    assert "at least 20 characters" in keepers.refused(1, "share", "backup", *arguments)
    assert not keepers.file("b").exists()


def test_a_backup_that_was_changed_or_is_from_before_a_refresh_is_refused(keepers: Keepers) -> None:
    passphrase = _secret(keepers.file("passphrase"), PASSPHRASE)
    out = keepers.file("share.backup")
    keepers.does(1, "share", "backup", "--epoch", "1", "--out", str(out), "--passphrase-file", passphrase)
    content = out.read_text()
    for old, new in (("version = 1", "version = 2"), ("epoch = 1", "epoch = 2"), ('content = "', 'content = "00')):
        out.write_text(content.replace(old, new))
        assert "does not open" in keepers.refused(1, "share", "restore", str(out), "--passphrase-file", passphrase)
    out.write_text(content)
    keepers.put_in_force(command_for_the_draft(refresh(keepers)))
    assert "of no use any more" in keepers.refused(1, "share", "restore", str(out), "--passphrase-file", passphrase)


# -- a lost share made again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "helpers"), [(1, (2, 3)), (2, (1, 3)), (3, (1, 2))])
def test_a_lost_share_is_made_again_by_the_others(keepers: Keepers, lost: int, helpers: tuple[int, int]) -> None:
    own = keepers.share_in_force(lost)
    others = [keepers.share_in_force(index) for index in helpers]
    lose(keepers, lost)
    invitations = keepers.makes((lost, *helpers), "invitation", "invite", "--epoch", "1", "--lost", str(lost))
    parts = keepers.makes(helpers, "parts", "share", "give", *invitations)
    sums = keepers.makes(helpers, "sum", "share", "add", *invitations, *parts)
    for path in keepers.carried.iterdir():
        assert not any(share.secret.hex() in path.read_text() for share in (own, *others))
    keepers.does(lost, "share", "take", *invitations, *parts, *sums)
    assert keepers.share_in_force(lost) == own


def test_a_helper_that_gives_what_does_not_fit_is_named(keepers: Keepers) -> None:
    lose(keepers, 3)
    invitations = keepers.makes(INDICES, "invitation", "invite", "--epoch", "1", "--lost", "3")
    parts = keepers.makes((1, 2), "parts", "share", "give", *invitations)
    sums = keepers.makes((1, 2), "sum", "share", "add", *invitations, *parts)
    home = Home.of(keepers.dev.evaluator(2))
    assembly = Assembly(home, [Path(path).read_bytes() for path in invitations[1::2]])
    honest = {name: keepers.file(name).read_bytes() for name in ("parts-2.json", "sum-2.json")}

    def says(name: str, kind: str, **change: object) -> None:
        _, fields = assembly.ceremony.read(honest[name], kind, home.signing_keys)
        keepers.file(name).write_bytes(assembly.ceremony.write(kind, 2, {**fields, **change}, home.signing_key()))

    lie = group.scalar_of(7)
    says("parts-2.json", PARTS, values={"1": assembly.ceremony.seal(PARTS, 2, 1, lie)})
    keepers.file("sum-1.json").unlink()
    out = ("--out", str(keepers.file("sum-1.json")))
    assert "evaluator 2" in keepers.refused(1, "share", "add", *invitations, *parts, *out)
    element = oprf.public_key(lie).hex()
    says("parts-2.json", PARTS, commitments={"1": element, "2": element})
    assert "evaluator 2" in keepers.refused(1, "share", "add", *invitations, *parts, *out)
    keepers.file("parts-2.json").write_bytes(honest["parts-2.json"])
    keepers.does(1, "share", "add", *invitations, *parts, *out)
    says("sum-2.json", SUM, value=assembly.ceremony.seal(SUM, 2, 3, lie))
    assert "evaluator 2" in keepers.refused(3, "share", "take", *invitations, *parts, *sums)
    keepers.file("sum-2.json").write_bytes(honest["sum-2.json"])
    keepers.does(3, "share", "take", *invitations, *parts, *sums)


# -- destruction ------------------------------------------------------------------------------------------------------


def test_a_share_in_force_is_not_destroyed_and_an_old_one_never_comes_back(keepers: Keepers) -> None:
    assert "it is in force" in keepers.refused(1, "share", "destroy", "--epoch", "1", "--yes")
    assert "No such share" in keepers.refused(1, "share", "destroy", "--epoch", "2", "--yes")
    path = keepers.share_file(1)
    content = path.read_bytes()
    keepers.put_in_force(command_for_the_draft(refresh(keepers)))
    aborted = CliRunner().invoke(
        evaluator, ["share", "destroy", "--epoch", "1", "--config", str(keepers.dev.evaluator(1))], input="n\n"
    )
    assert aborted.exit_code == 1
    assert path.read_bytes() == content
    stated = json.loads(keepers.does(1, "share", "destroy", "--epoch", "1", "--yes", "--json"))
    assert stated["destroyed"] == [str(path)]
    assert "backups" in stated["not_promised"]
    assert not path.exists()
    keepers.without_listed_share(1)
    # A restored backup of the machine brings the file back, and a descriptor from before lists it: it is not used.
    (keepers.settings(1).share_dir or path.parent).joinpath("old.share").write_bytes(content)
    (keepers.settings(1).share_dir or path.parent).joinpath("old.share").chmod(0o600)
    app = keepers.start(1)
    assert [share.version for share in app.evaluation.epochs()] == [2]
    app.close()
    file = parse_file(split(keepers.dev.descriptor.read_bytes())[0])
    old = parse_share(content)
    [epoch] = file.epochs
    epoch = msgspec.structs.replace(epoch, share_version=1, commitments={**epoch.commitments, 1: old.commitment})
    for index in INDICES:
        epoch = sign_epoch(epoch, index, read_private_signing_key(keepers.settings(index).signing_key or path))
    after = msgspec.structs.replace(file, serial=file.serial + 1, epochs=[epoch])
    keepers.dev.descriptor.write_bytes(sign(after, keepers.dev.authority_key))
    with pytest.raises(UppropError) as caught:
        keepers.start(1)
    assert caught.value.code is Code.CONFIG_INVALID
