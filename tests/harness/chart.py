"""The chart under a real helm: values in, objects out."""

from __future__ import annotations

import copy
import functools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.harness.system_tools import program

CHART = Path(__file__).resolve().parents[2] / "helm" / "upprop"
RELEASE, NAMESPACE = "up", "roll-call"
ROLES = ("node", "registry", "evaluator", "reader")

Object = dict[str, Any]
Values = dict[str, Any]

COMMON: Values = {
    "image": {"repository": "images.example.se/upprop"},
    "federation": {"existingConfigMap": "federation"},
}
NODE: Values = {
    "node": {
        "enabled": True,
        "identity": {"existingSecret": "node-identity"},
        "recordKey": {"existingSecret": "node-record"},
    }
}
REGISTRY: Values = {
    "registry": {
        "enabled": True,
        "identity": {"existingSecret": "registry-identity"},
        "ledgerKey": {"existingSecret": "registry-ledger"},
        "epochKeys": {"existingSecret": "registry-epochs"},
    }
}
EVALUATOR: Values = {
    "evaluator": {
        "enabled": True,
        "identity": {"existingSecret": "evaluator-identity"},
        "signingKey": {"existingSecret": "evaluator-signing"},
    }
}
READER: Values = {
    "reader": {
        "enabled": True,
        "identity": {"existingSecret": "reader-identity"},
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
    }
}
ON_POSTGRESQL: Values = {
    "registry": {"replicas": 3, "database": {"type": "postgresql", "existingSecret": "registry-db"}}
}
WATCHED: Values = {
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {
        "enabled": True,
        "labels": {"release": "prometheus"},
        "runbookBase": "https://git.example.se/up/",
    },
    "grafanaDashboards": {"enabled": True},
}


def merged(*parts: Mapping[str, Any]) -> Values:
    """These values, later ones before earlier ones, map by map."""
    whole: Values = {}
    for part in parts:
        for key, value in part.items():
            here = whole.get(key)
            both = isinstance(here, dict) and isinstance(value, dict)
            whole[key] = merged(here or {}, value) if both else copy.deepcopy(value)
    return whole


def _cert_manager(role: str, uri: str) -> Values:
    issuer = {"issuerName": "federation", "issuerKind": "ClusterIssuer"}
    return {role: {"identity": {"renewedBy": "certManager", "uri": uri, "certManager": issuer}}}


_EVERYTHING: Values = merged(
    COMMON,
    NODE,
    REGISTRY,
    EVALUATOR,
    READER,
    ON_POSTGRESQL,
    WATCHED,
    _cert_manager("node", "upprop://node/0180-5561234567"),
    _cert_manager("registry", "upprop://registry/a"),
    _cert_manager("evaluator", "upprop://evaluator/1"),
    _cert_manager("reader", "upprop://authority/statistics"),
    {
        "unsafeRolesTogether": True,
        "listenAddress": "[::]",
        "fullnameOverride": "roll",
        "federation": {
            "existingConfigMap": "",
            "descriptor": '# signed\nserial = 7\n\n[policy]\ntext = "å {{ }} \\" \'"\n',
            "authorityKey": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n",
        },
        "image": {"tag": "1.2.3", "pullPolicy": "Always", "pullSecrets": ["images"]},
        "pods": {
            "user": 20002,
            "annotations": {"example.se/a": "b"},
            "labels": {"team": "a"},
            "nodeSelector": {"disk": "encrypted"},
            "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
            "priorityClassName": "high",
        },
        "node": {
            "database": {"type": "postgresql", "existingSecret": "node-db"},
            "schoolSystems": {"existingSecret": "tokens"},
            "enrolment": {
                "enabled": True,
                "names": ["upprop.example.se", "10.0.0.5"],
                "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]},
            },
            "console": {"from": [{"ipBlock": {"cidr": "10.2.0.0/16"}}], "service": {"annotations": {"a": "b"}}},
            "people": {"existingSecret": "people"},
            "casework": {"existingConfigMap": "routines", "routines": ["egen.yaml"], "help": "hjalp.yaml"},
            "config": {
                "shred_years": 7,
                "console": {
                    "public_url": "https://upprop.example.se",
                    "certificate": "tls.crt",
                    "private_key": "tls.key",
                    "proxies": ["10.0.0.1", "10.3.0.0/16"],
                    "openid": {
                        "issuer": "https://login.example.se/kommun",
                        "client_id": "upprop",
                        "client_secret_file": "client.secret",
                        "scope": "openid profile groups",
                        "groups_claim": "grupper",
                        "units_claim": "skolenheter",
                        "ca_file": "ca.pem",
                    },
                    "roles": {'GG "Å" \\ 1': "caseworker", "urn:a/b": "protected-identity"},
                    "units": {'Östra "skolan"': "b2c3", "12345678": "a1"},
                    "idle_minutes": 15,
                    "session_hours": 8,
                },
                "mail": {
                    "server": "post.example.se:587",
                    "sender": "upprop@example.se",
                    "user": "upprop",
                    "password_file": "mail.password",
                    "second_after_minutes": 30,
                },
                "webhooks": {"main": {"url": "https://skola.example.se/hook", "secret_file": "hook.secret"}},
                "log_level": "debug",
                "sync_seconds": 12.5,
                "upper_secondary": True,
                "drill_days": 0,
                "school_systems": {
                    "main": {
                        "url": "https://skola.example.se/v2",
                        "token_file": "main.token",
                        "at": "05:30",
                        "attendance": "events",
                    },
                    "resurs-2": {
                        "source": "ss12000",
                        "url": "https://resurs.example.se/v2",
                        "token_url": "https://resurs.example.se/token",
                        "client_id": '<å & "b">',
                        "client_secret_file": "resurs.secret",
                        "scope": "read",
                        "ca_file": "resurs.pem",
                        "proxy": "http://proxy.example.se:3128",
                        "limit": 100,
                        "full_every_days": 1,
                        "overlap_hours": 0,
                    },
                },
            },
        },
        "registry": {
            "epochKeys": {"epochs": [1, 12]},
            "ca": {"existingSecret": "federation-ca"},
            "join": {"enabled": True},
            "database": {"roles": {"owner": "up_owner", "app": "up_app", "existingSecret": "registry-migrator"}},
            "service": {"type": "LoadBalancer", "annotations": {"a": "b"}, "loadBalancerSourceRanges": ["10.0.0.0/8"]},
            "autoscaling": {"enabled": True},
            "config": {"lease_seconds": 12.5},
        },
        "evaluator": {
            "shares": {"existingSecret": "evaluator-shares", "names": ["epoch-1.share"], "storageClassName": "slow"},
            "config": {"published_pupils": 1_100_000},
            "persistence": {"storageClassName": "fast", "size": "7Gi"},
        },
        "reader": {
            "replicas": 2,
            "config": {
                "level": "public",
                "title": 'Barn som saknas: "2026"',
                "public_url": "https://statistik.example.se",
                "proxies": ["10.0.0.1"],
                "calls": 7,
                "call_window_seconds": 8,
                "data_license": "https://creativecommons.org/licenses/by/4.0/",
            },
        },
    },
)

