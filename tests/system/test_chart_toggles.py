"""What the chart makes for other operators' kinds: off by default, and sound by our own eyes and promtool's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from federation.identity import Identity
from tests.harness.chart import CASES, CHART, ROLES, case, merged, named, objects, of_kind
from tests.harness.system_tools import program

RULES = CHART / "files" / "rules"
DASHBOARDS = CHART / "files" / "dashboards"
ON_REQUEST = {"ServiceMonitor", "PrometheusRule", "Certificate", "HorizontalPodAutoscaler"}


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_it_is_there_unless_it_is_asked_for(role: str) -> None:
    assert not ON_REQUEST & {each["kind"] for each in case(role)}
    assert not [each for each in of_kind(case(role), "ConfigMap") if each["metadata"]["name"].endswith("-dashboard")]


def test_each_role_is_scraped_under_the_job_that_its_alerts_know() -> None:
    found = case("everything")
    for monitor in of_kind(found, "ServiceMonitor"):
        role = monitor["metadata"]["labels"]["app.kubernetes.io/component"]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        (endpoint,) = monitor["spec"]["endpoints"]
        assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
        assert {"action": "replace", "targetLabel": "job", "replacement": f"upprop-{role}"} in endpoint["relabelings"]
        chosen = [
            each["metadata"]["name"]
            for each in of_kind(found, "Service")
            if monitor["spec"]["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()
        ]
        assert chosen == [f"roll-{role}-metrics"]
    assert len(of_kind(found, "ServiceMonitor")) == len(ROLES)
    known = set(re.findall(r'job=~?"([^"]+)"', "".join(each.read_text("utf-8") for each in RULES.glob("*.yaml"))))
    jobs = {job for each in known for job in each.split("|")}
    assert jobs - {"upprop-.*", "upprop-.+"} <= {f"upprop-{role}" for role in ROLES}


def test_rules_of_the_chart_are_the_files_and_promtool_takes_them(tmp_path: Path) -> None:
    rules = {each["metadata"]["name"]: each for each in of_kind(case("everything"), "PrometheusRule")}
    assert rules.keys() == {f"roll-{path.stem}" for path in RULES.glob("*.yaml")}
    for path in RULES.glob("*.yaml"):
        spec = rules[f"roll-{path.stem}"]["spec"]
        text = path.read_text(encoding="utf-8").replace(
            "runbook_url: docs/", "runbook_url: https://git.example.se/up/docs/"
        )
        assert spec == yaml.safe_load(text)
        (tmp_path / path.name).write_text(yaml.safe_dump(spec), encoding="utf-8")
        for rule in (rule for group in spec["groups"] for rule in group["rules"] if "alert" in rule):
            assert rule["annotations"]["runbook_url"].startswith("https://git.example.se/up/docs/runbooks.md#")
    names = sorted(str(each) for each in tmp_path.iterdir())
    done = subprocess.run([str(program("promtool")), "check", "rules", *names], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_release_has_the_rules_of_its_own_roles() -> None:
    found = case("registry with reader")
    assert {each["metadata"]["name"] for each in of_kind(found, "PrometheusRule")} == {
        "up-upprop-common",
        "up-upprop-registry",
    }
    without = objects(merged(CASES["registry with reader"], {"prometheusRule": {"common": False}}))
    assert [each["metadata"]["name"] for each in of_kind(without, "PrometheusRule")] == ["up-upprop-registry"]


def test_dashboards_of_the_chart_are_the_files() -> None:
    found = {
        name: (each, content)
        for each in of_kind(case("everything"), "ConfigMap")
        if each["metadata"]["name"].endswith("-dashboard")
        for name, content in each["data"].items()
    }
    files = {f"upprop-{path.name}": path.read_text(encoding="utf-8") for path in DASHBOARDS.glob("*.json")}
    assert files
    assert {name: content for name, (_, content) in found.items()} == files
    for each, content in found.values():
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        json.loads(content)
        # What a ConfigMap may hold.
        assert len(content.encode()) < 1_000_000


@pytest.mark.parametrize("role", ROLES)
def test_cert_manager_keeps_the_key_that_the_descriptor_lists(role: str) -> None:
    certificate = named(case("everything"), "Certificate", f"roll-{role}")
    spec = certificate["spec"]
    assert certificate["apiVersion"] == "cert-manager.io/v1"
    assert spec["secretName"] == f"{role}-identity"
    assert spec["privateKey"] == {"algorithm": "ECDSA", "size": 256, "encoding": "PKCS8", "rotationPolicy": "Never"}
    (uri,) = spec["uris"]
    # One URI, which is who it is, and the one name that callers pin.
    assert spec["dnsNames"] == [Identity.parse(uri).dns_name]
    assert set(spec["usages"]) == {"digital signature", "server auth", "client auth"}
    assert spec["issuerRef"] == {"name": "federation", "kind": "ClusterIssuer", "group": "cert-manager.io"}


def test_the_descriptor_comes_whole_out_of_the_values() -> None:
    federation = CASES["everything"]["federation"]
    data = named(case("everything"), "ConfigMap", "roll-federation")["data"]
    assert data == {"federation.toml": federation["descriptor"], "authority.pub": federation["authorityKey"]}
