"""A real Prometheus before real daemons, as an operator runs it: a configuration, rule files, its HTTP API.

It keeps what it has in a directory of the caller's and listens on loopback. For tests its intervals are short, and the
patience of the rules too where that is asked for; all else of a rule is as it stands in its file.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.ports import free_ports
from tests.harness.system_tools import program

RULES = Path(__file__).resolve().parents[2] / "helm" / "upprop" / "files" / "rules"
INTERVAL = "1s"
"""Between two scrapes, and between two evaluations of the rules."""
STEP = 0.2
WAIT_SECONDS = 60.0
STOP_SECONDS = 20.0

Targets = Mapping[str, Sequence[str]]
"""Job → the addresses (`host:port`) that it scrapes."""


class QueryError(Exception):
    """What Prometheus says is wrong with a query."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an answer, and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Alert:
    """`state` is `pending` or `firing`."""

    name: str
    state: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Prometheus:
    """One that runs. `url` has no slash at its end."""

    def __init__(self, url: str, targets_file: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self._targets_file = targets_file
        self._process = process
        self._log = log

    def scrape(self, targets: Targets) -> None:
        """Scrape these from now on, in place of those before."""
        groups = [{"labels": {"job": job}, "targets": list(addresses)} for job, addresses in targets.items()]
        temporary = self._targets_file.with_suffix(".new")
        temporary.write_text(json.dumps(groups), encoding="utf-8")
        temporary.replace(self._targets_file)

    def query(self, expression: str) -> list[Sample]:
        """The answer to an instant query; raises QueryError."""
        data = self._get("query", query=expression)
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]

    def names(self) -> set[str]:
        """Every metric there is."""
        return set(self._get("label/__name__/values"))

    def alerts(self, name: str | None = None) -> list[Alert]:
        """Those that are pending or fire."""
        found = [
            Alert(each["labels"]["alertname"], each["state"], each["labels"], each["annotations"])
            for each in self._get("alerts")["alerts"]
        ]
        return [each for each in found if name in (None, each.name)]

    def up(self, targets: Targets) -> bool:
        """Whether each of these is scraped and answers."""
        up = {(each.labels["job"], each.labels["instance"]) for each in self.query("up == 1")}
        return up >= {(job, address) for job, addresses in targets.items() for address in addresses}

    def wait_for(self, what: str, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
        """Until it holds; fails with `what` where it does not in time."""
        until = time.monotonic() + seconds
        while not holds():
            if self._process.poll() is not None:
                raise AssertionError(f"Prometheus has stopped:\n{self._log.read_text(encoding='utf-8')[-2_000:]}")
            assert time.monotonic() < until, f"after {seconds:.0f} seconds not: {what}"
            time.sleep(STEP)

    def wait_for_alert(self, name: str, seconds: float = WAIT_SECONDS, **labels: str) -> Alert:
        """Until the alert fires with these labels."""
        found: list[Alert] = []

        def fires() -> bool:
            found[:] = [
                each
                for each in self.alerts(name)
                if each.state == "firing" and labels.items() <= dict(each.labels).items()
            ]
            return bool(found)

        self.wait_for(f"{name} fires", fires, seconds)
        return found[0]

    def wait_for_no_alert(self, name: str, seconds: float = WAIT_SECONDS) -> None:
        """Until the alert neither fires nor is about to."""
        self.wait_for(f"{name} has cleared", lambda: not self.alerts(name), seconds)

    def _get(self, path: str, **parameters: str) -> Any:
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                content = json.load(answer)
        except urllib.error.HTTPError as error:
            raise QueryError(f"{parameters}: {json.load(error).get('error')}") from error
        return content["data"]


@contextlib.contextmanager
def prometheus(
    directory: Path, targets: Targets, *, rules: Sequence[Path] | None = None, patience: str | None = None
) -> Iterator[Prometheus]:
    """Prometheus with these rule files (all of the project's where not given), until the block ends.

    `directory` is made. `patience` stands for every `for` of the rules, such as `1s`: a test does not wait for
    a quarter of an hour. It returns once each target has been scraped and answered.
    """
    directory.mkdir(parents=True)
    files = sorted(RULES.glob("*.yaml")) if rules is None else list(rules)
    for file in files:
        (directory / file.name).write_text(_impatient(file, patience), encoding="utf-8")
    [port] = free_ports(1)
    targets_file, log = directory / "targets.json", directory / "log"
    configuration = {
        "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": [file.name for file in files],
        "scrape_configs": [{"job_name": "upprop", "file_sd_configs": [{"files": [targets_file.name]}]}],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(program("prometheus")),
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    running = Prometheus(url, targets_file, process, log)
    try:
        running.scrape(targets)
        running.wait_for("Prometheus is ready", lambda: _answers(f"{url}/-/ready"))
        running.wait_for(f"{dict(targets)} answer", lambda: running.up(targets))
        yield running
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _impatient(file: Path, patience: str | None) -> str:
    content = file.read_text(encoding="utf-8")
    if patience is None:
        return content
    parsed = yaml.safe_load(content)
    for group in parsed["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = patience
    return yaml.safe_dump(parsed)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False
