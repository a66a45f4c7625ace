"""What stops a party: one clear line, an exit code of its own, and nothing changed. With the commands people type."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import errors, pki, throwaway
from federation.cli import main
from federation.clock import utc_now
from federation.database import Database
from federation.identity import Identity
from privacy.keys import deal_epoch
from tests.harness.ports import free_ports

ROLES = {
    "node-0180": ("node", "status"),
    "evaluator-1": ("evaluator", "status"),
    "registry": ("registry", "status"),
    "reader-public": ("query", "tables"),
}
IDENTITIES = {
    "node-0180": "upprop://node/0180",
    "evaluator-1": "upprop://evaluator/1",
    "registry": "upprop://registry/a",
    "reader-public": "upprop://authority/public",
}
DATABASES = {"node-0180": "node.sqlite", "evaluator-1": "evaluator.sqlite", "registry": "registry.sqlite"}
SECRETS = {
    "node-0180": ("tls.key", "record.key"),
    "evaluator-1": ("tls.key", "epoch-1.share", "signing.key"),
    "registry": ("tls.key", "epoch-1.key", "ledger.key"),
    "reader-public": ("tls.key",),
}


@dataclass(frozen=True)
class Home:
    """A party's directory, and what it is."""

    directory: Path
    federation: throwaway.DevFederation

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def replace(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new, 1), encoding="utf-8")

    def add(self, line: str) -> None:
        self.config.write_text(line + "\n" + self.config.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> throwaway.DevFederation:
    """A federation whose parties have their stores."""
    registry, evaluator = free_ports(2)
    made = throwaway.dev(
        tmp_path_factory.mktemp("bad") / "federation",
        [throwaway.DevMember("0180")],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry, (evaluator, registry)),
    )
    for name in ROLES:
        config = made.directory / name / "config.toml"
        role = ROLES[name][0]
        if name in DATABASES:
            assert CliRunner().invoke(main, [role, "migrate", "--config", str(config)]).exit_code == 0
        # The descriptor has been seen, as it was when the party last ran; a reader reaches no registry.
        expected = 0 if name in DATABASES else errors.EXIT_PEER
        assert CliRunner().invoke(main, [*ROLES[name], "--config", str(config)]).exit_code == expected
    return made


