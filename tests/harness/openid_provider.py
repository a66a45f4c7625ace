"""The npm package `oidc-provider`, a certified OpenID provider, as a process of its own on loopback."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.harness.system_tools import directory, program

SCRIPT = Path(__file__).with_suffix(".mjs")


@contextlib.contextmanager
def openid_provider(port: int, clients: list[Mapping[str, Any]], people: Mapping[str, Any], log: Path) -> Iterator[str]:
    """Runs while the block does; gives its issuer. `people`: subject → claims."""
    command = [str(program("node")), str(SCRIPT), str(directory("oidc-provider"))]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"port": port, "clients": clients, "people": people}).encode())
            process.stdin.close()
            assert process.stdout.readline() == b"ready\n", log.read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
