"""One party has one spelling."""

from __future__ import annotations

import pytest

from federation import identity
from federation.errors import EXIT_INPUT, EXIT_PENDING, Code, UppropError, exit_code
from federation.identity import Identity, Kind
from federation.rpc.status import grpc_status


@pytest.mark.parametrize(
    ("uri", "kind", "name"),
    [
        ("upprop://node/0180", Kind.NODE, "0180"),
        ("upprop://node/0180-5561234567", Kind.NODE, "0180-5561234567"),
        ("upprop://evaluator/1", Kind.EVALUATOR, "1"),
        ("upprop://registry/a", Kind.REGISTRY, "a"),
        ("upprop://authority/skolverket", Kind.AUTHORITY, "skolverket"),
        ("upprop://operator/grafana-1", Kind.OPERATOR, "grafana-1"),
    ],
)
def test_a_uri_names_a_party_and_the_party_its_uri(uri: str, kind: Kind, name: str) -> None:
    parsed = Identity.parse(uri)
    assert parsed == Identity(kind, name)
    assert parsed.uri == uri
    assert parsed.dns_name == f"{name}.{kind.value}.upprop.internal"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "upprop://",
        "upprop://node",
        "upprop://node/",
        "upprop://node/180",
        "upprop://node/01800",
        "upprop://node/0180/",
        "upprop://node/0180-556123456",
        "upprop://node/0180?x",
        "upprop://node/٠١٨٠",
        "upprop://node/0180\n",
        "upprop://evaluator/0",
        "upprop://evaluator/01",
        "upprop://registry/A",
        "upprop://registry/-a",
        "upprop://clerk/a",
        "UPPROP://node/0180",
        "https://node/0180",
        "node/0180",
    ],
)
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(UppropError) as refused:
        Identity.parse(uri)
    assert refused.value.code is Code.IDENTITY_FOREIGN


def test_only_a_node_is_a_member() -> None:
    assert identity.node("0180").member == "0180"
    with pytest.raises(UppropError):
        _ = identity.evaluator(1).member


def test_every_code_has_an_exit_code_and_a_status() -> None:
    for code in Code:
        assert 1 <= exit_code(code) <= EXIT_PENDING
        assert grpc_status(code) is not None
    assert exit_code(Code.EXPORT_SHRUNK) == EXIT_INPUT


def test_codes_are_spelt_as_they_are_named() -> None:
    assert all(code.value == code.name for code in Code)
