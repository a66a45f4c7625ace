"""A throw-away federation with all its parties running on loopback: what simulations and the demonstration play on.

Invariants: every call between parties is gRPC over mutual TLS, wherever a node runs; no port is chosen before it is
bound. Servers bind any free port; the descriptor that the nodes work by is signed once their addresses are known.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from federation import descriptor, files
from federation.control import connect, socket_path
from federation.demo.leash import HOST, THEN
from federation.demo.supervisor import READY_SECONDS, Party, Supervisor
from federation.descriptor_file import parse_file
from federation.rules.calendar import Break
from federation.rules.vocabulary import Policy
from federation.runtime import PORTS_NAME, raise_file_limit
from federation.throwaway import DevFederation, DevMember, Ports, dev, registry_directory
from federation.v1 import control_pb2
from federation.v1.control_pb2_grpc import ControlServiceStub
from privacy.keys import deal_epoch

EVALUATORS, THRESHOLD = 3, 2
ANY_PORT = b'\nlisten = "127.0.0.1:0"'
ANY_ENROLMENT_PORT = b'enrolment_listen = "127.0.0.1:0"\n'
CONSOLE = """
[console]
listen = "127.0.0.1:0"
development_login = true
# Nobody is asked for a password here: a session may be as long as a trial is looked at.
idle_minutes = 480
session_hours = 24
"""

Ask = Callable[[str, Any], Any]
"""Calls a method of a party's ControlService by its name, with its request."""

Route = Callable[[str, str], str]
"""Given a server's name and its address, the address under which the nodes shall know it."""


def direct(_name: str, address: str) -> str:
    return address


@dataclass(frozen=True)
class Setting:
    """What a trial federation is made of. `today` is the business date on which it starts."""

    members: tuple[DevMember, ...]
    breaks: tuple[Break, ...]
    policy: Policy
    today: date
    nodes_in_process: bool = False
    node_processes: int = 0
    """Processes over which the nodes are spread; 0: each has one of its own, or all are in this one."""
    route: Route = direct
    registries: int = 1
    """Replicas of the registry; several need a `database_url`."""
    database_url: str | None = None
    """Of the registry's PostgreSQL database; SQLite where not given."""
    consoles: bool = False
    """Each node serves its console, with the development login; for nodes that are processes of their own."""
    pushes: bool = False
    """Each node takes calls of school systems; for nodes that are processes of their own."""


