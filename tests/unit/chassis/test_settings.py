"""Settings and secrets: a mistake is named at the start."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import msgspec
import pytest

from federation import files
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.settings import DaemonSettings, load, parse_address

MINIMAL = """
data_dir = "data"
descriptor = "../federation.toml"
authority_key = "/etc/upprop/authority.pub"
certificate = "tls.crt"
private_key = "tls.key"
"""


class Roles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    owner: str


class RoleSettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    share_files: list[Path] = msgspec.field(default_factory=list)
    epoch_keys: dict[str, Path] = msgspec.field(default_factory=dict)
    roles: Roles | None = None


def _load(directory: Path, text: str) -> RoleSettings:
    path = directory / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, RoleSettings)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "role"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    (home / "config.toml").write_text(MINIMAL + 'share_files = ["a.share"]\n[epoch_keys]\n1 = "k"\n', encoding="utf-8")
    settings = load(Path("role/config.toml"), RoleSettings)
    assert settings.data_dir == home / "data"
    assert settings.descriptor.resolve() == tmp_path / "federation.toml"
    assert settings.authority_key == Path("/etc/upprop/authority.pub")
    assert settings.share_files == [home / "a.share"]
    assert settings.epoch_keys == {"1": home / "k"}


def test_what_is_not_said_has_its_documented_default(tmp_path: Path) -> None:
    settings = _load(tmp_path, MINIMAL)
    assert (settings.listen, settings.metrics_listen, settings.clock) == (None, "127.0.0.1:9464", "system")
    assert settings.today is None
    assert _load(tmp_path, MINIMAL + "today = 2026-10-19\n").today == date(2026, 10, 19)


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "metrics_lisen = '127.0.0.1:1'\n",
        MINIMAL + "clock = 'stopped'\n",
        MINIMAL + "data_dir = 'again'\n",
        MINIMAL.replace('"data"', "1"),
        MINIMAL.replace('"data"', '""'),
        "data_dir = 'data'\n",
        "not toml",
        "\x00",
    ],
)
def test_a_mistake_in_the_settings_is_refused_and_the_file_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(UppropError, match=r"config\.toml") as refused:
        _load(tmp_path, text)
    assert refused.value.code is Code.CONFIG_INVALID


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("metrics_lisen = '127.0.0.1:1'\n", "`metrics_lisen`.* Did you mean metrics_listen?"),
        ("colour = 'red'\n", "`colour`.* Take it out"),
        ("[roles]\nownr = 'x'\n", "`ownr`.* Did you mean owner?"),
        ("[roles]\nowner = 'x'\nclock = 'system'\n", "`clock`.* It belongs elsewhere"),
    ],
)
def test_an_unknown_key_is_named_and_the_one_that_was_meant(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(UppropError, match=words):
        _load(tmp_path, MINIMAL + lines)


def test_absent_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UppropError) as refused:
        load(tmp_path / "none.toml", RoleSettings)
    assert refused.value.code is Code.CONFIG_INVALID


def test_settings_that_would_ignore_unknown_keys_cannot_be_declared(tmp_path: Path) -> None:
    class Lax(msgspec.Struct):
        data_dir: Path

    with pytest.raises(TypeError):
        load(tmp_path / "config.toml", Lax)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_a_secret_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"hunter2")
    path.chmod(mode)
    with pytest.raises(UppropError, match="chmod 600") as refused:
        read_secret(path)
    assert refused.value.code is Code.SECRET_MODE
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_of_ones_own_is_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"hunter2")
    path.chmod(mode)
    assert read_secret(path) == b"hunter2"


@pytest.mark.parametrize("flaw", ["missing", "empty", "directory"])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, flaw: str) -> None:
    path = tmp_path / "key"
    if flaw == "empty":
        files.write_secret(path, b"")
    if flaw == "directory":
        path.mkdir(mode=0o700)
    with pytest.raises(UppropError) as refused:
        read_secret(path)
    assert refused.value.code is Code.SECRET_MISSING


def test_a_secret_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        files.write_secret(path, b"first")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UppropError):
        files.write_secret(path, b"second")
    assert path.read_bytes() == b"first"


def test_a_replaced_file_is_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "state"
    files.replace(path, b"first")
    files.replace(path, b"second", mode=0o600)
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("text", "parsed"), [("127.0.0.1:7443", ("127.0.0.1", 7443)), ("[::1]:0", ("::1", 0))])
def test_addresses_are_understood(text: str, parsed: tuple[str, int]) -> None:
    assert parse_address(text) == parsed


@pytest.mark.parametrize("text", ["7443", ":7443", "host:", "host:70000", "host:-1", "host:٣"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(UppropError) as refused:
        parse_address(text)
    assert refused.value.code is Code.CONFIG_INVALID
