"""The statistics as they run: a registry with a synthetic nation, what is due published, and dashboards before it.

Registry and dashboards are processes of their own, on loopback. Deterministic but for the noise and the keys. Run by
hand, it stays up until Ctrl-C: `python -m tests.harness.statistics_site`.
"""

# ruff: noqa: E402 - TLS 1.3 must be required before any module imports gRPC

from __future__ import annotations

from federation import tls13

tls13.require()

import contextlib
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from federation import control, throwaway
from federation.demo.supervisor import Party, Supervisor
from federation.errors import UppropError
from federation.migration import migrate
from federation.runtime import PORTS_NAME
from federation.settings import load
from privacy.keys import deal_epoch
from registry.settings import STORE_PACKAGE, RegistrySettings, open_database
from registry.statistics.geography import geography
from registry.statistics.publishing import client
from tests.harness.ports import free_ports
from tests.harness.statistics_nation import fill

YEARS = (2025, 2026)
TODAY = date(2027, 2, 20)
"""Both years are released by then, and how long the children of the first were missed."""
SILENT = ("0980", "1765", "2305")
"""Gotland is a county of one municipality, so that the county is silent too."""
RELEASES = 12 * len(YEARS) + len(YEARS) + 1
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class StatisticsSite:
    """What runs. `public` and `authority` are the first lines of addresses, without a slash at the end."""

    federation: throwaway.DevFederation
    supervisor: Supervisor
    registry: Party
    public: str
    authority: str

    def reader(self, name: str) -> Path:
        """The settings of a reader, as `upprop query --config` takes them."""
        return self.federation.reader(name)


@contextlib.contextmanager
def statistics_site(directory: Path, *, seed: int = 1, dashboards: bool = True) -> Iterator[StatisticsSite]:
    """Start everything under `directory`, which is made; on leaving it all has ended."""
    registry_port, *ports = free_ports(6)
    federation = throwaway.dev(
        directory,
        [throwaway.DevMember(code, name) for code, name in geography().municipalities.items()],
        deal_epoch=deal_epoch,
        ports=throwaway.Ports(registry_port, tuple(ports[:3])),
        today=TODAY,
    )
    _fill(federation, seed)
    addresses = {}
    for name, port in zip(("public", "statistics"), ports[3:], strict=False):
        config = federation.reader(name)
        # A browser's tests ask more often than a reader of pages may.
        changed = config.read_text(encoding="utf-8").replace(
            'http_listen = "127.0.0.1:0"', f'http_listen = "127.0.0.1:{port}"\ncalls = 1000000'
        )
        config.write_text(changed, encoding="utf-8")
        addresses[name] = f"http://127.0.0.1:{port}"
    with Supervisor() as supervisor:
        registry = _start(supervisor, "registry", ("registry", "serve"), federation.registry)
        supervisor.wait_until(_listens, [registry])
        with control.connect(registry.data_dir) as stub:
            done = client.publish(stub, "")
        assert len(done["releases"]) == RELEASES, done
        if dashboards:
            for name, address in addresses.items():
                party = _start(supervisor, name, ("dashboard",), federation.reader(name))
                _wait(supervisor, party, address)
        yield StatisticsSite(federation, supervisor, registry, addresses["public"], addresses["statistics"])


def _fill(federation: throwaway.DevFederation, seed: int) -> None:
    settings = load(federation.registry, RegistrySettings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(settings)
    with contextlib.closing(database):
        migrate(database, STORE_PACKAGE)
        for year in YEARS:
            newest = TODAY - timedelta(days=1)
            fill(database, year, seed, silent=SILENT, heard_on=newest, closed_on=newest)


def _start(supervisor: Supervisor, name: str, command: tuple[str, ...], config: Path) -> Party:
    home = config.parent
    return supervisor.start(name, (*command, "--config", str(config)), home, home / "data")


def _listens(party: Party) -> bool:
    return (party.data_dir / PORTS_NAME).exists() and control.socket_path(party.data_dir).exists()


def _wait(supervisor: Supervisor, party: Party, address: str) -> None:
    """Until the dashboard answers. A page that says it cannot answer is an answer: a test shall see it."""

    def answers(_party: Party) -> bool:
        try:
            with urllib.request.urlopen(f"{address}/", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    supervisor.wait_until(answers, [party], seconds=READY_SECONDS)


def main() -> None:
    """Until Ctrl-C."""
    with tempfile.TemporaryDirectory() as temporary, contextlib.suppress(KeyboardInterrupt):
        try:
            with statistics_site(Path(temporary) / "federation") as site:
                print(f"public     {site.public}/\nauthority  {site.authority}/", flush=True)  # noqa: T201 - a command
                for name in ("public", "statistics", "oversight"):
                    print(f"{name:<10} upprop query --config {site.reader(name)}", flush=True)  # noqa: T201
                while True:
                    time.sleep(1)
        except UppropError as error:
            raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
