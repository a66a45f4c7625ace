"""Writes the exports of a scenario story by story: first whole pages, then deltas; little of it is ever in memory."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from federation.demo.generator import exported, is_gone
from federation.demo.generator.stage import Story
from federation.demo.scenario import Scenario, export_path
from federation.rules.vocabulary import MemberId

KEPT_BYTES = 64 * 1024 * 1024
"""Written out, file by file, when so much is waiting."""

_encode = msgspec.json.Encoder().encode


class ExportWriter:
    """A context manager: on leaving it, all exports of the scenario are whole. `scenario` is one of deltas."""

    def __init__(self, directory: Path, scenario: Scenario) -> None:
        self._directory = directory
        self._scenario = scenario
        self._waiting: dict[tuple[int, MemberId], bytearray] = defaultdict(bytearray)
        self._gone: dict[tuple[int, MemberId], list[str]] = defaultdict(list)
        self._begun: set[tuple[int, MemberId]] = set()
        self._size = 0
        for as_of in scenario.as_of:
            export_path(directory, as_of, "").parent.mkdir(parents=True)

    def write(self, story: Story) -> None:
        for file in story.files:
            for index in range(len(self._scenario.as_of)):
                person = exported(file, index, delta=index > 0)
                if person is not None:
                    self._add((index, file.member), person)
                if is_gone(file, index):
                    self._gone[index, file.member].append(file.person_id)
        if self._size > KEPT_BYTES:
            self._write_out()

    def _add(self, place: tuple[int, MemberId], person: dict[str, Any]) -> None:
        encoded = _encode(person)
        waiting = self._waiting[place]
        waiting += b"," if place in self._begun else b'{"data":['
        waiting += encoded
        self._begun.add(place)
        self._size += len(encoded)

    def _write_out(self) -> None:
        for place, content in self._waiting.items():
            with self._path(place).open("ab") as file:
                file.write(content)
        self._waiting.clear()
        self._size = 0

    def _finish(self) -> None:
        """End every page; a baseline of nobody has one too."""
        baselines = {(0, member.id) for member in self._scenario.members}
        for place in baselines | self._begun | self._gone.keys():
            head = b"" if place in self._begun else b'{"data":['
            gone = b',"deletedEntities":' + _encode(self._gone.get(place, [])) if place[0] else b""
            self._waiting[place] += head + b"]" + gone + b',"pageToken":null}'
        self._write_out()

    def _path(self, place: tuple[int, MemberId]) -> Path:
        return export_path(self._directory, self._scenario.as_of[place[0]], place[1])

    def __enter__(self) -> ExportWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
