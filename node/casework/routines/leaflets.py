"""What is printed for a family, and for a child alone, in their language.

Invariants
    - The child's paper names no child, no case, no school, no municipality and no suspicion: whoever finds it learns
      that somebody has numbers to phone.
    - A translation that nobody has checked says so to whoever prints it, never on the paper.
    - A municipality's own `leaflets/<language>.yaml` takes the place of a shipped one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from federation.errors import Code, UppropError
from node.casework.routines import wording, yaml_files
from node.casework.routines.flaws import Flaw, FlawedError, FlawKind
from node.casework.routines.help import Directory
from node.casework.routines.model import HelpKind

FOLDER = "leaflets"


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One printed text: a title and paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


class Leaflet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The texts in one language, by its BCP 47 tag. `name` is the language's own name for itself; `numbers` heads the
    numbers on the child's paper, and `labels` are the words for them there. `checked_by` is empty until somebody who
    speaks it has read it.
    """

    language: str
    name: str
    direction: Literal["ltr", "rtl"]
    child: Sheet
    numbers: str
    labels: dict[str, str]
    family: Sheet
    contact: str
    """Before the place where a caseworker writes name and number by hand."""
    checked_by: str = ""


class Leaflets:
    """The leaflets by language, Swedish first, then English, then by tag."""

    def __init__(self, leaflets: Mapping[str, Leaflet]) -> None:
        first = [tag for tag in ("sv", "en") if tag in leaflets]
        order = [*first, *sorted(tag for tag in leaflets if tag not in first)]
        self._leaflets = {tag: leaflets[tag] for tag in order}

    @classmethod
    def of(cls, casework_dir: Path | None) -> Leaflets:
        """Raises UppropError(CONFIG_INVALID) naming what is wrong."""
        try:
            return cls.read(casework_dir)
        except FlawedError as error:
            told = " ".join(wording.sentence(flaw) for flaw in error.flaws)
            raise UppropError(Code.CONFIG_INVALID, f"{error.file}: {told}") from error

    @classmethod
    def read(cls, casework_dir: Path | None) -> Leaflets:
        """As `of`. Raises FlawedError."""
        found: dict[str, Leaflet] = {}
        for entry in resources.files("node.casework.routines").joinpath("printed").iterdir():
            if entry.name.endswith(".yaml"):
                leaflet = _read(entry.read_bytes(), entry.name)
                found[leaflet.language] = leaflet
        own = None if casework_dir is None else casework_dir / FOLDER
        if own is not None and own.is_dir():
            for path in sorted(own.glob("*.yaml")):
                try:
                    content = path.read_bytes()
                except OSError as error:
                    raise UppropError(Code.CONFIG_INVALID, f"{path} cannot be read: {error.strerror}.") from error
                leaflet = _read(content, path.name)
                found[leaflet.language] = leaflet
        return cls(found)

    def __getitem__(self, language: str) -> Leaflet:
        return self._leaflets[language]

    def __contains__(self, language: str) -> bool:
        return language in self._leaflets

    def all(self) -> tuple[Leaflet, ...]:
        return tuple(self._leaflets.values())


def numbers_for_child(leaflet: Leaflet, directory: Directory) -> tuple[tuple[str, str], ...]:
    """(word, number) as they stand on the child's paper, one line for each number."""
    found: dict[str, str] = {}
    for entry in directory.on_paper():
        label = leaflet.labels.get(entry.kind.value)
        if label and entry.phone:
            found.setdefault(entry.phone, label)
    return tuple((label, phone) for phone, label in found.items())


def _read(content: bytes, name: str) -> Leaflet:
    try:
        leaflet = yaml_files.read(content, Leaflet)
    except FlawedError as error:
        raise FlawedError(error.flaws, name) from error
    if flaws := tuple(_flaws(leaflet, name)):
        raise FlawedError(flaws, name)
    return leaflet


def _flaws(leaflet: Leaflet, name: str) -> Iterator[Flaw]:
    if name != f"{leaflet.language}.yaml":
        yield Flaw(FlawKind.NAME_OF_FILE, "language", leaflet.language)
    for where, sheet in (("child", leaflet.child), ("family", leaflet.family)):
        if not sheet.title.strip() or not sheet.paragraphs or not all(each.strip() for each in sheet.paragraphs):
            yield Flaw(FlawKind.TEXT_MISSING, where)
    kinds = {kind.value for kind in HelpKind}
    for label in leaflet.labels:
        if label not in kinds:
            yield Flaw(FlawKind.UNKNOWN_FIELD, "labels", label)
