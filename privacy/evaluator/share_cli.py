"""`upprop evaluator share`, `invite` and `refresh`: keeping, refreshing, making again and destroying shares.

All but `destroy` work on files alone, beside the evaluator that runs.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from federation import files
from federation.errors import Code, UppropError
from federation.options import OpenStub, config_option, json_option
from privacy import share_backup
from privacy.ceremony import MAX_DOCUMENT_BYTES
from privacy.errors import PrivacyError
from privacy.evaluator import ceremonies
from privacy.evaluator.ceremonies import Assembly, Refreshed
from privacy.evaluator.client import destroy_share
from privacy.evaluator.home import Home, refused
from privacy.key_file import MAX_EPOCH
from privacy.threshold import MAX_SHARES

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)

_epoch = click.option("--epoch", type=click.IntRange(1, MAX_EPOCH), required=True, help="The epoch of the share.")
_out = click.option("--out", type=NEW_FILE, required=True, help="Where to write it; an existing file is left alone.")
_passphrase = click.option(
    "--passphrase-file", type=FILE, required=True, help="A file (mode 0600) that holds the passphrase on one line."
)


def _given(option: str, what: str) -> Callable[[Command], Command]:
    """An option for files that others carried here: repeatable."""
    return click.option(option, option.strip("-") + "s", type=FILE, multiple=True, required=True, help=what)


_invitations = _given("--invitation", "An invitation; once for each evaluator that takes part, this one included.")


@click.group(short_help="Keep, back up, make again and destroy shares.")
def share() -> None:
    """One evaluator's shares of the pseudonym key.

    Keep a backup of each share under a passphrase, or keep none and make a lost share again with the help of the other
    evaluators. Members are served meanwhile as long as enough other evaluators answer.
    """


@share.command()
@_epoch
@_out
@_passphrase
@config_option("evaluator")
def backup(epoch: int, out: Path, passphrase_file: Path, config: Path) -> None:
    """Write the share in force to a file that only the passphrase opens.

    Keep file and passphrase apart, and neither where another evaluator's are: whoever opens as many backups as the
    threshold has the key. After a refresh or an epoch's end, destroy the backup too: nothing here can reach it.
    """
    own = Home.of(config).share(epoch)
    with _refusals():
        files.write_secret(out, share_backup.sealed(own, _read_passphrase(passphrase_file), secrets.token_bytes))
    click.echo(f"Wrote {out}: the share of epoch {epoch}, version {own.version}, under the passphrase.")


@share.command()
@click.argument("backup_file", type=FILE)
@_passphrase
@config_option("evaluator")
def restore(backup_file: Path, passphrase_file: Path, config: Path) -> None:
    """Put a share back from a backup, after checking it against the descriptor.

    A running evaluator takes it up by itself. A backup from before a refresh is of no use any more.
    """
    home = Home.of(config)
    with _refusals():
        found = share_backup.opened(_content(backup_file), _read_passphrase(passphrase_file))
    if found.index != home.index:
        raise UppropError(
            Code.INPUT_REFUSED,
            f"This is a share of evaluator {found.index}. No evaluator may hold another's: find out how it came here.",
        )
    listed = home.epoch(found.epoch)
    if (found.version, found.commitment) != (listed.share_version, listed.commitments.get(home.index)):
        raise UppropError(
            Code.INPUT_REFUSED,
            f"The backup holds version {found.version} of the share, and the descriptor lists version "
            f"{listed.share_version} with its commitment: it is of no use any more. Make the share again "
            "(upprop evaluator share give --help).",
        )
    click.echo(f"Restored to {home.keep(found)}. The evaluator answers with it at once.")


@share.command()
@_epoch
@click.option("--version", type=click.IntRange(1, MAX_EPOCH), help="Only this version.  [default: all not in force]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option("evaluator")
@json_option
@click.pass_obj
def destroy(open_stub: OpenStub, epoch: int, version: int | None, *, yes: bool, config: Path, as_json: bool) -> None:
    """Destroy shares that have served: of an epoch that has ended, or from before a refresh.

    Refused while the descriptor lists the share. A destroyed share is never used here again, should a backup bring it
    back. Works whether the evaluator is running or not.
    """
    with open_stub(config) as stub:
        paths = destroy_share(stub, epoch, version, look_only=True)
        if not yes:
            click.confirm(f"Destroy {', '.join(paths)} for good?", abort=True, err=as_json)
        paths = destroy_share(stub, epoch, version, look_only=False)
    if as_json:
        click.echo(json.dumps({"destroyed": paths, "not_promised": files.LEFT_BEHIND}))
        return
    click.echo(f"Destroyed {', '.join(paths)}.\n{files.LEFT_BEHIND}")
    click.echo("Where the settings name a destroyed file under share_files, take it out before the next start.")


@click.command()
@_epoch
@click.option("--lost", type=click.IntRange(1, MAX_SHARES), help="To make this evaluator's lost share again.")
@_out
@config_option("evaluator")
def invite(epoch: int, lost: int | None, out: Path, config: Path) -> None:
    """Begin a ceremony: a refresh of all shares of an epoch or, with --lost, the making of one share again.

    Every evaluator that takes part writes an invitation, and gets those of all others, by any way: it is signed and
    holds no secret. The one-time key behind it stays here until the ceremony is over. Begun again, nothing of the
    earlier try counts.
    """
    content = ceremonies.invite(Home.of(config), epoch, lost)
    files.write_secret(out, content)
    click.echo(f"Wrote {out}. Give it to each evaluator that takes part, and get theirs.")


@click.group(short_help="Change all shares of an epoch without changing its key.")
def refresh() -> None:
    """New shares of the same key: pseudonyms stay, and shares stolen before are worth nothing beside new ones.

    \b
    1. Each evaluator:  upprop evaluator invite --epoch 1 --out invitation-1.json      → to all others
    2. Each evaluator:  upprop evaluator refresh deal --invitation … --out deal-1.json → to all others
    3. Each evaluator:  upprop evaluator refresh finish --invitation … --deal …
    4. The authority puts the new commitments into the descriptor, the evaluators sign the epoch.
    5. Each evaluator, with that descriptor in place: upprop evaluator share destroy --epoch 1, and its backups.

    Nobody is served worse meanwhile: the old shares answer until the descriptor lists the new ones.
    """


@refresh.command()
@_invitations
@_out
@config_option("evaluator")
def deal(invitations: Sequence[Path], out: Path, config: Path) -> None:
    """Deal zero: for each evaluator a sealed value, whose sum over all dealers changes shares and not the key."""
    with _refusals():
        files.write_secret(out, _assembly(config, invitations).deal())
    click.echo(f"Wrote {out}. Give the same file to every evaluator.")


@refresh.command()
@_invitations
@_given("--deal", "A deal; the same ones at every evaluator, of the threshold at least and best of all.")
@config_option("evaluator")
@json_option
def finish(invitations: Sequence[Path], deals: Sequence[Path], config: Path, *, as_json: bool) -> None:
    """Make the new share from the deals, each of which is verified; whose does not hold is named.

    All evaluators must use the deals of the same ones, and then print the same commitments: compare them over the
    telephone. Should a dealer be refused, leave its deal out everywhere.
    """
    with _refusals():
        done = _assembly(config, invitations).finish(_contents(deals))
    if as_json:
        click.echo(json.dumps(_stated(done)))
        return
    new = done.share
    click.echo(f"Wrote {done.path}: share version {new.version}, from the deals of {_and(done.dealers)}.")
    click.echo("The authority puts this into the descriptor, once all evaluators print the same:\n")
    commitments = " ".join(f"--commitment {index}:{each.hex()}" for index, each in sorted(done.commitments.items()))
    key = Home.of(config).epoch(new.epoch).public_key.hex()
    click.echo(
        f"  upprop federation add epoch draft.toml --replace --epoch {new.epoch} --threshold {new.threshold} "
        f"--share-version {new.version} --public-key {key} {commitments}"
    )
    click.echo("\nEach evaluator signs that (upprop federation sign-epoch). With the descriptor in place:\n")
    click.echo(f"  upprop evaluator share destroy --epoch {new.epoch}")


@share.command()
@_invitations
@_out
@config_option("evaluator")
def give(invitations: Sequence[Path], out: Path, config: Path) -> None:
    """As a helper: give parts from which a lost share is made again. Nobody sees a share or the key in it.

    \b
    1. The evaluator that lost share 3, and as many others as the threshold (the helpers):
                       upprop evaluator invite --epoch 1 --lost 3 --out invitation-N.json      → to all of them
    2. Each helper:    upprop evaluator share give --invitation … --out parts-N.json           → to all of them
    3. Each helper:    upprop evaluator share add --invitation … --parts … --out sum-N.json    → to evaluator 3
    4. Evaluator 3:    upprop evaluator share take --invitation … --parts … --sum …
    """
    with _refusals():
        files.write_secret(out, _assembly(config, invitations).give())
    click.echo(f"Wrote {out}. Give the same file to every helper and to the evaluator that lost its share.")


_parts = click.option("--parts", type=FILE, multiple=True, required=True, help="The parts of a helper; once for each.")


@share.command()
@_invitations
@_parts
@_out
@config_option("evaluator")
def add(invitations: Sequence[Path], parts: Sequence[Path], out: Path, config: Path) -> None:
    """As a helper: add up what all helpers gave this one, for the evaluator that lost its share."""
    with _refusals():
        files.write_secret(out, _assembly(config, invitations).add(_contents(parts)))
    click.echo(f"Wrote {out}. Give it to the evaluator that lost its share.")


@share.command()
@_invitations
@_parts
@_given("--sum", "The sum of a helper; once for each.")
@config_option("evaluator")
def take(invitations: Sequence[Path], parts: Sequence[Path], sums: Sequence[Path], config: Path) -> None:
    """As the evaluator that lost its share: make it again from what the helpers gave.

    Every part and sum is verified, and whose does not hold is named. The same share comes out: descriptor and backups
    stay as they are. A running evaluator takes it up by itself.
    """
    with _refusals():
        path, made = _assembly(config, invitations).take(_contents(parts), _contents(sums))
    click.echo(f"Wrote {path}: the share of epoch {made.epoch}, version {made.version}, as the descriptor lists it.")


def _assembly(config: Path, invitations: Sequence[Path]) -> Assembly:
    return Assembly(Home.of(config), _contents(invitations))


def _contents(paths: Sequence[Path]) -> list[bytes]:
    return [_content(path) for path in paths]


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        # One byte more than any such file has: the reader refuses it.
        return file.read(MAX_DOCUMENT_BYTES + 1)


def _read_passphrase(path: Path) -> bytes:
    return files.read_secret(path).rstrip(b"\r\n")


def _stated(done: Refreshed) -> Mapping[str, object]:
    return {
        "epoch": done.share.epoch,
        "share_version": done.share.version,
        "share_file": str(done.path),
        "dealers": list(done.dealers),
        "commitments": {index: each.hex() for index, each in sorted(done.commitments.items())},
    }


def _and(indices: Sequence[int]) -> str:
    return "evaluators " + ", ".join(map(str, indices))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except PrivacyError as error:
        raise refused(error) from error
