"""What values the chart takes: no unknown key anywhere, nothing of a wrong kind, and no choice that cannot work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.harness.chart import CASES, CHART, COMMON, EVALUATOR, NODE, REGISTRY, Values, helm, merged, template

Schema = dict[str, Any]

SCHEMA: Schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS: Values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

OPEN = {
    "global": "a chart that has this one as a part puts there what it likes; nothing of it is used",
    "node.config.console": "nothing, or what its definition says",
    "node.config.mail": "nothing, or what its definition says",
    "pods.affinity.nodeAffinity": "Kubernetes looks at it",
    "pods.affinity.podAffinity": "Kubernetes looks at it",
    "pods.affinity.podAntiAffinity": "Kubernetes looks at it",
}
"""Where the schema does not say which keys there are, and why."""


def resolved(schema: Schema) -> Schema:
    while "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return schema


def levels(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Every object of the schema that stands below no list and no map of names, with its path."""
    schema = resolved(schema)
    if schema.get("type") == "object":
        yield path, schema
        for key, below in schema.get("properties", {}).items():
            yield from levels(below, (*path, key))


def leaves(schema: Schema, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for at, level in levels(schema, path):
        for key, below in level.get("properties", {}).items():
            if resolved(below).get("type") != "object":
                yield (*at, key)


def nested(path: tuple[str, ...], value: Any) -> Values:
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def refusal(values: Mapping[str, Any]) -> str:
    done = template(values)
    assert done.returncode != 0, "helm took it"
    assert "{{" not in done.stderr
    return done.stderr


def test_every_level_says_which_keys_it_has() -> None:
    names = [".".join(path) for path, level in levels(SCHEMA) if level.get("additionalProperties") is not False]
    maps = [".".join(path) for path, level in levels(SCHEMA) if isinstance(level.get("additionalProperties"), dict)]
    assert sorted(set(names) - set(maps)) == sorted(OPEN)


def test_an_unknown_key_is_refused_at_every_level() -> None:
    closed = [path for path, level in levels(SCHEMA) if level.get("additionalProperties") is False]
    assert len(closed) > 60
    told = refusal(merged(CASES["all roles"], *(nested((*path, "unknwon"), 1) for path in closed)))
    for path in closed:
        assert f"at '{'/'.join(('', *path))}': additional properties 'unknwon' not allowed" in told, path


def test_a_value_of_a_wrong_kind_is_refused_everywhere() -> None:
    paths = [path for path in leaves(SCHEMA) if path[0] != "global"]
    told = refusal(merged(CASES["all roles"], *(nested(path, {"not": "this"}) for path in paths)))
    for path in paths:
        assert f"at '/{'/'.join(path)}'" in told, path


def test_every_value_of_the_schema_has_a_default_and_the_other_way() -> None:
    stated = {path for path in leaves(SCHEMA) if path[0] != "global"}

    def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for key, below in value.items():
            if isinstance(below, dict) and below:
                yield from walk(below, (*path, key))
            elif not isinstance(below, dict):
                yield (*path, key)

    ours = set(walk(DEFAULTS))
    # Quantities and labels are maps: what they hold by default is no value of its own.
    assert {path for path in ours - stated if "resources" not in path and "labels" not in path} == set()
    assert {path for path in stated - ours if "resources" not in path} == set()


LONG = "sha256:0"

WRONG: dict[str, tuple[Values, str]] = {
    "a digest that is none": ({"image": {"digest": LONG}}, "/image/digest"),
    "a repository with a tag of capitals": ({"image": {"repository": "Images/Upprop"}}, "/image/repository"),
    "a Secret's name with a slash": (
        {"node": {"recordKey": {"existingSecret": "a/b"}}},
        "/node/recordKey/existingSecret",
    ),
    "a key that climbs": ({"node": {"recordKey": {"name": "../tls.key"}}}, "/node/recordKey/name"),
    "a private key as the public one": (
        {"federation": {"authorityKey": "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"}},
        "/federation/authorityKey",
    ),
    "an address of a host": ({"listenAddress": "127.0.0.1"}, "/listenAddress"),
    "another role's identity": ({"node": {"identity": {"uri": "upprop://registry/a"}}}, "/node/identity/uri"),
    "root": ({"pods": {"user": 0}}, "/pods/user"),
    "a size in words": ({"node": {"persistence": {"size": "big"}}}, "/node/persistence/size"),
    "a level of logs": ({"node": {"config": {"log_level": "trace"}}}, "/node/config/log_level"),
    "a manual clock": ({"node": {"config": {"clock": "manual"}}}, "'clock' not allowed"),
    "a place that the chart chooses": ({"node": {"config": {"data_dir": "/x"}}}, "'data_dir' not allowed"),
    "a school system's name": (
        {"node": {"config": {"school_systems": {"Main One": {"url": "https://x", "token_file": "t"}}}}},
        "Main One",
    ),
    "a school system without a secret": (
        {"node": {"config": {"school_systems": {"main": {"url": "https://x.example.se"}}}}},
        "/node/config/school_systems/main",
    ),
    "a school system's unknown key": (
        {"node": {"config": {"school_systems": {"main": {"url": "https://x", "token_file": "t", "tokn": "t"}}}}},
        "'tokn' not allowed",
    ),
    "a token in place of its file": (
        {"node": {"config": {"school_systems": {"main": {"url": "https://x", "token_file": "a b"}}}}},
        "token_file",
    ),
    "a peer of nothing": ({"networkPolicy": {"metrics": {"from": [{}]}}}, "/networkPolicy/metrics/from/0"),
    "a peer's unknown key": (
        {"networkPolicy": {"dns": {"to": [{"namespace": {}}]}}},
        "'namespace' not allowed",
    ),
    "a toleration's unknown key": ({"pods": {"tolerations": [{"kee": "a"}]}}, "'kee' not allowed"),
    "a quantity's unknown key": ({"node": {"resources": {"limits": {"gpu": 1}}}}, "'gpu' not allowed"),
    "a port too high": ({"networkPolicy": {"federation": {"ports": [70_000]}}}, "/networkPolicy/federation/ports/0"),
}

PAGES = {
    "public_url": "https://upprop.example.se",
    "openid": {"issuer": "https://login.example.se", "client_id": "upprop"},
    "roles": {"a": "caseworker"},
}
ANYBODY = {"ipBlock": {"cidr": "10.0.0.0/8"}}

REFUSED: dict[str, tuple[Values, str]] = {
    "no role": (COMMON, "Nothing is switched on"),
    "roles of two bodies": (merged(COMMON, REGISTRY, EVALUATOR), "Install a release for each"),
    "a node with a registry": (merged(COMMON, NODE, REGISTRY), "Install a release for each"),
    "no image": (merged(CASES["node"], {"image": {"repository": ""}}), "image.repository is empty"),
    "no descriptor": (merged(CASES["node"], {"federation": {"existingConfigMap": ""}}), "given in no place"),
    "two descriptors": (merged(CASES["node"], {"federation": {"existingSecret": "x"}}), "or in several"),
    "a descriptor without its authority": (
        merged(CASES["node"], {"federation": {"existingConfigMap": "", "descriptor": "serial = 1"}}),
        "belong together",
    ),
    "no identity": (
        merged(CASES["node"], {"node": {"identity": {"existingSecret": ""}}}),
        "node.identity.existingSecret is empty",
    ),
    "no record key": (
        merged(CASES["node"], {"node": {"recordKey": {"existingSecret": ""}}}),
        "node.recordKey.existingSecret is empty",
    ),
    "no ledger key": (
        merged(CASES["registry"], {"registry": {"ledgerKey": {"existingSecret": ""}}}),
        "registry.ledgerKey.existingSecret is empty",
    ),
    "no epoch key": (
        merged(CASES["registry"], {"registry": {"epochKeys": {"existingSecret": ""}}}),
        "registry.epochKeys.existingSecret is empty",
    ),
    "no signing key": (
        merged(CASES["evaluator"], {"evaluator": {"signingKey": {"existingSecret": ""}}}),
        "evaluator.signingKey.existingSecret is empty",
    ),
    "two pods on SQLite": (
        merged(CASES["registry"], {"registry": {"replicas": 2}}),
        (
            "registry.replicas is 2 and the database is SQLite, which one pod alone can have. "
            "Set registry.database.type to postgresql, or registry.replicas to 1."
        ),
    ),
    "an autoscaler on SQLite": (
        merged(CASES["registry"], {"registry": {"autoscaling": {"enabled": True}}}),
        "registry.autoscaling is on and the database is SQLite, which one pod alone can have.",
    ),
    "an autoscaler that cannot": (
        merged(
            CASES["registry on postgresql"],
            {"registry": {"autoscaling": {"enabled": True, "minReplicas": 5, "maxReplicas": 4}}},
        ),
        "maxReplicas is less than minReplicas",
    ),
    "PostgreSQL without its URL": (
        merged(CASES["node"], {"node": {"database": {"type": "postgresql"}}}),
        "node.database.existingSecret is empty",
    ),
    "a URL that nobody reads": (
        merged(CASES["node"], {"node": {"database": {"existingSecret": "x"}}}),
        "node.database.type is sqlite",
    ),
    "half of the database's roles": (
        merged(CASES["registry on postgresql"], {"registry": {"database": {"roles": {"owner": "x"}}}}),
        "needs owner, app and existingSecret",
    ),
    "a grace shorter than the drain": (
        merged(CASES["registry"], {"registry": {"terminationGracePeriodSeconds": 45}}),
        "a pod would be killed before it has ended its calls",
    ),
    "a wait longer than the grace": (
        merged(CASES["registry"], {"registry": {"preStopSeconds": 30}}),
        "Set it to more than 70",
    ),
    "cert-manager without an issuer": (
        merged(CASES["node"], {"node": {"identity": {"renewedBy": "certManager", "uri": "upprop://node/0180"}}}),
        "node.identity.certManager.issuerName too",
    ),
    "a port for school systems that everybody reaches": (
        merged(CASES["node"], {"node": {"enrolment": {"enabled": True, "names": ["a.example.se"]}}}),
        "node.enrolment.from",
    ),
    "pages that everybody reaches": (
        merged(CASES["node"], {"node": {"config": {"console": {**PAGES, "proxies": ["10.0.0.1"]}}}}),
        "node.console.from",
    ),
    "pages without TLS": (
        merged(CASES["node"], {"node": {"console": {"from": [ANYBODY]}, "config": {"console": PAGES}}}),
        "lacks certificate and private_key, or proxies",
    ),
    "a mail password without its Secret": (
        merged(
            CASES["node"],
            {"node": {"config": {"mail": {"server": "a.se:587", "sender": "a@a.se", "password_file": "p"}}}},
        ),
        "node.people.existingSecret is empty",
    ),
    "routines without a ConfigMap": (
        merged(CASES["node"], {"node": {"casework": {"routines": ["egen.yaml"]}}}),
        "node.casework.existingConfigMap",
    ),
    "a token without its Secret": (
        merged(
            CASES["node"],
            {"node": {"config": {"school_systems": {"main": {"url": "https://x.se", "token_file": "t"}}}}},
        ),
        "node.schoolSystems.existingSecret is empty",
    ),
    "shares without names": (
        merged(CASES["evaluator"], {"evaluator": {"shares": {"existingSecret": "x"}}}),
        "evaluator.shares.names is empty",
    ),
    "shares without a Secret": (
        merged(CASES["evaluator"], {"evaluator": {"shares": {"names": ["epoch-1.share"]}}}),
        "Name the Secret that holds these shares",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_schema_refuses(wrong: str) -> None:
    values, place = WRONG[wrong]
    assert place in refusal(merged(CASES["node"], values))


@pytest.mark.parametrize("choice", REFUSED)
def test_a_choice_that_cannot_work_is_refused_with_a_sentence(choice: str) -> None:
    values, sentence = REFUSED[choice]
    told = " ".join(refusal(values).split())
    assert sentence in told


def test_helm_says_nothing_but_the_sentence() -> None:
    values, sentence = REFUSED["two pods on SQLite"]
    lines = [line.strip() for line in refusal(values).splitlines()]
    assert sum(sentence in line for line in lines) == 1


def test_an_older_kubernetes_is_refused() -> None:
    assert template(CASES["node"], "--kube-version", "1.30.0").returncode == 0
    done = template(CASES["node"], "--kube-version", "1.29.9")
    assert "chart requires kubeVersion: >=1.30.0-0" in done.stderr


def test_the_chart_may_be_a_part_of_another() -> None:
    assert template(merged(CASES["node"], {"global": {"anything": [1]}})).returncode == 0


def test_a_lint_finds_what_a_schema_finds() -> None:
    done = helm("lint", "--strict", str(CHART), values=merged(CASES["node"], {"nodde": {}}))
    assert done.returncode != 0
    assert "'nodde' not allowed" in done.stdout + done.stderr
