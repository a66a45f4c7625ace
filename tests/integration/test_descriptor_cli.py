"""`upprop federation` and `upprop pki`: an authority's work from the empty draft to the descriptor in force."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import cli, descriptor, pki, throwaway
from federation.clock import utc_now
from federation.descriptor_file import parse_file
from federation.errors import (
    EXIT_AUTHORITY,
    EXIT_CONFIGURATION,
    EXIT_IDENTITY,
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    EXIT_UNEXPECTED,
    EXIT_USAGE,
)
from federation.files import write_secret
from tests.conftest import MakeFederation

Upprop = Callable[..., Result]


@pytest.fixture
def upprop() -> Upprop:
    def run(*arguments: object, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, [str(each) for each in arguments])
        assert result.exit_code == exit_code, result.output
        return result

    return run


@pytest.fixture
def authority(upprop: Upprop, tmp_path: Path) -> Path:
    upprop("federation", "init", tmp_path / "authority")
    return tmp_path / "authority"


@pytest.fixture
def trial(make_federation: MakeFederation) -> throwaway.DevFederation:
    """Certificates and keys to build a descriptor from by hand."""
    return make_federation("0180", "1480", directory="trial")


def _commitments(trial: throwaway.DevFederation) -> tuple[str, list[str]]:
    epoch = descriptor.parse_file(trial.descriptor.read_bytes()).epochs[0]
    return epoch.public_key.hex(), [
        f"--commitment={index}:{base64.b64encode(value).decode()}" for index, value in epoch.commitments.items()
    ]


@pytest.fixture
def draft(upprop: Upprop, authority: Path, trial: throwaway.DevFederation, tmp_path: Path) -> Path:
    """A complete draft, made command by command; its epoch is signed by all evaluators but the last."""
    path = authority / "draft.toml"
    home = trial.directory
    add = ("federation", "add")
    upprop(*add, "ca", path, "--certificate", home / "ca" / "ca.crt")
    upprop(*add, "calendar", path, "--break", "2026-06-15:2026-08-17", "--break", "2026-10-26:2026-10-30")
    upprop(*add, "registry", path, "--name", "a", "--address", "reg:7450", "--certificate", home / "registry/tls.crt")
    for index in (1, 2, 3):
        evaluator = home / f"evaluator-{index}"
        key = pki.read_private_signing_key(evaluator / "signing.key").public_key()
        public = tmp_path / f"signing-{index}.pub"
        public.write_bytes(pki.public_pem(key))
        options = ("--signing-key", public, "--certificate", evaluator / "tls.crt")
        upprop(*add, "evaluator", path, "--index", index, "--address", f"e{index}:7440", *options)
    member = (*add, "member", path, "--population", 980_000)
    upprop(*member, "--id", "0180", "--name", "Stockholm", "--certificate", home / "node-0180/tls.crt")
    upprop(*member, "--id", "1480-5561234567", "--key-sha256", "ab" * 32, "--home", "1480")
    public_key, commitments = _commitments(trial)
    upprop(*add, "epoch", path, "--epoch", 1, "--threshold", 2, "--public-key", public_key, *commitments)
    for index in (1, 2):
        _sign_epoch(upprop, path, trial, index)
    return path


def _sign_epoch(upprop: Upprop, path: Path, trial: throwaway.DevFederation, index: int, exit_code: int = 0) -> Result:
    key = trial.directory / f"evaluator-{index}" / "signing.key"
    arguments = ("federation", "sign-epoch", path, "--epoch", 1, "--index", index, "--signing-key", key)
    return upprop(*arguments, exit_code=exit_code)


@pytest.fixture
def sign(upprop: Upprop, authority: Path) -> Callable[..., Path]:
    def run(draft: Path, exit_code: int = 0) -> Path:
        out = authority.parent / "federation.toml"
        upprop("federation", "sign", draft, "--key", authority / "authority.key", "--out", out, exit_code=exit_code)
        return out

    return run


Sign = Callable[..., Path]


def test_the_authoritys_key_is_its_own_alone(authority: Path) -> None:
    assert stat.S_IMODE((authority / "authority.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.stat().st_mode) == 0o700


def test_a_second_init_overwrites_nothing(upprop: Upprop, authority: Path) -> None:
    before = {path.name: path.read_bytes() for path in authority.iterdir()}
    upprop("federation", "init", authority, exit_code=EXIT_CONFIGURATION)
    (authority / "draft.toml").unlink()
    upprop("federation", "init", authority, exit_code=EXIT_CONFIGURATION)
    assert (authority / "authority.key").read_bytes() == before["authority.key"]


def test_what_was_signed_is_in_force(
    upprop: Upprop, draft: Path, trial: throwaway.DevFederation, sign: Sign, authority: Path
) -> None:
    _sign_epoch(upprop, draft, trial, 3)
    out = sign(draft)
    key = descriptor.read_authority_key(authority / "authority.pub")
    loaded = descriptor.load(out, key, utc_now(), 1)
    assert [each.id for each in loaded.members] == ["0180", "1480-5561234567"]
    assert (loaded.member("1480-5561234567").kind, loaded.member("1480-5561234567").home) == ("operator", "1480")
    assert loaded.quota("0180") == (1_470_000, 490_000)
    trial_descriptor = descriptor.parse_file(trial.descriptor.read_bytes())
    assert loaded.member("0180").key_sha256 == trial_descriptor.members[0].key_sha256
    assert loaded.epochs[0].public_key == trial_descriptor.epochs[0].public_key


def test_an_epoch_that_lacks_a_signature_is_not_signed(draft: Path, sign: Sign) -> None:
    before = draft.read_bytes()
    assert not sign(draft, exit_code=EXIT_IDENTITY).exists()
    assert draft.read_bytes() == before


def test_an_evaluator_signs_with_its_own_key_alone(upprop: Upprop, draft: Path, trial: throwaway.DevFederation) -> None:
    key = trial.directory / "evaluator-1" / "signing.key"
    arguments = ("federation", "sign-epoch", draft, "--epoch", 1, "--index", 3, "--signing-key", key)
    upprop(*arguments, exit_code=EXIT_INPUT)


def test_each_signing_has_the_next_serial(upprop: Upprop, authority: Path, sign: Sign) -> None:
    draft = authority / "draft.toml"
    for serial in (1, 2, 3):
        shown = json.loads(upprop("federation", "show", sign(draft), "--json").stdout)
        assert (shown["serial"], shown["verified"]) == (serial, False)


def test_an_epoch_is_added_as_its_ceremony_wrote_it_down(upprop: Upprop, tmp_path: Path) -> None:
    stated = upprop("evaluator", "keygen", "--epoch", 3, "--out", tmp_path / "keys", "--json").stdout
    ceremony, draft = tmp_path / "epoch-3.json", tmp_path / "authority" / "draft.toml"
    ceremony.write_text(stated, encoding="utf-8")
    upprop("federation", "init", tmp_path / "authority")
    for index in (1, 2, 3):
        key = tmp_path / "keys" / f"evaluator-{index}" / "signing.pub"
        entry = (
            "--index",
            index,
            "--address",
            f"127.0.0.1:754{index}",
            "--signing-key",
            key,
            "--key-sha256",
            f"{index}" * 64,
        )
        upprop("federation", "add", "evaluator", draft, *entry)
    upprop("federation", "add", "epoch", draft, "--from", ceremony)
    [epoch] = json.loads(upprop("federation", "show", draft, "--json").stdout)["epochs"]
    listed = json.loads(stated)
    assert (epoch["epoch"], epoch["threshold"], epoch["shares"]) == (3, 2, 3)
    assert base64.b64decode(epoch["public_key"]).hex() == listed["public_key"]
    assert {index: base64.b64decode(each).hex() for index, each in epoch["commitments"].items()} == listed[
        "commitments"
    ]
    for broken in ("{}", "no ceremony"):
        ceremony.write_text(broken, encoding="utf-8")
        upprop("federation", "add", "epoch", draft, "--replace", "--from", ceremony, exit_code=4)
    upprop("federation", "add", "epoch", draft, "--from", ceremony, "--epoch", 3, exit_code=2)
    upprop("federation", "add", "epoch", draft, "--epoch", 3, exit_code=2)


def test_show_verifies_with_the_authoritys_key(upprop: Upprop, authority: Path, sign: Sign, tmp_path: Path) -> None:
    out = sign(authority / "draft.toml")
    pinned = ("--authority", authority / "authority.pub")
    assert "Signature verified" in upprop("federation", "show", out, *pinned).stdout
    assert "NOT verified" in upprop("federation", "show", out).stdout
    upprop("federation", "show", authority / "draft.toml", *pinned, exit_code=EXIT_AUTHORITY)
    out.write_bytes(out.read_bytes().replace(b"Stockholm", b"Kopenhamn"))
    upprop("federation", "show", out, *pinned, exit_code=EXIT_AUTHORITY)
    other = tmp_path / "other.pub"
    other.write_bytes(pki.public_pem(Ed25519PrivateKey.generate().public_key()))
    upprop("federation", "show", sign(authority / "draft.toml"), "--authority", other, exit_code=EXIT_AUTHORITY)


def test_an_administrator_sees_what_changed(
    upprop: Upprop, draft: Path, trial: throwaway.DevFederation, sign: Sign, tmp_path: Path
) -> None:
    _sign_epoch(upprop, draft, trial, 3)
    old = tmp_path / "old.toml"
    sign(draft).rename(old)
    upprop("federation", "remove", draft, "--member", "1480-5561234567")
    upprop("federation", "policy", draft, "--watch-school-days", 15)
    member = ("federation", "add", "member", draft, "--population", 1, "--key-sha256")
    upprop(*member, "cd" * 32, "--id", "0180", exit_code=EXIT_INPUT)
    upprop(*member, "cd" * 32, "--id", "0180", "--name", "Stockholm", "--replace")
    upprop(*member, "ef" * 32, "--id", "2480")
    changes = json.loads(upprop("federation", "show", sign(draft), "--since", old, "--json").stdout)
    assert "member 1480-5561234567: removed" in changes
    assert "member 2480: added (no name, 1 pupils)" in changes
    assert "member 0180: population 980000 -> 1" in changes
    assert any(each.startswith("member 0180: key_sha256 ") for each in changes)
    assert "policy: watch_school_days 10 -> 15" in changes
    assert "serial: 1 -> 2" in changes
    assert not any(line.startswith(("epoch", "evaluator", "registry", "CA")) for line in changes)


def test_retention_is_set_value_by_value_and_not_below_what_matching_needs(upprop: Upprop, tmp_path: Path) -> None:
    upprop("federation", "init", tmp_path / "authority")
    draft = tmp_path / "authority" / "draft.toml"
    upprop("federation", "retention", draft, "--closed-case-days", 365, "--notice-days", 100)
    upprop("federation", "retention", draft, "--answer-days", 30)
    kept = parse_file(draft.read_bytes()).policy.retention
    assert (kept.closed_case_days, kept.notice_days, kept.answer_days, kept.arrival_months) == (365, 100, 30, 13)
    upprop("federation", "retention", draft, "--arrival-months", 12, exit_code=EXIT_INPUT)


def test_the_limits_of_a_policy_are_said_in_words(upprop: Upprop, tmp_path: Path) -> None:
    """A federation in service has them all; a throw-away one none, until somebody sets them."""
    upprop("federation", "init", tmp_path / "authority")
    draft = tmp_path / "authority" / "draft.toml"
    upprop("federation", "policy", draft, "--backdating-days", 90, "--monthly-openings-percent", 0, "--no-roll-call")
    shown = upprop("federation", "show", draft).stdout
    assert "at most 90 days before its receipt; one answer about a pupil in 60 days; 20 openings of a member" in shown
    assert "a second person reviews openings made by hand" in shown
    assert "Members are asked: where two have one pupil for over 10 school days\n" in shown
    off = ("--backdating-days", 0, "--answer-kept-days", 0, "--monthly-openings", 0, "--no-second-person")
    upprop("federation", "policy", draft, *off, "--overlap-school-days", 0)
    shown = upprop("federation", "show", draft).stdout
    assert "Limits: none\nMembers are asked: nothing\n" in shown


@pytest.mark.parametrize(
    ("flaw", "arguments", "exit_code"),
    [
        ("a certificate of another", ("--id", "1480", "--certificate", "{home}/node-0180/tls.crt"), EXIT_INPUT),
        ("no certificate", ("--id", "1480", "--certificate", "{home}/node-0180/tls.key"), EXIT_INPUT),
        ("neither key nor certificate", ("--id", "1480"), EXIT_USAGE),
        ("a fingerprint that is none", ("--id", "1480", "--key-sha256", "xyz"), EXIT_INPUT),
        ("an id that is none", ("--id", "14800", "--key-sha256", "ab" * 32), EXIT_INPUT),
        ("a municipality's home", ("--id", "1480", "--key-sha256", "ab" * 32, "--home", "0180"), EXIT_INPUT),
        ("a home that is none", ("--id", "1480-5561234567", "--key-sha256", "ab" * 32, "--home", "148"), EXIT_INPUT),
        ("an unknown calendar", ("--id", "1480", "--key-sha256", "ab" * 32, "--calendar", "x"), EXIT_INPUT),
    ],
)
def test_a_wrong_entry_changes_no_draft(
    upprop: Upprop,
    authority: Path,
    trial: throwaway.DevFederation,
    flaw: str,
    arguments: tuple[str, ...],
    exit_code: int,
) -> None:
    draft = authority / "draft.toml"
    before = draft.read_bytes()
    filled = [each.format(home=trial.directory) for each in arguments]
    upprop("federation", "add", "member", draft, "--population", 1, *filled, exit_code=exit_code)
    assert draft.read_bytes() == before


@pytest.mark.parametrize(("given", "home"), [((), "1480"), (("--home", "0180"), "0180")])
def test_an_operators_home_is_the_municipality_its_id_begins_with_or_the_one_named(
    upprop: Upprop, authority: Path, given: tuple[str, ...], home: str
) -> None:
    draft = authority / "draft.toml"
    options = ("--id", "1480-5561234567", "--population", 400, "--key-sha256", "ab" * 32)
    upprop("federation", "add", "member", draft, *options, *given)
    assert descriptor.parse_file(draft.read_bytes()).members[0].home == home
    assert f"home municipality {home}" in upprop("federation", "show", draft).stdout


def test_readers_of_the_statistics_are_listed_with_their_role_and_taken_out_again(
    upprop: Upprop, authority: Path, trial: throwaway.DevFederation
) -> None:
    draft = authority / "draft.toml"
    certificate = trial.directory / "reader-statistics" / "tls.crt"
    add = ("federation", "add", "reader", draft)
    upprop(*add, "statistics", "--role", "statistics", "--certificate", certificate)
    upprop(*add, "kommunerna", "--role", "public", "--key-sha256", "ab" * 32)
    upprop("federation", "policy", draft, "--statistics", "strict")
    shown = upprop("federation", "show", draft).stdout
    assert "2 readers of the statistics, whose privacy budget is strict" in shown
    assert all(name in shown for name in ("kommunerna", "statistics", "ab" * 32))
    upprop("federation", "remove", draft, "--reader", "kommunerna")
    [left] = descriptor.parse_file(draft.read_bytes()).readers
    [listed] = [each for each in parse_file(trial.descriptor.read_bytes()).readers if each.name == "statistics"]
    assert left == listed


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("oversight", "--role", "oversight", "--certificate", "{home}/reader-statistics/tls.crt"), EXIT_INPUT),
        (("Statistics", "--role", "statistics", "--key-sha256", "ab" * 32), EXIT_INPUT),
        (("statistics", "--role", "statistics"), EXIT_USAGE),
        (("statistics", "--role", "everything", "--key-sha256", "ab" * 32), EXIT_USAGE),
        (("statistics", "--key-sha256", "ab" * 32), EXIT_USAGE),
    ],
    ids=["certificate of another", "a name that is none", "no key", "no such role", "no role"],
)
def test_a_wrong_reader_changes_no_draft(
    upprop: Upprop, authority: Path, trial: throwaway.DevFederation, arguments: tuple[str, ...], exit_code: int
) -> None:
    draft = authority / "draft.toml"
    before = draft.read_bytes()
    filled = [each.format(home=trial.directory) for each in arguments]
    upprop("federation", "add", "reader", draft, *filled, exit_code=exit_code)
    assert draft.read_bytes() == before


def test_a_signed_descriptor_is_not_edited(upprop: Upprop, authority: Path, sign: Sign) -> None:
    out = sign(authority / "draft.toml")
    upprop("federation", "policy", out, "--watch-school-days", 5, exit_code=EXIT_INPUT)


def test_a_throw_away_federation_is_complete_and_warned_of(upprop: Upprop, tmp_path: Path) -> None:
    directory = tmp_path / "dev"
    result = upprop("pki", "dev", directory, "--members", "0180,1480-5561234567", "--base-port", 17440)
    assert "UNSAFE" in result.stderr
    loaded = descriptor.load(
        directory / "federation.toml", descriptor.read_authority_key(directory / "authority/authority.pub"), utc_now()
    )
    assert [each.address for each in loaded.evaluators] == [f"127.0.0.1:{17440 + index}" for index in (1, 2, 3)]
    assert (loaded.member("0180").home, loaded.member("1480-5561234567").home) == (None, "1480")
    assert {each.name: each.role for each in loaded.readers} == {
        role: role for role in ("oversight", "public", "statistics")
    }
    for index, reader in enumerate(loaded.readers):
        settings = (directory / f"reader-{reader.name}" / "config.toml").read_text(encoding="utf-8")
        assert f'http_listen = "127.0.0.1:{17460 + index}"' in settings
    for path in directory.rglob("*"):
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        elif path.suffix in (".key", ".share"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert "NOT secret" in (directory / "registry" / "config.toml").read_text(encoding="utf-8")
    upprop("pki", "dev", directory, "--members", "0180", exit_code=EXIT_CONFIGURATION)


def test_a_threshold_above_the_number_of_evaluators_is_refused(upprop: Upprop, tmp_path: Path) -> None:
    arguments = ("pki", "dev", tmp_path / "dev", "--members", "0180", "--threshold", 4)
    upprop(*arguments, exit_code=EXIT_USAGE)
    assert not (tmp_path / "dev").exists()


# --- the command itself --------------------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `upprop federation show` raise."""

    def arrange(error: BaseException) -> None:
        def fail(_path: Path) -> bytes:
            raise error

        monkeypatch.setattr(descriptor, "read", fail)

    monkeypatch.delenv(cli.DEBUG_VARIABLE, raising=False)
    return arrange