@pytest.fixture
def home(whole: throwaway.DevFederation, tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    """A copy of the party that the test is about, to be spoilt."""
    copy = tmp_path / "federation"
    shutil.copytree(whole.directory, copy)
    return Home(copy / request.param, throwaway.DevFederation(copy, whole.ca, whole.authority_key))


every_role = pytest.mark.parametrize("home", list(ROLES), indirect=True)
every_daemon = pytest.mark.parametrize("home", list(DATABASES), indirect=True)


def tree(directory: Path) -> dict[str, tuple[int, str]]:
    """Every file with its mode and content; but which process held the lock last is nobody's business."""
    return {
        str(path.relative_to(directory)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and path.name != "daemon.lock" else "",
        )
        for path in sorted(directory.rglob("*"))
    }


def refused(home: Home, exit_code: int, *words: str, command: tuple[str, ...] | None = None) -> None:
    """The party's command ends with this code and one line with these words, and changes nothing."""
    before = tree(home.directory.parent)
    result = CliRunner().invoke(main, [*(command or ROLES[home.name]), "--config", str(home.config)])
    _check(result.exit_code, result.stdout, result.stderr, exit_code, words)
    assert tree(home.directory.parent) == before


def start_refused(home: Home, exit_code: int, *words: str) -> None:
    """The same of a daemon that is started."""
    before = tree(home.directory.parent)
    command = [sys.executable, "-m", "federation.cli", ROLES[home.name][0], "serve", "--config", str(home.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    said = "".join(f"{line}\n" for line in done.stderr.splitlines() if not line.startswith("{"))
    _check(done.returncode, done.stdout, said, exit_code, words)
    assert tree(home.directory.parent) == before


def _check(code: int, stdout: str, stderr: str, exit_code: int, words: tuple[str, ...]) -> None:
    assert code == exit_code, stderr
    assert stdout == ""
    [line] = stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith("]")
    for each in words:
        assert each in line


@every_role
def test_an_unknown_setting(home: Home) -> None:
    home.replace("metrics_listen", "metric_listen")
    refused(home, errors.EXIT_CONFIGURATION, "`metric_listen`", "Did you mean metrics_listen?", "config.toml")


@every_role
def test_settings_that_are_not_there(home: Home) -> None:
    home.config.unlink()
    refused(home, errors.EXIT_CONFIGURATION, "config.toml", "No such file")


@every_role
def test_a_descriptor_that_the_pinned_authority_did_not_sign(home: Home) -> None:
    other = pki.public_pem(Ed25519PrivateKey.generate().public_key())
    (home.directory.parent / "authority" / "authority.pub").write_bytes(other)
    refused(home, errors.EXIT_AUTHORITY, "not signed by the authority", "[DESCRIPTOR_UNSIGNED]")


@every_role
def test_a_descriptor_older_than_one_seen(home: Home) -> None:
    data = home.directory / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    (data / "descriptor.seen").write_text(f"9 {'0' * 64}\n")
    refused(home, errors.EXIT_DESCRIPTOR_OLDER, "has serial 1", "serial 9", "[DESCRIPTOR_OLDER]")


@every_role
def test_a_data_directory_that_cannot_be_written(home: Home) -> None:
    # Modes do not bind root, as whom tests may run; a file in the way binds everybody.
    (home.directory / "taken").write_text("a file")
    home.replace('data_dir = "data"', 'data_dir = "taken/data"')
    refused(home, errors.EXIT_DIRECTORY, str(home.directory / "taken" / "data"), "[DIRECTORY_UNWRITABLE]")


@every_daemon
def test_a_store_cannot_be_made_in_a_directory_that_cannot_be_written(home: Home) -> None:
    home.replace('data_dir = "data"', 'data_dir = "/proc/upprop"')
    refused(
        home, errors.EXIT_DIRECTORY, "/proc/upprop", "[DIRECTORY_UNWRITABLE]", command=(ROLES[home.name][0], "migrate")
    )


def _secrets() -> Iterator[tuple[str, str]]:
    for name, secrets in SECRETS.items():
        for secret in secrets:
            yield name, secret


@pytest.mark.parametrize(("home", "secret"), list(_secrets()), indirect=["home"])
def test_a_key_file_that_is_missing(home: Home, secret: str) -> None:
    (home.directory / secret).unlink()
    refused(home, errors.EXIT_SECRET, secret, "[SECRET_MISSING]")


@pytest.mark.parametrize(("home", "secret"), list(_secrets()), indirect=["home"])
def test_a_key_file_that_others_can_read(home: Home, secret: str) -> None:
    (home.directory / secret).chmod(0o640)
    refused(home, errors.EXIT_SECRET, "chmod 600", secret, "[SECRET_MODE]")


@every_daemon
def test_a_store_that_a_newer_program_has_written(home: Home) -> None:
    database = Database(home.directory / "data" / DATABASES[home.name])
    with database.transaction("test") as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    refused(home, errors.EXIT_SCHEMA_NEWER, "newer version", "[SCHEMA_NEWER]")
    refused(home, errors.EXIT_SCHEMA_NEWER, "newer version", command=(ROLES[home.name][0], "migrate"))


@every_daemon
def test_a_store_that_is_damaged(home: Home) -> None:
    (home.directory / "data" / DATABASES[home.name]).write_bytes(b"no database" * 1_000)
    refused(home, errors.EXIT_STORE, DATABASES[home.name], "is damaged")


@every_daemon
def test_a_store_that_was_never_made(home: Home) -> None:
    (home.directory / "data" / DATABASES[home.name]).unlink()
    role = ROLES[home.name][0]
    result = CliRunner().invoke(main, [*ROLES[home.name], "--config", str(home.config)])
    _check(result.exit_code, result.stdout, result.stderr, errors.EXIT_STORE, (f"upprop {role} migrate",))


@pytest.mark.parametrize("home", ["node-0180", "registry"], indirect=True)
def test_a_database_server_that_does_not_answer(home: Home) -> None:
    [port] = free_ports(1)
    url = home.directory / "database.url"
    url.write_text(f"postgresql://upprop@127.0.0.1:{port}/upprop")
    url.chmod(0o600)
    home.add('database_url_file = "database.url"')
    refused(home, errors.EXIT_STORE, "does not answer", "[STORE_UNREACHABLE]")


@every_role
def test_a_clock_by_which_the_own_certificate_is_not_valid_yet(home: Home) -> None:
    key = load_pem_private_key((home.directory / "tls.key").read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    begins = utc_now() + timedelta(hours=2)
    party = Identity.parse(IDENTITIES[home.name])
    issued = pki.issue(home.federation.ca, party, key.public_key(), begins, timedelta(days=90))
    (home.directory / "tls.crt").write_bytes(pki.certificate_pem(issued))
    refused(home, errors.EXIT_CLOCK, "Check this machine's clock", "[CLOCK_WRONG]")


@pytest.fixture
def taken() -> Iterator[str]:
    """An address at which somebody listens already."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@every_daemon
def test_a_metrics_port_that_is_in_use(home: Home, taken: str) -> None:
    home.replace('metrics_listen = "127.0.0.1:0"', f'metrics_listen = "{taken}"')
    start_refused(home, errors.EXIT_PORT, taken, "metrics_listen", "[PORT_TAKEN]")


@pytest.mark.parametrize("home", ["evaluator-1", "registry"], indirect=True)
def test_a_port_for_parties_that_is_in_use(home: Home, taken: str) -> None:
    text = home.config.read_text(encoding="utf-8")
    [line] = [each for each in text.splitlines() if each.startswith("listen =")]
    home.replace(line, f'listen = "{taken}"')
    start_refused(home, errors.EXIT_PORT, taken, "[PORT_TAKEN]")
