"""What the chart makes is what Kubernetes takes, and what the issue's rules ask of every pod."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import kubernetes_validate
import pytest
import yaml

from federation.rpc.server import DRAIN_SECONDS
from federation.web.serving import DRAIN_SECONDS as DASHBOARD_DRAIN_SECONDS
from tests.harness.chart import (
    CASES,
    CHART,
    NAMESPACE,
    RELEASE,
    ROLES,
    Object,
    case,
    containers,
    helm,
    merged,
    named,
    objects,
    of_kind,
    pods,
)

ROOT = CHART.parents[1]

OF_OTHERS = {
    "monitoring.coreos.com/v1": {"ServiceMonitor", "PrometheusRule"},
    "cert-manager.io/v1": {"Certificate"},
}
"""What Kubernetes itself has no schema of; test_chart_toggles looks at it."""

RECOMMENDED = {
    "app.kubernetes.io/name": "upprop",
    "app.kubernetes.io/instance": RELEASE,
    "app.kubernetes.io/part-of": "upprop",
    "app.kubernetes.io/managed-by": "Helm",
}

every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_helm_finds_no_fault(name: str) -> None:
    done = helm("lint", "--strict", str(CHART), values=CASES[name])
    assert done.returncode == 0, done.stdout + done.stderr


@every_case
def test_every_object_is_one_of_kubernetes(name: str) -> None:
    for each in case(name):
        if each["kind"] in OF_OTHERS.get(each["apiVersion"], ()):
            continue
        for version in ("1.30", "1.35"):
            kubernetes_validate.validate(each, version, strict=True)


@every_case
def test_names_are_short_and_each_stands_once(name: str) -> None:
    found = [(each["kind"], each["metadata"]["name"]) for each in case(name)]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", each) for _, each in found)


def test_a_long_release_name_leaves_names_that_kubernetes_takes() -> None:
    done = helm("template", "r" * 53, str(CHART), values=CASES["registry on postgresql"])
    assert done.returncode == 0, done.stderr
    assert all(len(each) <= 52 for each in re.findall(r"^  name: (\S+)$", done.stdout, re.MULTILINE))


@every_case
def test_everything_bears_the_recommended_labels_and_stays_in_its_namespace(name: str) -> None:
    for each in case(name):
        labels = each["metadata"]["labels"]
        assert RECOMMENDED.items() <= labels.items(), each["metadata"]["name"]
        assert {"app.kubernetes.io/component", "app.kubernetes.io/version", "helm.sh/chart"} <= labels.keys()
        assert each["metadata"]["namespace"] == NAMESPACE


@every_case
def test_pods_are_restricted(name: str) -> None:
    for _, spec in pods(case(name)):
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] >= 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        # Else each start would give what is in the volume to the group.
        assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
        allowed = {"name", "configMap", "secret", "emptyDir"}
        assert all(volume.keys() <= allowed for volume in spec["volumes"])
        for container in containers(spec):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["privileged"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["runAsNonRoot"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            # The image's entry point is upprop: there is no shell, and none is asked for.
            assert ("command" in container) is (name == "maintenance" and container["name"] == "evaluator")
            mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
            assert not mounts["/tmp"].get("readOnly")
            assert {"name": "TMPDIR", "value": "/tmp"} in container["env"]


@every_case
def test_no_token_of_kubernetes_comes_into_a_pod(name: str) -> None:
    accounts = {each["metadata"]["name"]: each for each in of_kind(case(name), "ServiceAccount")}
    assert all(each["automountServiceAccountToken"] is False for each in accounts.values())
    assert {spec["serviceAccountName"] for _, spec in pods(case(name))} <= accounts.keys()
    assert not of_kind(case(name), "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


@every_case
def test_secrets_are_named_and_never_told(name: str) -> None:
    assert not of_kind(case(name), "Secret")
    for each in of_kind(case(name), "ConfigMap"):
        for content in each["data"].values():
            assert "PRIVATE KEY" not in content
            assert "postgresql://" not in content


@every_case
def test_only_the_first_container_sees_mounted_secrets(name: str) -> None:
    for _, spec in pods(case(name)):
        mounted = {volume["name"] for volume in spec["volumes"] if "secret" in volume} - {"certificate", "federation"}
        first, *others = containers(spec)
        assert first["name"] == "stage"
        assert mounted <= {mount["name"] for mount in first["volumeMounts"]}
        for container in others:
            assert not mounted & {mount["name"] for mount in container["volumeMounts"]}
        run = next(volume for volume in spec["volumes"] if volume["name"] == "run")
        assert run["emptyDir"]["medium"] == "Memory"


@every_case
def test_probes_are_those_of_the_metrics_port(name: str) -> None:
    for owner, spec in pods(case(name)):
        if owner["kind"] == "Job" or name == "maintenance":
            continue
        (daemon,) = spec["containers"]
        assert {"name": "metrics", "containerPort": 9464, "protocol": "TCP"} in daemon["ports"]
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            assert daemon[probe]["httpGet"] == {"path": path, "port": "metrics"}
        # A start that takes long, as after a migration, is no reason to begin anew.
        assert daemon["startupProbe"]["periodSeconds"] * daemon["startupProbe"]["failureThreshold"] >= 120


def test_the_grace_is_longer_than_the_drain() -> None:
    # One after the other: workers, the federation's calls, school systems' calls, commands.
    drain = 4 * max(DRAIN_SECONDS, DASHBOARD_DRAIN_SECONDS)
    told = re.search(r'define "upprop.drainSeconds" -\}\}(\d+)\{', (CHART / "templates/_names.tpl").read_text())
    assert told is not None
    assert int(told[1]) >= drain
    for owner, spec in pods(case("everything")):
        if owner["kind"] == "Job":
            continue
        (daemon,) = spec["containers"]
        stop = daemon.get("lifecycle", {}).get("preStop", {"sleep": {"seconds": 0}})
        # `sleep` needs no shell in the image.
        assert stop.keys() == {"sleep"}
        assert spec["terminationGracePeriodSeconds"] > stop["sleep"]["seconds"] + drain
        called = owner["metadata"]["labels"]["app.kubernetes.io/component"] != "node"
        assert (stop["sleep"]["seconds"] > 0) == called


@every_case
def test_each_role_has_a_budget_that_lets_one_pod_go(name: str) -> None:
    budgets = of_kind(case(name), "PodDisruptionBudget")
    if name == "without extras":
        assert budgets == []
        return
    chosen = [each["spec"]["selector"] for each in budgets]
    assert chosen == [each["spec"]["selector"] for each in of_kind(case(name), "StatefulSet")]
    assert all(each["spec"]["maxUnavailable"] == 1 and "minAvailable" not in each["spec"] for each in budgets)


@every_case
def test_volumes_outlive_the_release_and_every_secret_of_a_role_is_asked_for(name: str) -> None:
    for each in of_kind(case(name), "StatefulSet"):
        spec = each["spec"]
        assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
        claims = [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]]
        role = each["metadata"]["labels"]["app.kubernetes.io/component"]
        assert claims == (["data", "shares"] if role == "evaluator" else ["data"])
        # An upgrade may change labels of the version; those of a claim may never change.
        for claim in spec["volumeClaimTemplates"]:
            assert not {"helm.sh/chart", "app.kubernetes.io/version"} & claim["metadata"]["labels"].keys()
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


@every_case
def test_each_service_leads_to_a_port_of_the_pods_it_chooses(name: str) -> None:
    templates = [each["spec"]["template"] for each in of_kind(case(name), "StatefulSet")]
    for service in of_kind(case(name), "Service"):
        (chosen,) = [
            each for each in templates if service["spec"]["selector"].items() <= each["metadata"]["labels"].items()
        ]
        open_ports = {port["name"]: port["containerPort"] for port in chosen["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            assert open_ports[port["targetPort"]] == port["port"]
    governing = {each["spec"]["serviceName"] for each in of_kind(case(name), "StatefulSet")}
    services = {each["metadata"]["name"]: each for each in of_kind(case(name), "Service")}
    assert all(services[each]["spec"]["clusterIP"] == "None" for each in governing)


def test_each_port_has_a_service_of_its_own() -> None:
    ports = {each["metadata"]["name"]: [port["port"] for port in each["spec"]["ports"]] for each in _services()}
    assert ports == {
        "roll-node-metrics": [9464],
        "roll-node-enrolment": [7452],
        "roll-node-console": [7470],
        "roll-registry-metrics": [9464],
        "roll-registry": [7450],
        "roll-registry-join": [7451],
        "roll-evaluator-metrics": [9464],
        "roll-evaluator": [7450],
        "roll-reader-metrics": [9464],
        "roll-reader": [7460],
    }


def test_in_maintenance_a_pod_waits_and_is_sent_nobody() -> None:
    (owner,) = of_kind(case("maintenance"), "StatefulSet")
    spec = owner["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["initContainers"]] == ["stage"]
    (daemon,) = spec["containers"]
    assert not {"startupProbe", "livenessProbe", "args"} & daemon.keys()
    assert daemon["readinessProbe"]["httpGet"]["path"] == "/readyz"
    on_postgresql = objects(merged(CASES["registry on postgresql"], {"maintenance": True}))
    assert of_kind(on_postgresql, "Job") == []


def test_what_waits_ends_when_it_is_told_to() -> None:
    (owner,) = of_kind(case("maintenance"), "StatefulSet")
    program, *arguments = owner["spec"]["template"]["spec"]["containers"][0]["command"]
    assert program == "python"
    # Told before it waits, a process outside a container dies of it.
    arguments[-1] = arguments[-1].replace("signal.sigwait", "print(flush=True); signal.sigwait")
    waiting = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "\n"
    waiting.terminate()
    assert waiting.wait(timeout=60) == 0
    waiting.stdout.close()


def _services() -> list[Object]:
    return of_kind(case("everything"), "Service")


def test_the_chart_is_of_the_program_beside_it_and_of_its_image() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart["appVersion"] == chart["version"] == project["version"]
    image = (ROOT / "Containerfile").read_text(encoding="utf-8")
    user = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["pods"]["user"]
    assert f"\nUSER {user}:{user}\n" in image
    assert re.search(r'^ENTRYPOINT \["\S+/upprop"\]$', image, re.MULTILINE)


def test_nobody_outside_the_pod_reaches_pages_on_loopback() -> None:
    found = case("reader on loopback")
    assert [each["metadata"]["name"] for each in of_kind(found, "Service")] == ["up-upprop-reader-metrics"]
    config = named(found, "ConfigMap", "up-upprop-reader")["data"]["config.toml"]
    assert 'http_listen = "127.0.0.1:7460"' in config


# -- migration --------------------------------------------------------------------------------------------------------


def _job(name: str, role: str) -> Object:
    return named(case(name), "Job", f"up-upprop-{role}-migrate")


@pytest.mark.parametrize(("name", "role"), [("registry on postgresql", "registry"), ("node on postgresql", "node")])
def test_on_postgresql_a_job_migrates_before_pods_change(name: str, role: str) -> None:
    job = _job(name, role)
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert "hook-succeeded" in job["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    spec = job["spec"]["template"]["spec"]
    assert spec["restartPolicy"] == "Never"
    assert [each["args"][:2] for each in spec["containers"]] == [[role, "migrate"]]
    # What it needs is there before anything else of the release is, and no one else's.
    for kind in ("ServiceAccount", "ConfigMap", "NetworkPolicy"):
        needed = named(case(name), kind, job["metadata"]["name"])
        assert needed["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        weights = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (needed, job)]
        assert weights[0] < weights[1]
    (daemons,) = of_kind(case(name), "StatefulSet")
    assert [each["name"] for each in daemons["spec"]["template"]["spec"]["initContainers"]] == ["stage"]


@pytest.mark.parametrize("role", ["node", "registry", "evaluator"])
def test_on_sqlite_the_pod_migrates_its_own_volume(role: str) -> None:
    assert of_kind(case(role), "Job") == []
    (daemons,) = of_kind(case(role), "StatefulSet")
    init = daemons["spec"]["template"]["spec"]["initContainers"]
    assert [each["name"] for each in init] == ["stage", "migrate"]
    assert init[1]["args"] == [role, "migrate"]


def test_only_the_migration_has_the_login_that_may_change_tables() -> None:
    roles = {"owner": "up_owner", "app": "up_app", "existingSecret": "registry-migrator"}
    found = objects(merged(CASES["registry on postgresql"], {"registry": {"database": {"roles": roles}}}))
    having = [
        owner["kind"]
        for owner, spec in pods(found)
        if "registry-migrator" in {volume.get("secret", {}).get("secretName") for volume in spec["volumes"]}
    ]
    assert having == ["Job"]
    assert "database_roles" in named(found, "ConfigMap", "up-upprop-registry-migrate")["data"]["config.toml"]
    assert "database_roles" not in named(found, "ConfigMap", "up-upprop-registry")["data"]["config.toml"]


def test_a_migration_by_hand_leaves_no_job_and_no_init_container() -> None:
    for name in ("registry", "registry on postgresql"):
        found = objects(merged(CASES[name], {"migration": {"enabled": False}}))
        assert of_kind(found, "Job") == []
        (daemons,) = of_kind(found, "StatefulSet")
        assert [each["name"] for each in daemons["spec"]["template"]["spec"]["initContainers"]] == ["stage"]


# -- how many ---------------------------------------------------------------------------------------------------------


def test_a_role_is_one_pod_unless_its_store_takes_more() -> None:
    for name, role, replicas in (
        ("node on postgresql", "node", 1),
        ("registry", "registry", 1),
        ("registry on postgresql", "registry", 3),
        ("evaluator", "evaluator", 1),
    ):
        (daemons,) = of_kind(case(name), "StatefulSet")
        assert daemons["spec"]["replicas"] == replicas, role


def test_the_autoscaler_alone_says_how_many_pods_there_are() -> None:
    found = case("everything")
    (scaler,) = of_kind(found, "HorizontalPodAutoscaler")
    target = scaler["spec"]["scaleTargetRef"]
    assert "replicas" not in named(found, target["kind"], target["name"])["spec"]
    assert of_kind(case("registry on postgresql"), "HorizontalPodAutoscaler") == []


def test_pods_start_anew_when_their_settings_change() -> None:
    def stamp(found: list[Object]) -> str:
        (daemons,) = of_kind(found, "StatefulSet")
        return str(daemons["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    before, same = stamp(objects(CASES["node"])), stamp(objects(merged(CASES["node"], {"serviceMonitor": {}})))
    assert before == same
    assert before != stamp(objects(merged(CASES["node"], {"node": {"config": {"drill_days": 7}}})))


def test_an_image_is_taken_by_its_digest_where_one_is_given() -> None:
    digest = "sha256:" + "0" * 64
    for image, reference in (
        ({}, "images.example.se/upprop:0.1.0"),
        ({"tag": "2"}, "images.example.se/upprop:2"),
        ({"tag": "2", "digest": digest}, f"images.example.se/upprop@{digest}"),
    ):
        for _, spec in pods(objects(merged(CASES["node"], {"image": image}))):
            assert {each["image"] for each in containers(spec)} == {reference}


@pytest.mark.parametrize("role", ROLES)
def test_what_helm_says_at_the_end_is_the_next_step(role: str) -> None:
    done = helm("install", RELEASE, str(CHART), "--dry-run=client", "--namespace", NAMESPACE, values=CASES[role])
    assert done.returncode == 0, done.stderr
    _, _, notes = done.stdout.partition("NOTES:")
    assert "Next: " in notes
    assert f"rollout status statefulset/up-upprop-{role}" in notes
    assert ("UNSAFE" in notes) is False


def test_what_must_not_run_together_is_called_unsafe() -> None:
    done = helm("install", RELEASE, str(CHART), "--dry-run=client", values=CASES["all roles"])
    assert "UNSAFE" in done.stdout.partition("NOTES:")[2]
