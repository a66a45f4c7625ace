"""The commands of `upprop node`: loaded one at a time, each under the name that it bears."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from node.cli import MOUNTED, node


@pytest.mark.parametrize("name", MOUNTED)
def test_every_command_is_there_and_says_what_it_does(name: str) -> None:
    command = node.get_command(click.Context(node), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str()


def test_a_command_loads_nothing_of_the_console() -> None:
    loaded = "import sys, node.cli, node.records.cli; print('starlette' in sys.modules or 'node.app' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