class Trial:
    """A context manager: inside it all parties run, after it none does. What they wrote stays under `home`."""

    def __init__(self, home: Path, setting: Setting, started: Callable[[str], None] = lambda _name: None) -> None:
        self.home = home
        self._setting = setting
        self._started = started
        self._stack = contextlib.ExitStack()
        self._supervisor = Supervisor()
        self._asks: dict[str, Ask] = {}
        self._parties: dict[str, Party] = {}
        self.evaluators = tuple(f"evaluator-{index}" for index in range(1, EVALUATORS + 1))
        self._ports = Ports(0, (0,) * EVALUATORS, (0,) * (setting.registries - 1))
        self._registries = tuple(map(registry_directory, self._ports.registries))
        self.nodes = {member.id: f"node-{member.id}" for member in setting.members}

    @property
    def servers(self) -> tuple[str, ...]:
        return (*self.evaluators, *self.registries)

    @property
    def registries(self) -> tuple[str, ...]:
        """The registry's replicas that have not been killed."""
        started = [name for name in self._registries if name in self._parties]
        return tuple(name for name in started if self._parties[name].process is not None) or self._registries

    @property
    def registry(self) -> str:
        """One that has not been killed."""
        return self.registries[0]

    @property
    def processes(self) -> dict[str, int]:
        """Process ids of all that runs, by name: servers, nodes that are processes, or those that host nodes."""
        running = ((party.name, party.process) for party in self._supervisor.parties)
        return {name: process.pid for name, process in running if process is not None}

    def console(self, member: str) -> str:
        """The address of that member's console, without a slash at its end."""
        return f"http://127.0.0.1:{self.port(member, 'console')}"

    def port(self, member: str, service: str) -> int:
        """Where that member's node serves something now."""
        ports = json.loads((self.home / self.nodes[member] / "data" / PORTS_NAME).read_text(encoding="utf-8"))
        port: int = ports[service]
        return port

    def ask(self, name: str, method: str, request: Any) -> Any:
        """Call a method of the ControlService of the party `name`."""
        return self._asks[name](method, request)

    def set_today(self, names: Sequence[str], today: date) -> None:
        for name in names:
            self.ask(name, "SetToday", control_pb2.SetTodayRequest(today=today.isoformat()))

    def kill(self, name: str) -> None:
        """End a party as a power cut would."""
        self._supervisor.kill(self._parties[name])

    def restart(self, name: str) -> None:
        """Kill a party and start it again; it then has the business date of its settings."""
        party = self._parties[name]
        self._supervisor.kill(party)
        self._supervisor.restart(party)
        self._wait([party])

    def __enter__(self) -> Trial:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        setting = self._setting
        federation = dev(
            self.home,
            setting.members,
            deal_epoch=deal_epoch,
            ports=self._ports,
            threshold=THRESHOLD,
            breaks=setting.breaks,
            policy=setting.policy,
            today=setting.today,
            database_url=setting.database_url,
        )
        if setting.consoles:
            for name in self.nodes.values():
                with (self.home / name / "config.toml").open("a", encoding="utf-8") as settings:
                    settings.write(CONSOLE)
        if setting.pushes:
            for name in self.nodes.values():
                settings_path = self.home / name / "config.toml"
                settings_path.write_bytes(ANY_ENROLMENT_PORT + settings_path.read_bytes())
        self._stack.enter_context(self._supervisor)
        servers = [self._serve(name.partition("-")[0], name) for name in self.servers]
        self._wait(servers)
        self._readdress(federation, {party.name: party.port() for party in servers})
        if setting.nodes_in_process:
            # Imported here: a trial whose nodes are elsewhere has no use for a node's code.
            from federation.demo.hosting import host

            for name in self.nodes.values():
                self._asks[name] = self._stack.enter_context(host(self.home / name / "config.toml"))
                self._started(name)
        elif setting.node_processes:
            self._host()
        else:
            self._wait([self._serve("node", name) for name in self.nodes.values()])

    def _serve(self, role: str, name: str) -> Party:
        directory = self.home / name
        settings = str(directory / "config.toml")
        arguments = (role, "migrate", "--config", settings, THEN, role, "serve", "--config", settings)
        party = self._supervisor.start(name, arguments, directory, directory / "data")
        self._parties[name] = party
        return party

    def _host(self) -> None:
        """Spread the nodes over processes, each with about as many inhabitants."""
        raise_file_limit()
        shares: list[list[DevMember]] = [[] for _ in range(min(self._setting.node_processes, len(self.nodes)))]
        for member in sorted(self._setting.members, key=lambda member: -member.population):
            min(shares, key=lambda share: sum(each.population for each in share)).append(member)
        starting: dict[str, list[Path]] = {}
        hosts = []
        for number, share in enumerate(shares, start=1):
            directory = self.home / f"nodes-{number}"
            directory.mkdir()
            homes = [self.home / self.nodes[member.id] for member in share]
            starting[directory.name] = homes
            arguments = (HOST, *(str(home / "config.toml") for home in homes))
            hosts.append(self._supervisor.start(directory.name, arguments, directory, directory))

        def ready(host: Party) -> bool:
            homes = starting[host.name]
            while homes and socket_path(homes[0] / "data").exists():
                home = homes.pop(0)
                self._asks[home.name] = _over(self._stack.enter_context(connect(home / "data")))
                self._started(home.name)
            return not homes

        self._supervisor.wait_until(ready, hosts, seconds=READY_SECONDS + len(self.nodes))

    def _wait(self, parties: Sequence[Party]) -> None:
        """Until each of `parties` answers on its control socket."""

        def ready(party: Party) -> bool:
            return (party.data_dir / PORTS_NAME).exists() and socket_path(party.data_dir).exists()

        self._supervisor.wait_until(ready, parties, self._started)
        for party in parties:
            self._asks[party.name] = _over(self._stack.enter_context(connect(party.data_dir)))

    def _readdress(self, federation: DevFederation, ports: dict[str, int]) -> None:
        """Sign a descriptor with the ports that were bound, and let servers keep theirs over a restart."""
        body, _ = descriptor.split(federation.descriptor.read_bytes())
        file = parse_file(body)
        replace, route = msgspec.structs.replace, self._setting.route
        addressed = replace(
            file,
            serial=file.serial + 1,
            registries=[
                replace(each, address=route(name, f"127.0.0.1:{ports[name]}"))
                for each, name in zip(file.registries, self._registries, strict=True)
            ],
            evaluators=[
                replace(each, address=route(name, f"127.0.0.1:{ports[name]}"))
                for each, name in zip(file.evaluators, self.evaluators, strict=True)
            ],
        )
        files.replace(federation.descriptor, descriptor.sign(addressed, federation.authority_key), mode=0o644)
        for name, port in ports.items():
            settings = self.home / name / "config.toml"
            content = settings.read_bytes().replace(ANY_PORT, f'\nlisten = "127.0.0.1:{port}"'.encode(), 1)
            settings.write_bytes(content)


def _over(stub: ControlServiceStub) -> Ask:
    return lambda method, request: getattr(stub, method)(request)
