"""Options that commands of several roles share, so that one thing has one name and one explanation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.control import Stub

Command = TypeVar("Command", bound=Callable[..., Any])

OpenStub = Callable[[Path], AbstractContextManager[Stub]]
"""Opens the control socket of the daemon of a settings file. A role's group hands it down as the context's object."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a script, and no progress.")


def config_option(role: str) -> Callable[[Command], Command]:
    """`--config`: the settings file of a role, else the one that UPPROP_<ROLE>_CONFIG names."""
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("config.toml"),
        envvar=f"UPPROP_{role.upper()}_CONFIG",
        show_default=True,
        show_envvar=True,
        help=f"The {role}'s settings file.",
    )
