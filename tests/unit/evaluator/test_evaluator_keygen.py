"""`upprop evaluator keygen`: what it writes is fit for evaluators and descriptor, and nobody else can read it."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from federation import descriptor_cli, pki
from federation.descriptor import parse_file, serialise_file
from federation.descriptor_file import File
from federation.errors import Code, UppropError
from privacy.evaluator.cli import evaluator
from privacy.keys import parse_share
from privacy.protocol import EpochKey


def keygen(out: Path, *more: str) -> Result:
    return CliRunner().invoke(evaluator, ["keygen", "--out", str(out), *more])


def kept(out: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("threshold", "shares"), [(2, 3), (3, 5)])
def test_the_commands_it_prints_put_the_epoch_into_the_descriptor(tmp_path: Path, threshold: int, shares: int) -> None:
    out = tmp_path / "keys"
    printed = keygen(out, "--epoch", "4", "--threshold", str(threshold), "--shares", str(shares)).stdout
    draft = tmp_path / "draft.toml"
    draft.write_bytes(serialise_file(File()))
    commands = [shlex.split(line) for line in printed.splitlines() if line.startswith("  upprop federation ")]
    assert len(commands) == 2 * shares + 1
    for command in commands:
        arguments = [str(draft) if word == "draft.toml" else word for word in command[2:]]
        if "--certificate" in arguments:
            at = arguments.index("--certificate")
            arguments[at : at + 2] = ["--key-sha256", arguments[arguments.index("--index") + 1] * 64]
        arguments = ["127.0.0.1:7441" if word == "HOST:PORT" else word for word in arguments]
        result = CliRunner().invoke(descriptor_cli.federation, arguments)
        assert result.exit_code == 0, result.output
    [epoch] = parse_file(draft.read_bytes()).epochs
    assert set(epoch.signatures) == set(range(1, shares + 1))
    key = EpochKey.checked(epoch.epoch, epoch.threshold, epoch.share_version, epoch.public_key, epoch.commitments)
    assert (key.epoch, key.threshold, len(key.commitments)) == (4, threshold, shares)
    for index in range(1, shares + 1):
        share = parse_share((out / f"evaluator-{index}" / "epoch-4.share").read_bytes())
        assert (share.index, share.epoch, share.commitment) == (index, 4, key.commitments[index])


def test_every_secret_is_its_owners_alone_and_none_is_printed(tmp_path: Path) -> None:
    out = tmp_path / "keys"
    result = keygen(out, "--epoch", "1")
    files = list(kept(out))
    assert sorted({path.name for path in files}) == ["epoch-1.share", "signing.key", "signing.pub"]
    assert len(files) == 9
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == (0o644 if path.suffix == ".pub" else 0o600)
        if path.suffix == ".share":
            assert parse_share(path.read_bytes()).secret.hex() not in result.output
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in out.iterdir())


def test_it_warns_that_it_is_a_dealer(tmp_path: Path) -> None:
    assert "unsafe for real pupils" in keygen(tmp_path / "keys", "--epoch", "1").stderr


def test_the_next_epoch_has_another_key_and_the_same_signing_keys(tmp_path: Path) -> None:
    first = json.loads(keygen(tmp_path, "--epoch", "1", "--json").stdout)
    signing_key = tmp_path / "evaluator-1" / "signing.key"
    before = pki.read_private_signing_key(signing_key).private_bytes_raw()
    second = json.loads(keygen(tmp_path, "--epoch", "2", "--json").stdout)
    assert first["public_key"] != second["public_key"]
    assert pki.read_private_signing_key(signing_key).private_bytes_raw() == before


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    keygen(tmp_path, "--epoch", "2")
    (tmp_path / "evaluator-1" / "epoch-2.share").unlink()
    before = kept(tmp_path)
    again = keygen(tmp_path, "--epoch", "2")
    assert isinstance(again.exception, UppropError)
    assert again.exception.code is Code.CONFIG_INVALID
    assert kept(tmp_path) == before


def test_scripts_get_one_json_object(tmp_path: Path) -> None:
    found = json.loads(keygen(tmp_path, "--epoch", "1", "--json").stdout)
    assert (found["epoch"], found["threshold"], len(found["commitments"])) == (1, 2, 3)
    assert all(Path(path).exists() for path in found["share_files"].values())


@pytest.mark.parametrize("numbers", [("1", "3"), ("4", "3"), ("2", "1"), ("2", "999")])
def test_impossible_thresholds_are_refused_before_anything_is_written(tmp_path: Path, numbers: tuple[str, str]) -> None:
    out = tmp_path / "keys"
    result = keygen(out, "--epoch", "1", "--threshold", numbers[0], "--shares", numbers[1])
    assert result.exit_code == 2
    assert not out.exists()
