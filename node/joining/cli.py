"""`upprop node join`."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from federation import descriptor as descriptors
from federation import settings as settings_files
from federation.admission import request as requests
from federation.admission import words as telephone
from federation.admission.joining import Joining, obtained
from federation.admission.request import REQUEST_NAME
from federation.descriptor import Descriptor
from federation.doctor import printing as findings
from federation.doctor.findings import exit_code_of
from federation.errors import Code, UppropError
from federation.identity import Identity
from federation.identity import node as node_identity
from federation.migration import migrate_at_rest
from federation.tls import public_key_sha256
from node.doctor.cli import examination
from node.joining.home import CONFIG_NAME, RECORD_KEY_NAME, furnish
from node.joining.texts import JoiningText
from node.options import json_option, words_option
from node.settings import STORE_PACKAGE, NodeSettings, open_database
from node.wording import Words

LOOK_SECONDS = 10.0
"""Between two looks for the descriptor that lists this member."""

_COMES_BACK = frozenset({Code.PEER_UNREACHABLE, Code.DEADLINE, Code.OVERLOADED})
"""Who waits waits for these too."""

PATH = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--member", help="Your member id: the municipality code, or code-organisation number.")
@click.option("--descriptor", "source", help="The federation's descriptor: a file, or the address it is published at.")
@click.option("--authority-key", type=PATH, help="The authority's public key (authority.pub), got by a way you trust.")
@click.option("--name", default="", help="The name people know you by, such as Göteborg.")
@click.option("--home", help="Of an independent operator: the municipality its schools stand in, if not its id's.")
@click.option("--metrics-listen", default="127.0.0.1:9464", show_default=True, help="Where a running node is watched.")
@click.option(
    "--new-key",
    is_flag=True,
    help="Your key is lost, or was seen: with tls.key moved away, ask for a new one in place of the listed one.",
)
@click.option("--wait", is_flag=True, help="Stay until you are listed, and look every ten seconds.")
@words_option
@json_option
def join(
    directory: Path,
    member: str | None,
    source: str | None,
    authority_key: Path | None,
    name: str,
    home: str | None,
    metrics_listen: str,
    words: Words,
    *,
    new_key: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Become a member: make the keys and settings of a node in DIRECTORY, ask to be admitted, and finish the job.

    Run it twice. The first time it verifies the federation's descriptor with the authority's key, makes this node's
    keys, and writes request.toml. Send that to the authority, and read it the twelve words over the telephone.

    \b
      upprop node join /etc/upprop --member 1480 --name Göteborg \\
          --descriptor https://upprop.example.se/federation.toml --authority-key authority.pub

    The second time, once the authority has listed you, it fetches the newest descriptor and the node's certificate from
    the registry, makes the store and looks whether all is well:

    \b
      upprop node join /etc/upprop

    As long as you are not listed it ends with exit code 17 and has changed nothing. It may be run as often as you like.
    """
    if not (name.isprintable() and len(name) <= requests.MAX_NAME):
        raise click.UsageError(f"--name: at most {requests.MAX_NAME} letters and signs, on one line.")
    joining = _joining(directory, member, authority_key)
    asked_before = joining.has_asked
    descriptor, content = _newest(joining, source)
    if not asked_before:
        joining.check_open(descriptor, new_key=new_key)
    request = furnish(joining, name, home, metrics_listen, new_key=new_key)
    joining.keep(content)
    key = joining.begin()
    fingerprint = public_key_sha256(key.public_key())
    answer: dict[str, Any] = {
        "member": joining.identity.name,
        "state": "requested",
        "request": str(request),
        "key_sha256": fingerprint,
        "words": telephone.words_of(fingerprint),
    }
    if joining.listed(descriptor) != fingerprint and not wait:
        if asked_before:
            answer["state"] = "pending"
        click.echo(json.dumps(answer) if as_json else _requested(joining, answer, words))
        if asked_before:
            raise _pending(joining, source)
        return
    if joining.listed(descriptor) != fingerprint:
        click.echo(_requested(joining, answer, words), err=True)
        click.echo(words(JoiningText.WAITING, member=joining.identity.name), err=True)
    while joining.listed(descriptor) != fingerprint or (made := _certificate(joining, descriptor, wait=wait)) is None:
        time.sleep(LOOK_SECONDS)
        try:
            descriptor, content = _newest(joining, source)
        except UppropError as error:
            if error.code not in _COMES_BACK:
                raise
            continue
        joining.keep(content)
    if not made:
        answer |= {"state": "certificate_missing", "signing_request": str(joining.signing_request_path)}
        click.echo(json.dumps(answer) if as_json else _by_other_way(joining, words))
        return
    config = directory / CONFIG_NAME
    settings = settings_files.load(config, NodeSettings)
    migrate_at_rest(settings.data_dir, lambda: open_database(settings), STORE_PACKAGE)
    answer |= {"state": "member", "serial": descriptor.serial, "config": str(config)}
    if as_json:
        found = list(examination(config, settings))
        click.echo(json.dumps({**answer, "checks": [findings.plain(each, words) for each in found]}))
        raise click.exceptions.Exit(exit_code_of(found))
    click.echo(words(JoiningText.JOINED, member=joining.identity.name, serial=descriptor.serial, config=config) + "\n")
    code = findings.report(examination(config, settings), words, as_json=False)
    click.echo("\n" + words(JoiningText.NEXT, config=config))
    raise click.exceptions.Exit(code)


