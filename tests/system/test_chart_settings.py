"""The config.toml that the chart writes is one that the role reads, says what the values say and leaves out nothing."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import pytest

from federation.settings import DaemonSettings, load
from node.casework.actor import Role
from node.casework.holds.settings import WebhookSettings
from node.casework.mailing.settings import MailSettings
from node.console.settings import ConsoleSettings, OpenId
from node.records.ss12000_api.settings import SchoolSystem
from node.settings import NodeSettings
from privacy.evaluator.settings import EvaluatorSettings
from registry.settings import DatabaseRoles, RegistrySettings
from registry.statistics.settings import ReaderSettings
from tests.harness.chart import CASES, CHART, ROLES, Object, case, containers, merged, named, objects, of_kind, pods

SETTINGS: dict[str, type[DaemonSettings]] = {
    "node": NodeSettings,
    "registry": RegistrySettings,
    "evaluator": EvaluatorSettings,
    "reader": ReaderSettings,
}

NEVER = {
    "clock": "a manual clock allows loopback addresses alone, which nobody reaches in a pod",
    "today": "goes with it",
    "epoch_key_dir": "a key made there would lie in memory, and be lost with all pseudonyms under it",
}
"""Settings that no value reaches, and why."""

BY_THE_CHART = {
    "all": {
        "authority_key",
        "certificate",
        "data_dir",
        "database_url_file",
        "descriptor",
        "listen",
        "metrics_listen",
        "private_key",
        "renew_certificate",
    },
    "node": {"record_key", "enrolment_listen", "enrolment_names", "casework_dir"},
    "registry": {"ledger_key", "epoch_keys", "join_listen", "ca_certificate", "ca_key", "database_roles"},
    "evaluator": {"share_files", "share_dir", "signing_key"},
    "reader": {"http_listen"},
}
"""Settings that the chart writes out of other values than ROLE.config."""

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def config(found: tuple[Object, ...] | list[Object], role: str, tmp_path: Path) -> Any:
    (one,) = [
        each
        for each in of_kind(found, "ConfigMap")
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == role and "config.toml" in each["data"]
    ]
    path = tmp_path / f"{role}.toml"
    path.write_text(one["data"]["config.toml"], encoding="utf-8")
    return load(path, SETTINGS[role.removesuffix("-migrate")])


@pytest.mark.parametrize("name", CASES)
def test_each_role_reads_its_settings(name: str, tmp_path: Path) -> None:
    for each in of_kind(case(name), "StatefulSet"):
        role = each["metadata"]["labels"]["app.kubernetes.io/component"]
        settings = config(case(name), role, tmp_path)
        assert settings.clock == "system"
        assert settings.metrics_listen.endswith(":9464")
    for each in of_kind(case(name), "Job"):
        role = each["metadata"]["labels"]["app.kubernetes.io/component"]
        assert config(case(name), role, tmp_path).database_url_file == Path("/run/upprop/database/url")


@pytest.mark.parametrize("role", ROLES)
def test_every_setting_of_a_role_can_be_reached(role: str) -> None:
    values = set(SCHEMA["properties"][role]["properties"]["config"]["properties"])
    by_the_chart = BY_THE_CHART["all"] | BY_THE_CHART[role]
    there = {field.name for field in msgspec.structs.fields(SETTINGS[role])}
    assert values <= there
    assert there - values - by_the_chart - NEVER.keys() == set()
    assert values & by_the_chart == set()


def test_every_setting_of_a_school_system_can_be_reached() -> None:
    there = {field.name for field in msgspec.structs.fields(SchoolSystem)}
    assert set(SCHEMA["definitions"]["schoolSystem"]["properties"]) == there


@pytest.mark.parametrize("role", ROLES)
def test_without_a_word_the_settings_are_those_of_the_program(role: str, tmp_path: Path) -> None:
    settings = config(case(role), role, tmp_path)
    for name in SCHEMA["properties"][role]["properties"]["config"]["properties"]:
        (field,) = [each for each in msgspec.structs.fields(SETTINGS[role]) if each.name == name]
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        assert getattr(settings, name) == default, name


def test_what_the_values_say_is_what_the_node_reads(tmp_path: Path) -> None:
    settings = config(case("everything"), "node", tmp_path)
    assert isinstance(settings, NodeSettings)
    assert (settings.sync_seconds, settings.upper_secondary, settings.drill_days) == (12.5, True, 0)
    assert settings.enrolment_listen == "[::]:7452"
    assert settings.enrolment_names == ("upprop.example.se", "10.0.0.5")
    assert settings.school_systems["main"] == SchoolSystem(
        url="https://skola.example.se/v2",
        token_file=Path("/run/upprop/school-systems/main.token"),
        at="05:30",
        attendance="events",
    )
    other = settings.school_systems["resurs-2"]
    assert other.client_id == '<å & "b">'
    assert other.client_secret_file == Path("/run/upprop/school-systems/resurs.secret")
    assert other.ca_file == Path("/run/upprop/school-systems/resurs.pem")
    assert (other.limit, other.full_every_days, other.overlap_hours) == (100, 1, 0)


def test_what_the_values_say_of_people_is_what_the_node_reads(tmp_path: Path) -> None:
    settings = config(case("everything"), "node", tmp_path)
    assert isinstance(settings, NodeSettings)
    assert (settings.shred_years, settings.casework_dir) == (7, Path("/etc/upprop/casework"))
    people = Path("/run/upprop/people")
    assert settings.console == ConsoleSettings(
        listen="[::]:7470",
        public_url="https://upprop.example.se",
        certificate=people / "tls.crt",
        private_key=people / "tls.key",
        proxies=("10.0.0.1", "10.3.0.0/16"),
        openid=OpenId(
            issuer="https://login.example.se/kommun",
            client_id="upprop",
            client_secret_file=people / "client.secret",
            scope="openid profile groups",
            groups_claim="grupper",
            units_claim="skolenheter",
            ca_file=people / "ca.pem",
        ),
        roles={'GG "Å" \\ 1': Role.CASEWORKER, "urn:a/b": Role.PROTECTED},
        units={'Östra "skolan"': "b2c3", "12345678": "a1"},
        idle_minutes=15,
        session_hours=8,
    )
    assert settings.mail == MailSettings(
        server="post.example.se:587",
        sender="upprop@example.se",
        user="upprop",
        password_file=people / "mail.password",
        second_after_minutes=30,
    )
    assert settings.webhooks == {"main": WebhookSettings("https://skola.example.se/hook", people / "hook.secret")}


@pytest.mark.parametrize(
    ("definition", "of"),
    [("console", ConsoleSettings), ("mail", MailSettings), ("webhook", WebhookSettings)],
)
def test_every_setting_of_what_people_use_can_be_reached(definition: str, of: type[msgspec.Struct]) -> None:
    # The port is the chart's; nobody is let in without a login beyond loopback.
    there = {field.name for field in msgspec.structs.fields(of)} - {"listen", "development_login"}
    assert set(SCHEMA["definitions"][definition]["properties"]) == there
    if of is ConsoleSettings:
        given = {field.name for field in msgspec.structs.fields(OpenId)}
        assert set(SCHEMA["definitions"]["console"]["properties"]["openid"]["properties"]) == given


def test_what_the_values_say_is_what_the_registry_reads(tmp_path: Path) -> None:
    settings = config(case("everything"), "registry", tmp_path)
    assert isinstance(settings, RegistrySettings)
    assert (settings.listen, settings.join_listen, settings.lease_seconds) == ("[::]:7450", "[::]:7451", 12.5)
    assert settings.epoch_keys == {n: Path(f"/run/upprop/epoch-keys/epoch-{n}.key") for n in (1, 12)}
    assert settings.ca_key == Path("/run/upprop/ca/tls.key")
    assert settings.database_roles is None
    migrating = config(case("everything"), "registry-migrate", tmp_path)
    assert migrating.database_roles == DatabaseRoles(
        owner="up_owner", app="up_app", migrator_url_file=Path("/run/upprop/migrator/url")
    )


def test_what_the_values_say_is_what_the_evaluator_reads(tmp_path: Path) -> None:
    settings = config(case("everything"), "evaluator", tmp_path)
    assert isinstance(settings, EvaluatorSettings)
    assert settings.published_pupils == 1_100_000
    assert settings.share_files == (Path("/run/upprop/shares/epoch-1.share"),)
    assert settings.share_dir == Path("/var/lib/upprop-shares/shares")


def test_what_the_values_say_is_what_the_reader_reads(tmp_path: Path) -> None:
    settings = config(case("everything"), "reader", tmp_path)
    assert isinstance(settings, ReaderSettings)
    assert (settings.title, settings.proxies, settings.calls) == ('Barn som saknas: "2026"', ["10.0.0.1"], 7)


@pytest.mark.parametrize("name", CASES)
def test_every_path_of_the_settings_is_in_a_volume_of_the_pod(name: str, tmp_path: Path) -> None:
    for owner, spec in pods(case(name)):
        component = owner["metadata"]["labels"]["app.kubernetes.io/component"]
        migrating = component.endswith("-migrate")
        settings = config(case(name), component, tmp_path)
        stage, daemon = spec["initContainers"][0], spec["containers"][0]
        mounted = {mount["mountPath"] for mount in daemon["volumeMounts"]}
        staged = {mount["mountPath"] for mount in stage["volumeMounts"]}
        for path in _paths(settings):
            if migrating and "database" not in str(path) and "migrator" not in str(path):
                continue
            assert any(PurePosixPath(path).is_relative_to(each) for each in mounted), path
            if path.is_relative_to("/run/upprop"):
                assert f"/mnt/upprop/{path.parts[3]}" in staged, path


@pytest.mark.parametrize("role", ROLES)
def test_a_certificate_that_others_renew_is_read_where_they_put_it(role: str, tmp_path: Path) -> None:
    for renewed_by, itself in (("federation", True), ("other", False)):
        found = objects(merged(CASES[role], {role: {"identity": {"renewedBy": renewed_by}}}))
        settings = config(found, role, tmp_path)
        assert settings.renew_certificate is itself
        spec = named(found, "StatefulSet", f"up-upprop-{role}")["spec"]["template"]["spec"]
        (mount,) = [
            each
            for each in spec["containers"][0]["volumeMounts"]
            if settings.certificate.is_relative_to(each["mountPath"])
        ]
        assert mount.get("readOnly", False) is not itself
        if not itself:
            # The certificate alone, and not its key.
            (volume,) = [each for each in spec["volumes"] if each["name"] == mount["name"]]
            assert volume["secret"]["items"] == [{"key": "tls.crt", "path": "tls.crt"}]
        assert ("--certificate" in containers(spec)[0]["args"]) is itself


def _paths(value: Any) -> list[Path]:
    if isinstance(value, Path):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [path for field in msgspec.structs.fields(value) for path in _paths(getattr(value, field.name))]
    if isinstance(value, dict):
        return [path for each in value.values() for path in _paths(each)]
    if isinstance(value, (list, tuple)):
        return [path for each in value for path in _paths(each)]
    return []
