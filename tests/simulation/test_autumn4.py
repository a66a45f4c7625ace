"""The scenario autumn-4 through the command line: what is found, and what every party keeps of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from federation.demo.generator import Recipe, generate, write
from federation.demo.simulate import Simulation, prepared
from federation.rpc.client import Peer
from tests.harness import autumn4


@dataclass(frozen=True)
class Played:
    truth: dict[str, Any]
    result: dict[str, Any]
    summary: dict[str, Any]
    scenario: Path
    kept: Path

    def persons(self) -> Iterator[dict[str, Any]]:
        for export in self.scenario.glob("exports/*/*.json"):
            yield from json.loads(export.read_bytes())["data"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    home = tmp_path_factory.mktemp("autumn4")
    truth = autumn4.write_out(home / "scenario")
    command = [
        "simulate",
        str(home / "scenario"),
        "--out",
        str(home / "out.json"),
        "--keep",
        str(home / "kept"),
        "--json",
    ]
    done = subprocess.run([sys.executable, "-m", "federation.cli", *command], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    result = json.loads((home / "out.json").read_text(encoding="utf-8"))
    return Played(truth, result, json.loads(done.stdout), home / "scenario", home / "kept")


def test_cases_equal_the_truth(played: Played) -> None:
    def order(case: dict[str, Any]) -> tuple[str, str]:
        return case["member"], case["person_id"]

    assert sorted(played.result["cases"], key=order) == sorted(played.truth["cases"], key=order)
    assert played.summary["equals_truth"] is True


def test_result_has_the_promised_form(played: Played) -> None:
    assert list(played.result) == ["as_of", "members", "signals_sent", "rejected_rows", "cases"]
    assert played.result["as_of"][0] == "2026-08-24"
    assert len(played.result["as_of"]) == 14
    assert played.result["members"] == 4
    assert played.result["rejected_rows"] == played.truth["rejected_numbers"]
    assert set(played.result["cases"][0]) == set(autumn4.CASE_FIELDS)
    cases = [(case["member"], case["person_id"]) for case in played.result["cases"]]
    assert cases == sorted(cases)


def test_movers_alone_are_sent(played: Played) -> None:
    people = {(person["id"]) for person in played.persons()}
    assert len(played.result["cases"]) < played.result["signals_sent"] < len(people)


def _kept_bytes(kept: Path, *parties: str) -> dict[Path, bytes]:
    files = {path: path.read_bytes() for party in parties for path in kept.glob(f"{party}/**/*") if path.is_file()}
    assert any(path.suffix.startswith(".sqlite") for path in files)
    assert any(path.name == "log.jsonl" for path in files)
    return files


def _forbidden(played: Played) -> dict[bytes, str]:
    """Every byte string that names a pupil, and what it is."""
    found: dict[bytes, str] = {}
    for person in played.persons():
        number = person["civicNo"]["value"]
        found[number.encode()] = "number"
        found[number[2:].encode()] = "number without century"
        found[f"{number[2:8]}-{number[8:]}".encode()] = "number with a hyphen"
        found[person["id"].encode()] = "person id"
        found[uuid.UUID(person["id"]).bytes] = "person id as bytes"
        found[person["id"].replace("-", "").encode()] = "person id without hyphens"
    return found


def _found(forbidden: dict[bytes, str], files: dict[Path, bytes]) -> list[tuple[str, str]]:
    return [(path.name, what) for path, content in files.items() for text, what in forbidden.items() if text in content]


def test_search_finds_what_is_there(played: Played) -> None:
    exports = {path: path.read_bytes() for path in played.scenario.glob("exports/*/*.json")}
    assert {what for _, what in _found(_forbidden(played), exports)} >= {"number", "person id"}


def test_registry_and_evaluators_keep_no_number_and_no_person_id(played: Played) -> None:
    forbidden = _forbidden(played)
    files = _kept_bytes(played.kept, "registry", "evaluator-*")
    files |= {path: path.read_bytes() for path in played.kept.glob("*.toml")}
    found = [
        (path.name, what) for path, content in files.items() for text, what in forbidden.items() if text in content
    ]
    assert found == []


def test_nodes_keep_no_number_and_no_person_id_in_the_clear(played: Played) -> None:
    forbidden = _forbidden(played)
    files = _kept_bytes(played.kept, "node-*")
    found = [
        (path.name, what) for path, content in files.items() for text, what in forbidden.items() if text in content
    ]
    assert found == []


def test_no_export_is_kept(played: Played) -> None:
    assert [path for path in played.kept.rglob("*") if "export" in path.name] == []
    assert {path.name for path in played.kept.iterdir() if path.name.startswith(("node", "eval", "reg"))} == {
        "registry",
        *(f"evaluator-{index}" for index in (1, 2, 3)),
        *(f"node-{member}" for member in ("0180", "1280", "1480", "1980")),
    }


def test_nothing_sent_to_another_party_or_measured_names_a_pupil(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated = generate(Recipe(seed=31, members=3, pupils=10, weeks=6))
    write(generated, tmp_path / "scenario")
    sent: list[tuple[str, bytes]] = []
    call = Peer.call

    def recorded(peer: Peer, method: Any, request: Any, *args: Any, **options: Any) -> Any:
        sent.append((peer.identity.kind.value, request.SerializeToString()))
        return call(peer, method, request, *args, **options)

    def scrape(simulation: Simulation, step: str) -> None:
        if (simulation.today, step) != (generated.scenario.as_of[-1], "heard"):
            return
        for name in simulation.trial.servers:
            port = json.loads((simulation.trial.home / name / "data" / "ports.json").read_bytes())["metrics"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                sent.append((f"metrics of {name}", answer.read()))

    monkeypatch.setattr(Peer, "call", recorded)
    with prepared(tmp_path / "scenario", nodes_in_process=True, between=scrape) as simulation:
        assert simulation.play().cases == generated.truth.cases
    assert {kind.partition(" ")[0] for kind, _ in sent} == {"registry", "evaluator", "metrics"}
    files = [file for _, story in generated.stories for file in story.files]
    texts = {text for file in files for text in (file.pupil.number, file.pupil.samordning, file.pupil.family_name)}
    texts |= {entry.number for file in files for entry in file.shown if entry is not None and entry.number is not None}
    texts |= {text[2:] for text in texts if text[:2].isdigit()}
    secrets = {text.encode() for text in texts} | {file.person_id.encode() for file in files}
    secrets |= {uuid.UUID(file.person_id).bytes for file in files}
    secrets |= {row.unit.encode() for file in files for entry in file.shown if entry for row in entry.rows}
    everything = b"\n".join(content for _, content in sent)
    assert [secret for secret in secrets if secret in everything] == []
    # The search is over what was sent: dates of signals and counts of calls are in it.
    assert re.search(rb"2026-\d\d-\d\d", everything)
    assert b"grpc_server_handled_total" in everything
