"""The map in the package's docstring shows every module of it."""

from __future__ import annotations

import pkgutil
import re

from registry import statistics


def test_the_package_names_all_its_modules() -> None:
    assert statistics.__doc__ is not None
    _, _, drawn = statistics.__doc__.partition("\n\n")
    shown = {word for line in drawn.splitlines() for word in re.findall(r"\w+", line[16:])}
    modules = {module.name for module in pkgutil.iter_modules(statistics.__path__)}
    assert modules <= shown
