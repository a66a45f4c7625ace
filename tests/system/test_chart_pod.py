"""What a pod of the chart does, done here: its containers' commands one after the other, in a root of their own.

Only paths and ports are others. Secrets are mounted as a kubelet mounts them: read-only links to files that a group can
read, which the daemons refuse.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.throwaway import DevFederation
from tests.conftest import MakeFederation
from tests.harness.chart import CASES, ROLES, Object, Values, merged, named, objects
from tests.harness.ports import free_ports

HOMES = {"node": "node-0180", "registry": "registry", "evaluator": "evaluator-1", "reader": "reader-public"}
FILES = {
    "identity": ("tls.crt", "tls.key"),
    "record-key": ("record.key",),
    "ledger-key": ("ledger.key",),
    "epoch-keys": ("epoch-1.key",),
    "signing-key": ("signing.key",),
    "shares": ("epoch-1.share",),
}
# An evaluator starts with a share; the first one comes from a Secret.
MORE: dict[str, Values] = {"evaluator": {"evaluator": {"shares": {"existingSecret": "s", "names": ["epoch-1.share"]}}}}


class Pod:
    """The pod of a role in `root`, where /etc, /mnt, /run and /var of its containers lie."""

    def __init__(self, role: str, root: Path, federation: DevFederation) -> None:
        self.role, self.root = role, root
        found = objects(merged(CASES[role], MORE.get(role, {})))
        self.spec = named(found, "StatefulSet", f"up-upprop-{role}")["spec"]["template"]["spec"]
        config = named(found, "ConfigMap", f"up-upprop-{role}")["data"]["config.toml"].replace('"/', f'"{root}/')
        ports = free_ports(3)
        self.metrics = ports[0]
        for port, ours in zip((9464, 7450, 7460), ports, strict=True):
            config = config.replace(f"0.0.0.0:{port}", f"127.0.0.1:{ours}")
        _write(root / "etc/upprop/config/config.toml", config.encode())
        _write(root / "etc/upprop/federation/federation.toml", federation.descriptor.read_bytes())
        authority = federation.directory / "authority" / "authority.pub"
        _write(root / "etc/upprop/federation/authority.pub", authority.read_bytes())
        (root / "run/upprop").mkdir(parents=True)
        home = federation.directory / HOMES[role]
        for mount in self.spec["initContainers"][0]["volumeMounts"]:
            path = root / mount["mountPath"].removeprefix("/")
            if mount["name"].startswith("secret-"):
                _mount(path, {name: (home / name).read_bytes() for name in FILES[path.name]})
            path.mkdir(parents=True, exist_ok=True)
            if mount["name"] in ("data", "shares"):
                # As fsGroup leaves the top of a volume.
                path.chmod(0o2775)

    def start(self, container: Object) -> subprocess.Popen[str]:
        arguments = [
            each.replace("=/", f"={self.root}/") if "=/" in each else f"{self.root}{each}" if each[0] == "/" else each
            for each in container["args"]
        ]
        temporary = self.root / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {each["name"]: each["value"] for each in container["env"]}
        variable = f"UPPROP_{self.role.upper()}_CONFIG"
        assert environment[variable] == "/etc/upprop/config/config.toml"
        environment |= {variable: f"{self.root}/etc/upprop/config/config.toml", "TMPDIR": str(temporary)}
        return subprocess.Popen(
            [sys.executable, "-m", "federation.cli", *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def initialise(self, containers: slice = slice(None)) -> None:
        for container in self.spec["initContainers"][containers]:
            process = self.start(container)
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 0, output

    def answers(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0


@pytest.fixture
def root() -> Iterator[Path]:
    """Short, as a pod's paths are: a socket's may have some hundred letters."""
    with tempfile.TemporaryDirectory(prefix="pod-") as directory:
        yield Path(directory)


@pytest.mark.parametrize("role", ROLES)
def test_the_pod_of_a_role_starts_is_ready_and_ends(role: str, root: Path, make_federation: MakeFederation) -> None:
    pod = Pod(role, root, make_federation("0180"))
    pod.initialise()
    staged = [path for path in (pod.root / "run").rglob("*") if path.is_file()]
    assert staged
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in staged)
    # Containers start anew, and a volume that is attached anew may have been given to the group.
    (pod.root / "var/lib/upprop/data").chmod(0o2770)
    pod.initialise(slice(1))
    assert stat.S_IMODE((pod.root / "var/lib/upprop/data").stat().st_mode) == 0o700

    daemon = pod.start(pod.spec["containers"][0])
    try:
        deadline = time.monotonic() + 60
        while pod.answers("/readyz") != 200:
            assert daemon.poll() is None, daemon.communicate()[0]
            assert time.monotonic() < deadline, "never ready"
            time.sleep(0.1)
        assert pod.answers("/healthz") == 200
    finally:
        daemon.send_signal(signal.SIGTERM)
        output, _ = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, output


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _mount(directory: Path, content: dict[str, bytes]) -> None:
    """As a kubelet does: the files in a directory of a version, links to them, and a group that can read."""
    version = directory / "..2026_11_22"
    version.mkdir(parents=True)
    (directory / "..data").symlink_to(version.name)
    for name, data in content.items():
        _write(version / name, data)
        (version / name).chmod(0o440)
        (directory / name).symlink_to(Path("..data", name))
