"""The programs of `make system-tools`, which PyPI does not have. What is missing fails the tests that need it, and says
how to get it; no test is ever skipped for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
HOW = "Run `make system-tools` (as root, where Debian's packages are missing), then `make test-system`."


def program(name: str) -> Path:
    """The program of that name: the one installed for these tests, or the machine's own."""
    own = TOOLS / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        pytest.fail(f"Missing: {name}. {HOW}", pytrace=False)
    return Path(found)


def directory(package: str) -> Path:
    """Where an npm package lies."""
    found = TOOLS / "node_modules" / package
    if not found.is_dir():
        pytest.fail(f"Missing: {package}. {HOW}", pytrace=False)
    return found


def content(package: str, path: str) -> str:
    """The text of a file of an npm package."""
    file = TOOLS / "node_modules" / package / path
    if not file.exists():
        pytest.fail(f"Missing: {package}. {HOW}", pytrace=False)
    return file.read_text(encoding="utf-8")
