"""The routines of a municipality: those that are shipped, and its own, which take the place of a shipped one of the
same name. Read once, at start: what is not in order stops it, with every flaw and its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from federation.errors import Code, UppropError
from node.casework.routines import reading, wording
from node.casework.routines.flaws import Flaw, FlawedError, FlawKind
from node.casework.routines.model import Routine

SHIPPED = "node.casework.routines"
FOLDER = "routines"
"""Of the municipality's own directory (`casework_dir`)."""
SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class Listed:
    """A routine of the catalogue; `own`: the municipality wrote it."""

    routine: Routine
    digest: bytes
    own: bool
    source: str
    """The file as it was read."""


class Catalogue:
    """The routines by name, as they stand in the files today."""

    def __init__(self, routines: Mapping[str, Listed]) -> None:
        self._routines = dict(routines)

    @classmethod
    def of(cls, casework_dir: Path | None) -> Catalogue:
        """Shipped and own. Raises UppropError(CONFIG_INVALID) naming the file and what is wrong with it."""
        try:
            return cls.read(casework_dir)
        except FlawedError as error:
            told = " ".join(wording.sentence(flaw) for flaw in error.flaws)
            raise UppropError(Code.CONFIG_INVALID, f"{error.file}: {told}") from error

    @classmethod
    def read(cls, casework_dir: Path | None) -> Catalogue:
        """As `of`. Raises FlawedError, its `file` set."""
        found: dict[str, Listed] = {}
        for entry in sorted(resources.files(SHIPPED).joinpath("shipped").iterdir(), key=lambda each: each.name):
            if entry.name.endswith(SUFFIX):
                content = entry.read_bytes()
                routine = reading.read(content)
                found[routine.name] = Listed(routine, reading.digest(routine), own=False, source=content.decode())
        for path in own_files(casework_dir):
            routine = read_file(path)
            found[routine.name] = Listed(routine, reading.digest(routine), own=True, source=path.read_text("utf-8"))
        for listed in found.values():
            if flaws := tuple(reading.unknown_routines(listed.routine, found)):
                raise FlawedError(flaws, listed.routine.name + SUFFIX)
        return cls(found)

    def __getitem__(self, name: str) -> Listed:
        return self._routines[name]

    def __contains__(self, name: str) -> bool:
        return name in self._routines

    def all(self) -> tuple[Listed, ...]:
        """By title."""
        return tuple(sorted(self._routines.values(), key=lambda listed: listed.routine.title.sv))

    def flaws(self, content: str | bytes) -> tuple[Flaw, ...]:
        """What is wrong with a routine that somebody wrote, beside these: empty where nothing is."""
        try:
            routine = reading.read(content)
        except FlawedError as error:
            return error.flaws
        return tuple(reading.unknown_routines(routine, {*self._routines, routine.name}))


def own_files(casework_dir: Path | None) -> list[Path]:
    if casework_dir is None or not (casework_dir / FOLDER).is_dir():
        return []
    return sorted(path for path in (casework_dir / FOLDER).iterdir() if path.suffix in (".yaml", ".yml"))


def read_file(path: Path) -> Routine:
    """The routine of one file, which bears its name. Raises FlawedError, and UppropError where it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UppropError(Code.CONFIG_INVALID, f"{path} cannot be read: {error.strerror}.") from error
    try:
        routine = reading.read(content)
    except FlawedError as error:
        raise FlawedError(error.flaws, path.name) from error
    if path.stem != routine.name:
        raise FlawedError((Flaw(FlawKind.NAME_OF_FILE, "name", routine.name),), path.name)
    return routine
