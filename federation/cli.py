"""`upprop`: the one command. Each role's commands are loaded when they are asked for, so that a node needs no library
of a registry and `--help` is quick.

Invariants: every failure ends with one plain sentence and an exit code that means something; the text of an exception
that nobody foresaw is never printed, since it may quote what was being handled.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, NamedTuple

import click

from federation import tls13
from federation.errors import EXIT_INTERRUPTED, EXIT_UNEXPECTED, Code, UppropError, exit_code
from federation.observability import place_of, version

DEBUG_VARIABLE = "UPPROP_DEBUG"
"""Set to 1, unforeseen exceptions are shown whole: for trials with synthetic people only."""

OWN_PACKAGES = ("federation", "node", "privacy", "registry")

EPILOG = """\b
Exit codes:
   0 done                                1 unforeseen failure
   2 wrong usage                         3 configuration not understood
   4 input refused                       5 identity or descriptor refused
   6 peer unreachable or no quorum       7 store locked or not up to date
   8 ledger contradicted                 9 port in use
  10 secret missing or open to others   11 directory cannot be written
  12 clock wrong                        13 store newer than this program
  14 not signed by the pinned authority 15 descriptor older than one seen
  16 admission refused                  17 not admitted yet
 130 interrupted"""


class _Mounted(NamedTuple):
    module: str
    attribute: str
    extra: str
    help: str


# Their help stands here, since asking the commands for it would load them all.
COMMANDS = {
    "node": _Mounted("node.cli", "node", "node", "Run a municipality's node: import, sync, cases."),
    "evaluator": _Mounted("privacy.evaluator.cli", "evaluator", "evaluator", "Run an evaluator of pseudonyms."),
    "registry": _Mounted("registry.cli", "registry", "registry", "Run the registry that matches gaps."),
    "ledger": _Mounted("registry.ledger.cli", "ledger", "registry", "Compare the registry's ledger with its database."),
    "query": _Mounted("registry.statistics.cli", "query", "statistics", "Ask the national statistics."),
    "dashboard": _Mounted(
        "registry.dashboard.cli", "dashboard", "statistics", "Show the national statistics as pages and as an API."
    ),
    "federation": _Mounted("federation.descriptor_cli", "federation", "node", "Make, sign and show the descriptor."),
    "pki": _Mounted("federation.pki_cli", "pki", "demo", "Make keys and certificates for trials (unsafe)."),
    "stage": _Mounted("federation.staging_cli", "stage", "node", "In a container: make secrets private."),
    "demo": _Mounted("federation.demo.cli", "demo", "demo", "Play an autumn term with all parties on this machine."),
    "simulate": _Mounted("federation.demo.cli", "simulate", "demo", "Play a scenario and write what happened."),
}


class Upprop(click.Group):
    """Loads commands lazily and turns every failure into a sentence and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        tls13.require()
        # gRPC's core would write addresses and library internals to standard error, between our declared events.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        return super().main(*args, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        mounted = COMMANDS.get(cmd_name)
        if mounted is None:
            return None
        try:
            module = importlib.import_module(mounted.module)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing in OWN_PACKAGES:
                raise UppropError(Code.CONFIG_INVALID, f"This installation has no `upprop {cmd_name}`.") from error
            raise UppropError(
                Code.CONFIG_INVALID,
                f"`upprop {cmd_name}` needs {missing}. Run: pip install 'upprop[{mounted.extra}]'",
            ) from error
        command = getattr(module, mounted.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, mounted.help) for name, mounted in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UppropError as error:
            click.echo(f"Error: {error.sentence} [{error.code.value}]", err=True)
            raise click.exceptions.Exit(exit_code(error.code)) from error
        except (KeyboardInterrupt, click.Abort) as error:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(EXIT_INTERRUPTED) from error
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE) == "1":
                raise
            click.echo(
                f"Error: something nobody foresaw went wrong ({type(error).__name__} at {place_of(error)}). "
                "Please report this line.",
                err=True,
            )
            raise click.exceptions.Exit(EXIT_UNEXPECTED) from error


@click.group(cls=Upprop, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="upprop")
def main() -> None:
    """Upprop finds pupils who leave the schools of one municipality and never enrol anywhere else."""


if __name__ == "__main__":
    main()
