"""A change of the pseudonym key while a scenario is played: in every moment of it what is found equals the truth.

A new epoch begins between two steps of a day, most nodes come over at once, one late, the old epoch is retired between
two steps of a later day; everything is done by the commands that the operators type, against running parties.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from federation import descriptor, files
from federation.demo.generator import Recipe, generate, write
from federation.demo.simulate import Simulation, prepared
from federation.descriptor import parse_file, sign_epoch
from federation.descriptor_file import Epoch, File
from federation.errors import Code, UppropError
from federation.pki import read_private_signing_key
from federation.tls import ChannelCredentials
from node.uplink import EvaluatorLink
from privacy.evaluator.cli import evaluator
from privacy.keys import deal_epoch
from registry.cli import registry
from registry.ledger.cli import ledger
from tests.harness import autumn4

Moment = tuple[int, str]
"""The place of a date in the scenario, and the step after which something is done."""


class Change:
    """Who does what when. `straggler` cannot have pseudonyms of the new epoch until `over`."""

    def __init__(self, dates: Sequence[date], begun: Moment, over: Moment, retired: Moment, straggler: str) -> None:
        self.dates, self.straggler = list(dates), straggler
        self.steps: dict[Moment, Callable[[Simulation], None]] = {}
        for moment, step in ((begun, self.begin), (over, self.let_over), (retired, self.retire)):
            self.steps[moment] = step
        self.late = False
        self.done: list[str] = []

    def between(self, simulation: Simulation, step: str) -> None:
        what = self.steps.pop((self.dates.index(simulation.today), step), None)
        if what is not None:
            what(simulation)
            self.done.append(what.__name__)

    def begin(self, simulation: Simulation) -> None:
        home = simulation.trial.home
        _does(registry, "epoch", "begin", "--epoch", "2", config=home / "registry")
        dealt = deal_epoch(2, 2, 3, secrets.token_bytes)
        epoch = Epoch(epoch=2, threshold=2, shares=3, public_key=dealt.public_key, commitments=dict(dealt.commitments))
        for index, content in dealt.shares.items():
            directory = home / f"evaluator-{index}"
            (directory / "shares").mkdir(mode=0o700)
            files.write_secret(directory / "shares" / "new.share", content)
            epoch = sign_epoch(epoch, index, read_private_signing_key(directory / "signing.key"))
        self.late = True
        _put_in_force(home, lambda file: {"epochs": [*file.epochs, epoch]})

    def let_over(self, simulation: Simulation) -> None:
        shown = _status(simulation)
        assert [each["member"] for each in shown["members"] if not each["done"]] == [self.straggler]
        printed = _does(registry, "epoch", "status", config=simulation.trial.home / "registry")
        assert f"{len(shown['members']) - 1} of {len(shown['members'])} members are done." in printed
        assert re.search(rf"{self.straggler} +[a-z ]+ of its pupils done; last heard of 20", printed)
        refused = _run(registry, "epoch", "retire", "--epoch", "1", "--yes", config=simulation.trial.home / "registry")
        assert isinstance(refused.exception, UppropError)
        assert self.straggler in refused.exception.sentence
        self.late = False

    def retire(self, simulation: Simulation) -> None:
        home = simulation.trial.home
        assert all(each["done"] for each in _status(simulation)["members"])
        _put_in_force(home, lambda file: {"epochs": [each for each in file.epochs if each.epoch == 2]})
        printed = _does(registry, "epoch", "retire", "--epoch", "1", "--yes", config=home / "registry")
        assert "backups" in printed
        for index in (1, 2, 3):
            _does(evaluator, "share", "destroy", "--epoch", "1", "--yes", config=home / f"evaluator-{index}")
            assert not (home / f"evaluator-{index}" / "epoch-1.share").exists()
        assert not (home / "registry" / "epoch-1.key").exists()
        [gone, kept] = _status(simulation)["epochs"]
        assert (gone["has_key"], gone["has_pseudonyms"]) == (False, False)
        assert (kept["has_key"], kept["has_pseudonyms"]) == (True, True)


def _put_in_force(home: Path, change: Callable[[File], dict[str, Any]]) -> None:
    path = home / "federation.toml"
    file = parse_file(descriptor.split(path.read_bytes())[0])
    changed = msgspec.structs.replace(file, serial=file.serial + 1, **change(file))
    key = read_private_signing_key(home / "authority" / "authority.key")
    files.replace(path, descriptor.sign(changed, key))


def _run(group: Any, *arguments: str, config: Path) -> Result:
    return CliRunner().invoke(group, [*arguments, "--config", str(config / "config.toml")])


def _does(group: Any, *arguments: str, config: Path) -> str:
    result = _run(group, *arguments, config=config)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def _status(simulation: Simulation) -> dict[str, Any]:
    config = simulation.trial.home / "registry"
    found: dict[str, Any] = json.loads(_does(registry, "epoch", "status", "--json", config=config))
    return found


def _hold_back(change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is late, evaluators refuse the straggler the new epoch's pseudonyms, as for want of quota."""
    ask = EvaluatorLink.blind_evaluate

    def asked(link: EvaluatorLink, request_id: bytes, epoch: int, elements: Sequence[bytes]) -> Any:
        credentials = link._peer._credentials
        assert isinstance(credentials, ChannelCredentials)
        if change.late and epoch == 2 and credentials._own.identity.name == change.straggler:
            raise UppropError(Code.QUOTA_EXCEEDED, "No quota for epoch 2 is left.")
        return ask(link, request_id, epoch, elements)

    monkeypatch.setattr(EvaluatorLink, "blind_evaluate", asked)


def _play(directory: Path, change: Change, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    _hold_back(change, monkeypatch)
    with prepared(directory, nodes_in_process=True, between=change.between) as simulation:
        found = simulation.play().plain()
        truth = json.loads((directory / "truth.json").read_bytes())

        def order(case: dict[str, Any]) -> tuple[str, str]:
            return case["member"], case["person_id"]

        assert sorted(found["cases"], key=order) == sorted(truth["cases"], key=order)
        assert change.done == ["begin", "let_over", "retire"]
        # What the registry took away of the old epoch, it told its ledger.
        _does(ledger, "verify", config=simulation.trial.home / "registry")
        return simulation


def test_autumn_4_while_the_key_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    autumn4.write_out(tmp_path / "scenario")
    dates = [
        date.fromisoformat(text) for text in json.loads((tmp_path / "scenario" / "scenario.json").read_bytes())["as_of"]
    ]
    change = Change(dates, begun=(3, "imported"), over=(7, "sent"), retired=(9, "imported"), straggler="1480")
    _play(tmp_path / "scenario", change, monkeypatch)


@pytest.mark.parametrize(
    ("begun", "over", "retired"),
    [
        ((1, "sent"), (2, "closed"), (3, "sent")),
        pytest.param((2, "closed"), (3, "sent"), (4, "closed"), marks=pytest.mark.long),
    ],
)
def test_a_generated_scenario_while_the_key_is_changed(
    begun: Moment, over: Moment, retired: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = generate(Recipe(seed=begun[0] + 40, members=3, pupils=12, weeks=8))
    write(made, tmp_path / "scenario")
    members = sorted(member.id for member in made.scenario.members)
    change = Change(made.scenario.as_of, begun, over, retired, straggler=members[1])
    _play(tmp_path / "scenario", change, monkeypatch)
