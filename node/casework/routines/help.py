"""The directory of help: whom to phone, per municipality. What the whole country shares is shipped; the municipality
adds its own in `help.yaml` of its directory, and an entry of the same id takes a shipped one's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

import msgspec

from federation.errors import Code, UppropError
from node.casework.routines import wording, yaml_files
from node.casework.routines.flaws import Flaw, FlawedError, FlawKind
from node.casework.routines.model import HelpKind, Words
from node.casework.routines.reading import NAME

FILE = "help.yaml"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place that helps. `on_paper`: it stands on what is handed to a child alone, under the leaflet's word
    for its kind, which gives nothing away to whoever finds the paper; never its own name.
    """

    id: str
    kind: HelpKind
    name: Words
    phone: str = ""
    hours: Words | None = None
    web: str = ""
    address: str = ""
    about: Words | None = None
    on_paper: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entries: tuple[Entry, ...]
    checked_on: str = ""


class Directory:
    """The entries in force. `own`: the municipality has a file of its own."""

    def __init__(self, entries: Iterable[Entry], *, own: bool, checked_on: str = "") -> None:
        self.entries, self.own, self.checked_on = tuple(entries), own, checked_on

    @classmethod
    def of(cls, casework_dir: Path | None) -> Directory:
        """Raises UppropError(CONFIG_INVALID) naming what is wrong."""
        try:
            return cls.read(casework_dir)
        except FlawedError as error:
            told = " ".join(wording.sentence(flaw) for flaw in error.flaws)
            raise UppropError(Code.CONFIG_INVALID, f"{error.file}: {told}") from error

    @classmethod
    def read(cls, casework_dir: Path | None) -> Directory:
        """As `of`. Raises FlawedError."""
        shipped = _read(resources.files("node.casework.routines").joinpath("directory", FILE).read_bytes(), FILE)
        path = None if casework_dir is None else casework_dir / FILE
        if path is None or not path.exists():
            return cls(shipped.entries, own=False)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UppropError(Code.CONFIG_INVALID, f"{path} cannot be read: {error.strerror}.") from error
        own = _read(content, path.name)
        replaced = {entry.id for entry in own.entries}
        # The municipality's own first: what is near is asked first.
        rest = (entry for entry in shipped.entries if entry.id not in replaced)
        return cls((*own.entries, *rest), own=True, checked_on=own.checked_on)

    def of_kinds(self, kinds: Iterable[HelpKind]) -> tuple[Entry, ...]:
        """Those that a step asks for, in the step's order."""
        return tuple(entry for kind in kinds for entry in self.entries if entry.kind is kind)

    def on_paper(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.on_paper)


def _read(content: bytes, name: str) -> _File:
    try:
        found = yaml_files.read(content, _File)
    except FlawedError as error:
        raise FlawedError(error.flaws, name) from error
    if flaws := tuple(_flaws(found)):
        raise FlawedError(flaws, name)
    return found


def _flaws(found: _File) -> Iterator[Flaw]:
    ids = [entry.id for entry in found.entries]
    for entry in found.entries:
        if not NAME.fullmatch(entry.id):
            yield Flaw(FlawKind.NAME, "entries", entry.id[:60])
        if not entry.name.sv.strip():
            yield Flaw(FlawKind.TEXT_MISSING, f"{entry.id}.name.sv")
        if not (entry.phone or entry.web or entry.address):
            yield Flaw(FlawKind.MISSING_FIELD, entry.id, "phone")
        if entry.web and not entry.web.startswith("https://"):
            yield Flaw(FlawKind.WRONG_VALUE, f"{entry.id}.web", entry.web[:60])
    for again in sorted({each for each in ids if ids.count(each) > 1}):
        yield Flaw(FlawKind.ENTRY_TWICE, "entries", again)
