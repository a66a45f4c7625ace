"""Generates the Python side of the contract when the project is built, editable installs included.

Invariant: what is generated is never committed, so it can never disagree with `proto/`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GENERATED = "federation/v1/*_pb2*"


def generate(root: Path) -> None:
    """Write messages, services and type stubs for every file of `root/proto` below `root`."""
    sources = sorted((root / "proto").rglob("*.proto"))
    subprocess.run(  # noqa: S603 - every argument is our own
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={root / 'proto'}",
            f"--python_out={root}",
            f"--grpc_python_out={root}",
            # mypy-protobuf rather than --pyi_out: the latter leaves the service stubs untyped.
            f"--mypy_out={root}",
            f"--mypy_grpc_out={root}",
            *map(str, sources),
        ],
        check=True,
        # protoc finds its plugins on PATH: beside the interpreter, or where a build front end put what the build needs
        # and says so by PATH and PYTHONPATH.
        env={**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])},
    )


class CustomBuildHook(BuildHookInterface[Any]):
    """hatchling's hook: runs before files are collected for a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's interface
        generate(Path(self.root))
        build_data["artifacts"].append(GENERATED)


if __name__ == "__main__":
    generate(Path(__file__).resolve().parent.parent)
