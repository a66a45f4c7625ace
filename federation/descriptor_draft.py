"""A draft: the descriptor's file without signature, and what is put into it and taken out of it.

Invariant: a draft on disk is one that could be signed but for what it still lacks; what would make it anything else is
refused, and the draft left as it was.
"""

from __future__ import annotations

import base64
import binascii
import operator
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from cryptography import x509

from federation import descriptor, files
from federation.descriptor_file import File, InvalidDescriptorError, check, parse_file, serialise_file
from federation.errors import Code, UppropError
from federation.rules.calendar import Break
from federation.tls import identity_of, key_sha256


class _List(NamedTuple):
    """What an entry of one of the draft's lists is called, and which of its fields names it."""

    entry: str
    key: str


_LISTS = {
    "members": _List("member", "id"),
    "evaluators": _List("evaluator", "index"),
    "registries": _List("registry", "name"),
    "epochs": _List("epoch", "epoch"),
    "readers": _List("reader", "name"),
}


def read(path: Path) -> File:
    """Refuses a signed descriptor."""
    content = descriptor.read(path)
    if descriptor.SIGNATURE_PREFIX in content:
        raise UppropError(Code.INPUT_REFUSED, f"{path} is a signed descriptor; change its draft and sign that.")
    return parse_file(content)


def write(path: Path, file: File) -> None:
    files.replace(path, serialise_file(file))


def change(path: Path, change: Callable[[File], dict[str, Any]]) -> None:
    """Write the draft with the fields that `change` returns."""
    file = read(path)
    try:
        # Back through the parser: what types refuse in a file is refused here too.
        changed = parse_file(serialise_file(msgspec.structs.replace(file, **change(file))))
        check(changed)
    except InvalidDescriptorError as error:
        raise UppropError(Code.INPUT_REFUSED, f"The draft is left as it was: {error.reason}.") from error
    write(path, changed)


def put(path: Path, field: str, entry: object, *, replace: bool) -> None:
    """Add an entry to one of the draft's lists, in place of the one with its key only where `replace` says so."""
    key = operator.attrgetter(_LISTS[field].key)

    def with_entry(file: File) -> dict[str, Any]:
        entries = getattr(file, field)
        others = [each for each in entries if key(each) != key(entry)]
        if not replace and len(others) < len(entries):
            raise UppropError(Code.INPUT_REFUSED, f"{key(entry)} is in the draft already; use --replace to change it.")
        return {field: [*others, entry]}

    change(path, with_entry)


def remove(path: Path, keys: Mapping[str, Collection[object]]) -> None:
    """Take the entries with these keys, each of which must be there, out of the draft's lists."""

    def without(file: File) -> dict[str, Any]:
        return {field: _without(file, field, gone) for field, gone in keys.items()}

    change(path, without)


def _without(file: File, field: str, gone: Collection[object]) -> list[Any]:
    key, entries = operator.attrgetter(_LISTS[field].key), getattr(file, field)
    present = {key(each) for each in entries}
    for each in gone:
        if each not in present:
            raise UppropError(Code.INPUT_REFUSED, f"The draft has no {_LISTS[field].entry} {each}.")
    return [each for each in entries if key(each) not in gone]


def key_of(uri: str, certificate: Path | None, stated: str | None) -> str:
    """SHA-256 of a party's public key: of its certificate, which must bear this name, or as stated."""
    if (certificate is None) == (stated is None):
        raise click.UsageError("Give either --certificate or --key-sha256.")
    if certificate is None:
        assert stated is not None
        return stated.lower()
    loaded = certificate_in(certificate)
    if identity_of(loaded).uri != uri:
        raise UppropError(
            Code.INPUT_REFUSED, f"{certificate} is the certificate of {identity_of(loaded)}, not of {uri}."
        )
    return key_sha256(loaded)


def certificate_in(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UppropError(Code.INPUT_REFUSED, f"{path} does not hold a certificate (PEM).") from error


def key_bytes(text: str, option: str) -> bytes:
    """32 bytes in hex or base64; raises click.BadParameter."""
    for decode in (bytes.fromhex, lambda value: base64.b64decode(value, validate=True)):
        try:
            value = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(value) == 32:
            return value
    raise click.BadParameter("Give 32 bytes in hex or base64.", param_hint=option)


class Ceremony(msgspec.Struct, frozen=True):
    """An epoch as the making of its key stated it: K and each evaluator's commitment, in hex or base64."""

    epoch: int
    threshold: int
    share_version: int
    public_key: str
    commitments: dict[int, str]


def ceremony_in(path: Path) -> Ceremony:
    """What a key ceremony wrote down as JSON; raises UppropError(INPUT_REFUSED)."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ceremony)
    except (OSError, msgspec.DecodeError) as error:
        raise UppropError(
            Code.INPUT_REFUSED, f"{path} does not hold what `upprop evaluator keygen --json` says."
        ) from error


def parse_commitments(stated: Collection[str]) -> dict[int, str]:
    """INDEX:COMMITMENT, by index in order; raises click.BadParameter."""
    commitments: dict[int, str] = {}
    for each in stated:
        index, colon, value = each.partition(":")
        if not colon or not index.isascii() or not index.isdigit() or int(index) in commitments:
            raise click.BadParameter(f"{each!r} is not INDEX:COMMITMENT, each index once.", param_hint="--commitment")
        commitments[int(index)] = value
    return dict(sorted(commitments.items()))


def parse_break(text: str) -> Break:
    """FIRST:LAST as a break; raises click.BadParameter."""
    # Without a colon the last day is empty, which is no date.
    start, _, end = text.partition(":")
    try:
        return Break(date.fromisoformat(start), date.fromisoformat(end))
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is not FIRST:LAST, such as 2026-06-15:2026-08-17.", param_hint="--break"
        ) from error
