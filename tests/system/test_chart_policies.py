"""The chart's NetworkPolicies: nothing, both ways, but what each role needs."""

from __future__ import annotations

import pytest

from tests.harness.chart import CASES, Object, case, named, of_kind, pods

Rule = tuple[str, int]


def _policies(name: str, role: str) -> Object:
    return named(case(name), "NetworkPolicy", f"up-upprop-{role}")


def _ports(rules: list[Object]) -> set[int]:
    return {port["port"] for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize("name", [each for each in CASES if each != "without extras"])
def test_every_pod_is_denied_everything_first(name: str) -> None:
    (deny,) = [each for each in of_kind(case(name), "NetworkPolicy") if each["metadata"]["name"].endswith("-deny")]
    assert set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert not {"ingress", "egress"} & deny["spec"].keys()
    for owner, _ in pods(case(name)):
        labels = owner["spec"]["template"]["metadata"]["labels"]
        assert deny["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("name", [each for each in CASES if each != "without extras"])
def test_every_pod_has_one_more_policy_of_its_own(name: str) -> None:
    policies = [each for each in of_kind(case(name), "NetworkPolicy") if not each["metadata"]["name"].endswith("-deny")]
    for owner, _ in pods(case(name)):
        labels = owner["spec"]["template"]["metadata"]["labels"]
        chosen = [each for each in policies if each["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]
        assert [each["metadata"]["name"] for each in chosen] == [owner["metadata"]["name"]]
        assert set(chosen[0]["spec"]["policyTypes"]) == {"Ingress", "Egress"}


@pytest.mark.parametrize("name", CASES)
def test_no_rule_means_everybody_or_every_port(name: str) -> None:
    for policy in of_kind(case(name), "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"]
            assert rule["ports"]
        for rule in policy["spec"].get("egress", []):
            assert rule["to"]
            assert rule["ports"]


@pytest.mark.parametrize("role", ["node", "registry", "evaluator", "reader"])
def test_names_are_asked_of_the_cluster_alone(role: str) -> None:
    (dns,) = [rule for rule in _policies(role, role)["spec"]["egress"] if _ports([rule]) == {53}]
    assert {port["protocol"] for port in dns["ports"]} == {"UDP", "TCP"}
    assert [each.keys() for each in dns["to"]] == [{"namespaceSelector", "podSelector"}]


@pytest.mark.parametrize(
    ("name", "role", "ingress", "egress"),
    [
        ("node", "node", {9464}, {53, 7450, 7451}),
        ("node on postgresql", "node", {9464}, {53, 7450, 7451, 5432}),
        ("registry", "registry", {9464, 7450}, {53, 7450, 7451}),
        ("registry on postgresql", "registry", {9464, 7450, 7451}, {53, 7450, 7451, 5432}),
        ("registry on postgresql", "registry-migrate", set(), {53, 5432}),
        ("evaluator", "evaluator", {9464, 7450}, {53, 7450, 7451}),
        ("reader", "reader", {9464, 7460}, {53, 7450, 7451}),
        ("reader on loopback", "reader", {9464}, {53, 7450, 7451}),
        ("nobody reached", "node", set(), set()),
    ],
)
def test_a_role_reaches_and_is_reached_on_these_ports_alone(
    name: str, role: str, ingress: set[int], egress: set[int]
) -> None:
    spec = _policies(name, role)["spec"]
    assert _ports(spec["ingress"]) == ingress
    assert _ports(spec["egress"]) == egress


def test_people_reach_their_pages_alone_and_these_their_login_and_mail() -> None:
    spec = named(case("everything"), "NetworkPolicy", "roll-node")["spec"]
    (pages,) = [rule for rule in spec["ingress"] if _ports([rule]) == {7470}]
    assert pages["from"] == [{"ipBlock": {"cidr": "10.2.0.0/16"}}]
    assert [rule for rule in spec["egress"] if _ports([rule]) == {443, 465, 587}]


def test_a_node_that_fetches_and_is_pushed_to_has_these_two_ports_more() -> None:
    spec = named(case("everything"), "NetworkPolicy", "roll-node")["spec"]
    assert _ports(spec["ingress"]) == {9464, 7452, 7470}
    assert _ports(spec["egress"]) == {53, 7450, 7451, 5432, 443, 465, 587}
    (push,) = [rule for rule in spec["ingress"] if _ports([rule]) == {7452}]
    assert push["from"] == [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]


def test_without_the_switch_there_is_no_policy() -> None:
    assert of_kind(case("without extras"), "NetworkPolicy") == []
