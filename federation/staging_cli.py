"""`upprop stage`: the first thing in a container."""

from __future__ import annotations

from pathlib import Path

import click

from federation import staging

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="In a container: put mounted secrets where a daemon takes them.")
@click.option("--secrets", "mounted", type=_DIRECTORY, required=True, help="Their mounts, a directory each.")
@click.option("--into", "own", type=_DIRECTORY, required=True, help="Where they go; best in memory.")
@click.option(
    "--certificate",
    nargs=2,
    type=_FILE,
    metavar="MOUNTED OWN",
    help="Copy a certificate to where it can be renewed, unless a later one of its key is there.",
)
@click.option("--private", type=_DIRECTORY, multiple=True, help="Make this directory, or make it private. Repeatable.")
def stage(mounted: Path, own: Path, certificate: tuple[Path, Path] | None, private: tuple[Path, ...]) -> None:
    """Put mounted secrets where a daemon takes them: readable by its own user and nobody else.

    Kubernetes mounts secrets as files of root, readable by a group at least; the daemons take no secret that others can
    read. Run this before them, as their user, as the chart's init container does.

    \b
      upprop stage --secrets /mnt/upprop --into /run/upprop \\
        --certificate /mnt/upprop/identity/tls.crt /var/lib/upprop/tls/tls.crt --private /var/lib/upprop/data
    """
    for directory in private:
        staging.make_private(directory)
    count = staging.stage_secrets(mounted, own)
    copied = certificate is not None and staging.seed_certificate(*certificate)
    click.echo(f"{count} secrets are staged." + (" The certificate was taken from its mount." if copied else ""))