CASES: dict[str, Values] = {
    "node": merged(COMMON, NODE),
    "node on postgresql": merged(
        COMMON, NODE, {"node": {"database": {"type": "postgresql", "existingSecret": "node-db"}}}
    ),
    "registry": merged(COMMON, REGISTRY),
    "registry on postgresql": merged(COMMON, REGISTRY, ON_POSTGRESQL, {"registry": {"join": {"enabled": True}}}),
    "evaluator": merged(COMMON, EVALUATOR, {"federation": {"existingConfigMap": "", "existingSecret": "federation"}}),
    "evaluator, renewed elsewhere": merged(COMMON, EVALUATOR, {"evaluator": {"identity": {"renewedBy": "other"}}}),
    "reader": merged(COMMON, READER),
    "reader on loopback": merged(COMMON, READER, {"reader": {"loopback": True}}),
    "registry with reader": merged(COMMON, REGISTRY, READER, WATCHED),
    "all roles": merged(COMMON, NODE, REGISTRY, EVALUATOR, READER, {"unsafeRolesTogether": True}),
    "without extras": merged(
        COMMON,
        NODE,
        {
            "migration": {"enabled": False},
            "podDisruptionBudget": {"enabled": False},
            "networkPolicy": {"enabled": False},
        },
    ),
    "nobody reached": merged(
        COMMON,
        NODE,
        {"networkPolicy": {"dns": {"to": []}, "federation": {"to": []}, "metrics": {"from": []}}},
    ),
    "maintenance": merged(COMMON, EVALUATOR, {"maintenance": True}),
    "everything": _EVERYTHING,
}
"""What the chart is tried with, each a release of its own."""


def helm(
    *arguments: str, values: Mapping[str, Any] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run helm. It finds no cluster, whatever this machine has."""
    command = [str(program("helm")), *arguments, *([] if values is None else ["--values", "-"])]
    environment = {**os.environ, "KUBECONFIG": os.devnull}
    # JSON is YAML, and no value is read as something else.
    given = None if values is None else json.dumps(values)
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, env=environment, cwd=cwd)


def template(values: Mapping[str, Any], *more: str) -> subprocess.CompletedProcess[str]:
    return helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *more, values=values)


def objects(values: Mapping[str, Any], *more: str) -> list[Object]:
    """What would be installed, hooks among it."""
    done = template(values, *more)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@functools.cache
def case(name: str) -> tuple[Object, ...]:
    """The objects of one of CASES; read them only."""
    return tuple(objects(CASES[name]))


def of_kind(found: tuple[Object, ...] | list[Object], *kinds: str) -> list[Object]:
    return [each for each in found if each["kind"] in kinds]


def named(found: tuple[Object, ...] | list[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name."""
    (one,) = [each for each in of_kind(found, kind) if each["metadata"]["name"] == name]
    return one


def pods(found: tuple[Object, ...] | list[Object]) -> Iterator[tuple[Object, Object]]:
    """Each object that makes pods, and the pods' spec."""
    for each in of_kind(found, "StatefulSet", "Job", "Deployment", "DaemonSet", "CronJob"):
        yield each, each["spec"]["template"]["spec"]


def containers(spec: Object) -> list[Object]:
    return [*spec.get("initContainers", []), *spec["containers"]]