def _joining(directory: Path, member: str | None, authority_key: Path | None) -> Joining:
    """Of this run's options, or of an earlier run's files. Raises click.UsageError where both lack something."""
    pinned = directory / "authority.pub"
    if authority_key is None and not pinned.exists():
        raise click.UsageError("Name the authority's public key: --authority-key authority.pub")
    key = descriptors.read_authority_key(authority_key or pinned)
    path = directory / REQUEST_NAME
    identity: Identity
    if path.exists():
        identity = _asked(path)
        if member is not None and node_identity(member) != identity:
            raise UppropError(
                Code.ADMISSION_REFUSED,
                f"{directory} was made for member {identity.name}. Take another directory for {member}.",
            )
    elif member is None:
        raise click.UsageError("Name the member that you are: --member 1480")
    else:
        identity = node_identity(member)
    return Joining(directory, identity, key)


def _asked(path: Path) -> Identity:
    try:
        return requests.read(path)[1].identity
    except UppropError as error:
        if error.code is not Code.ADMISSION_REFUSED:
            raise
        raise UppropError(
            Code.ADMISSION_REFUSED,
            f"{path} is not as it was made, and nobody would take it. Move it away and join again with --member: the "
            "key stays, and so do its words.",
        ) from error


def _newest(joining: Joining, source: str | None) -> tuple[Descriptor, bytes]:
    """The newest descriptor: of the source or of an earlier run, or what a registry has instead."""
    kept = joining.descriptor_path
    if source is None and not kept.exists():
        raise click.UsageError("Name the federation's descriptor, a file or its address: --descriptor federation.toml")
    content = obtained(source or str(kept))
    try:
        descriptor = joining.verified(content)
    except UppropError as error:
        # What was published at the source may well be older by now than what a registry has handed on since.
        if error.code is not Code.DESCRIPTOR_OLDER or not joining.has_asked:
            raise
        content = kept.read_bytes()
        descriptor = joining.verified(content)
    descriptor, newer = joining.newest(descriptor)
    return descriptor, newer or content


def _certificate(joining: Joining, descriptor: Descriptor, *, wait: bool) -> bool | None:
    """Whether there is one; None where the registries do not know of the admission yet and one waits."""
    try:
        return joining.certificate(descriptor, joining.begin())
    except UppropError as error:
        if wait and error.code is Code.ADMISSION_PENDING:
            return None
        raise


def _requested(joining: Joining, answer: Mapping[str, Any], words: Words) -> str:
    directory = joining.directory
    lines = (
        words(JoiningText.REQUESTED, directory=directory, request=answer["request"]),
        "",
        words(JoiningText.WORDS, member=joining.identity.name),
        "",
        *(f"  {line}" for line in telephone.in_lines(answer["words"])),
        "",
        words(JoiningText.READ_THEM),
        words(JoiningText.WHEN_LISTED, directory=directory),
        "",
        words(JoiningText.KEEP_RECORD_KEY, record_key=directory / RECORD_KEY_NAME),
    )
    return "\n".join(lines)


def _by_other_way(joining: Joining, words: Words) -> str:
    return words(
        JoiningText.BY_OTHER_WAY,
        member=joining.identity.name,
        signing_request=joining.signing_request_path,
        certificate=joining.certificate_path,
    )


def _pending(joining: Joining, source: str | None) -> UppropError:
    if joining.unreached is not None:
        # Whether one is listed by now is not known here: that no answer comes through is what has to be mended first.
        return joining.unreached
    if source is None and not joining.can_ask:
        return UppropError(
            Code.ADMISSION_PENDING,
            f"{joining.identity} is not listed in the descriptor that is here, and this federation's registries hand "
            "out none before one is a member: name where the newest is published, --descriptor.",
        )
    return UppropError(
        Code.ADMISSION_PENDING,
        f"{joining.identity} is not listed yet. Send {joining.directory / REQUEST_NAME} to the authority, read it the "
        "words of your key over the telephone, and run this again when it has signed the next descriptor.",
    )
