"""A JSON list too long for memory, taken apart element by element.

A window of the file is cut after a closing brace, and the piece before the cut is decoded as a list of its own: the
decoder takes it only if it is a run of whole elements, so where it does take it, the cut stood between two elements.
No bracket is counted here, and nothing is believed that the decoder has not read.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

WINDOW = 1024 * 1024
"""Bytes read at once."""
LONGEST_ELEMENT = 16 * 1024 * 1024
"""Bytes. A longer element, or as much before or after the list, is no export."""
MAX_CUTS = 64
"""Places tried per window: more braces than a person has after the last one that ends."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_rest = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LIST = "the list"
"""The key under which what is left of the list is decoded, whatever its own."""


class FramingError(ValueError):
    """Not one JSON object that holds the list. Names a position or a type, never a value."""


class JsonList:
    """The list under `key` of the one JSON object in `stream`. Read once; `others` holds after `runs` has ended."""

    def __init__(self, stream: BinaryIO, key: str, seen: Callable[[bytes], None]) -> None:
        """`seen` is given every piece of the file as it is read, such as a digest's `update`."""
        self._stream = stream
        self._key = key
        self._seen = seen
        self._text = codecs.getincrementaldecoder("utf-8")()
        self.others: dict[str, Any] = {}
        """The object's other members."""

    def runs(self) -> Iterator[list[msgspec.Raw]]:
        """The elements, in runs. Raises FramingError: no UTF-8, no JSON, another shape, an end before its time."""
        try:
            buffer = self._head()
            while piece := self._read():
                buffer += piece
                run, buffer = _cut(buffer)
                if run:
                    yield run
                if len(buffer) > LONGEST_ELEMENT:
                    raise FramingError(f"it has a person, or something else, of over {LONGEST_ELEMENT} bytes")
            # What is left is the end of the list, and of the object.
            rest = _rest(b'{"%s":[' % _LIST.encode() + buffer)
            last = _list(rest.pop(_LIST))
            if self._key in rest or self._key in self.others:
                raise FramingError(f"`{self._key}` stands twice")
            self.others |= {name: msgspec.json.decode(raw) for name, raw in rest.items()}
        except msgspec.DecodeError as error:
            raise FramingError(_lowered(str(error))) from None
        except UnicodeDecodeError:
            raise FramingError("it is not UTF-8 text") from None
        if last:
            yield last

    def _read(self) -> bytes:
        piece = self._stream.read(WINDOW)
        self._seen(piece)
        # Elements are decoded one by one elsewhere: what is no UTF-8 must not turn up half-way.
        self._text.decode(piece, final=not piece)
        return piece

    def _head(self) -> bytes:
        """Read up to the list's opening bracket; returns what was read beyond it."""
        opening = re.compile(b'"%s"\\s*:\\s*\\[' % self._key.encode())
        buffer = b""
        while True:
            piece = self._read()
            buffer = (buffer + piece).removeprefix(_BYTE_ORDER_MARK)
            for match in opening.finditer(buffer):
                # It is the one we look for if closing it there makes an object that holds it empty.
                with contextlib.suppress(msgspec.DecodeError):
                    others = _object(buffer[: match.end()] + b"]}")
                    if others.pop(self._key, None) == []:
                        self.others = others
                        return buffer[match.end() :]
            if not piece or len(buffer) > LONGEST_ELEMENT:
                _object(buffer)
                raise FramingError(f"it has no list `{self._key}`")


def _cut(buffer: bytes) -> tuple[list[msgspec.Raw], bytes]:
    """The longest run of whole elements at the start of `buffer` that a few tries find, and what follows it."""
    end = len(buffer)
    for _ in range(MAX_CUTS):
        end = buffer.rfind(b"}", 0, end)
        if end < 0:
            break
        comma = _COMMA.match(buffer, end + 1)
        if comma is not None:
            with contextlib.suppress(msgspec.DecodeError):
                return _list(b"[%s]" % buffer[: end + 1]), buffer[comma.end() :]
    return [], buffer


_COMMA = re.compile(rb"\s*,")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
