"""Groups of commands that are loaded when they are asked for, so that each starts as quickly as what it needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """`mounted`: name of a command → where it stands, as `package.module:attribute`. `--help` loads them all."""

    def __init__(self, *args: Any, mounted: Mapping[str, str], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.mounted = mounted

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.mounted])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.mounted:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.mounted[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command