def test_an_unforeseen_failure_quotes_nothing(upprop: Upprop, failing: Callable[[BaseException], None]) -> None:
    failing(ValueError("person 199801019807"))
    result = upprop("federation", "show", "x", exit_code=EXIT_UNEXPECTED)
    assert "9801019807" not in result.output
    assert "ValueError at " in result.stderr


def test_an_interruption_has_its_own_exit_code(upprop: Upprop, failing: Callable[[BaseException], None]) -> None:
    failing(KeyboardInterrupt())
    upprop("federation", "show", "x", exit_code=EXIT_INTERRUPTED)


def test_a_missing_library_names_the_extra_that_brings_it(upprop: Upprop, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError("No module named 'rbcl'", name="rbcl")

    monkeypatch.setattr("federation.cli.importlib.import_module", absent)
    result = upprop("node", "--help", exit_code=EXIT_CONFIGURATION)
    assert "pip install 'upprop[node]'" in result.stderr
    assert "rbcl" in result.stderr


def test_an_unknown_command_is_wrong_usage(upprop: Upprop) -> None:
    upprop("nodes", exit_code=EXIT_USAGE)


def test_help_lists_every_command_and_loads_none(upprop: Upprop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.cli.importlib.import_module", lambda name: pytest.fail(f"loaded {name}"))
    output = upprop("--help").stdout
    assert all(f"\n  {name} " in output for name in cli.COMMANDS)


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_there_is_can_be_loaded(upprop: Upprop, name: str) -> None:
    assert "Usage:" in upprop(name, "--help").stdout


def test_secrets_are_never_overwritten_by_the_authoritys_commands(upprop: Upprop, tmp_path: Path) -> None:
    directory = tmp_path / "authority"
    directory.mkdir()
    write_secret(directory / "authority.key", b"precious")
    upprop("federation", "init", directory, exit_code=EXIT_CONFIGURATION)
    assert (directory / "authority.key").read_bytes() == b"precious"
