"""Jinja as every page of ours uses it: everything is escaped, a name that is not there raises.

Templates lie in `templates/` of the package that owns them. They hold no script and no style: the strict
Content-Security-Policy of `federation.web.headers` would refuse both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str, filters: Mapping[str, Any] | None = None) -> Environment:
    """The templates of one package; read once, since they change only with the program."""
    made = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(filters or {})
    return made
