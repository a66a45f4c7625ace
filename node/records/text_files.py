"""Tables of text as offices save them: UTF-8 or Windows-1252, with one delimiter or another.

Invariant: nothing is guessed that could turn one letter of a name into another: what is neither encoding throughout is
refused.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from node.records.person import unreadable
from node.records.tables import Column, Fields, Table, TableError, decoded, folded

DELIMITERS = ";,\t"
SNIFFED = 64 * 1024
"""Bytes in which the header must end."""
BLOCK = 1024 * 1024
SWEDISH_IN_UTF_8 = tuple(letter.encode() for letter in "åäöÅÄÖ")
UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that Windows-1252 gives no character."""

MAX_BYTES = 256 * 1024 * 1024


def read_table(path: Path, columns: Sequence[Column], what: str, template: str) -> Iterator[tuple[int, Fields | None]]:
    """Rows as fields, by number; None for a row that has more or fewer fields than the header.

    `what` it is a table of, and `template` the command that prints its columns, stand in the sentence of
    UppropError(EXPORT_UNREADABLE), which is raised where the file is no such table.
    """
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                raise unreadable(f"The file is over {MAX_BYTES >> 20} MB. Split it.")
            _, encoding = examined(stream)
            stream.seek(0)
            delimiter = delimiter_of(stream.readline(SNIFFED).decode(encoding, "replace"), columns, template)
            stream.seek(0)
            text = decoded(stream, encoding)
            yield from Table(text, columns, delimiter).rows()
            text.detach()  # so that the stream is not closed with it
    except OSError as error:
        raise unreadable(f"The file {path.name} cannot be read: {error.strerror}") from error
    except TableError as error:
        raise unreadable(f"The file is not a table of {what}: {error}") from None


def examined(stream: BinaryIO) -> tuple[bytes, str]:
    """The file's SHA-256, and its encoding: UTF-8 if all of it is, else Windows-1252 if nothing speaks against it."""
    digest, text = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    marked = utf_16 = broken = foreign = False
    before = b""
    while piece := stream.read(BLOCK):
        if not before:
            marked, utf_16 = piece.startswith(codecs.BOM_UTF8), piece[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        digest.update(piece)
        broken = broken or not _decodes(text, piece)
        around = before[-1:] + piece
        foreign = foreign or any(mark in around for mark in SWEDISH_IN_UTF_8) or bool(UNDEFINED.search(piece))
        before = piece
    if utf_16:
        raise TableError("it is UTF-16 text; save it as CSV UTF-8")
    if not (broken or not _decodes(text, b"", final=True)):
        return digest.digest(), "utf-8-sig"
    if marked or foreign:
        raise TableError("it is text neither in UTF-8 nor in Windows-1252 throughout; save it as CSV UTF-8")
    return digest.digest(), "cp1252"


def _decodes(text: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        text.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(header: str, columns: Sequence[Column], template: str) -> str:
    """The one that finds the most columns in the header; `template` is the command that prints them."""
    found = {}
    for delimiter in DELIMITERS:
        try:
            names = folded(next(csv.reader([header], delimiter=delimiter, strict=True), []))
        except csv.Error:
            continue
        found[delimiter] = sum(len(column.named(names)) for column in columns)
    if not any(found.values()):
        raise TableError(f"its first row does not name the columns; see {template}")
    return max(found, key=lambda delimiter: found[delimiter])
