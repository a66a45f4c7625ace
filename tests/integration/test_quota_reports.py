"""What evaluators report of their quotas stands in the registry's ledger, and can be held against them and it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation.cli import main
from federation.errors import EXIT_LEDGER
from privacy.evaluator.settings import DATABASE_NAME
from registry.ledger.checking import compare
from registry.store import ledger_audit
from tests.attacks.ledger_parties import BASELINE, MALMO, MONDAY, STOCKHOLM, TUESDAY, day, seal
from tests.integration.node_parties import Federation, running


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Federation]:
    """On Monday a pupil has left Stockholm, on Tuesday one more and one Malmö; Tuesday's hours are sealed."""
    with running(tmp_path / "federation", [STOCKHOLM, MALMO], BASELINE) as federation:
        day(federation, BASELINE, stockholm=0)
        day(federation, MONDAY, stockholm=1)
        day(federation, TUESDAY, stockholm=2, malmo=1)
        seal(federation)
        seal(federation)
        yield federation


def run(*command: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in command])


def noted(federation: Federation) -> list[tuple[int, str]]:
    """The reports in leaves of the ledger: evaluator and day."""
    with federation.registry_app.database.read("test_quotas") as tx:
        found = list(ledger_audit.quota_reports(tx))
    return sorted((report.evaluator, report.on.isoformat()) for report, leaf in found if leaf is not None)


def asked(reports: list[dict[str, Any]], on: str) -> dict[str, tuple[int, int]]:
    [report] = [each for each in reports if each["on"] == on]
    return {each["member"]: (each["year"], each["day"]) for each in report["asked"]}


def test_each_evaluator_reports_a_day_once_and_what_it_keeps_fits_the_ledger(
    federation: Federation, tmp_path: Path
) -> None:
    days = {on for _, on in noted(federation)}
    assert max(days) == "2026-09-07"
    assert noted(federation) == [(index, on) for index in (1, 2, 3) for on in sorted(days)]
    assert compare(federation.registry_app.database, [], lambda _step, _done, _total: None).flaws == ()

    listed = run("ledger", "quota-reports", "--json", "--config", federation.dev.registry)
    assert listed.exit_code == 0, listed.output
    path = tmp_path / "listed.json"
    path.write_text(listed.stdout)
    totals: dict[str, int] = {}
    for index in (1, 2, 3):
        options = ("--ledger", path, "--config", federation.dev.evaluator(index))
        shown = run("evaluator", "quota-reports", "--json", *options)
        assert shown.exit_code == 0, shown.output
        reports = json.loads(shown.stdout)["reports"]
        assert all(each["follows"] and each["in_ledger"] for each in reports)
        for member, (year, one_day) in asked(reports, "2026-09-07").items():
            assert year >= one_day
            totals[member] = totals.get(member, 0) + one_day
        assert "in the ledger" in run("evaluator", "quota-reports", *options).output
    # Stockholm asked two evaluators about one pupil on Monday; Malmö nobody before Tuesday, which is not over.
    assert (totals[STOCKHOLM], totals.get(MALMO, 0)) == (2, 0)


def test_an_evaluator_that_changes_what_it_reported_is_found_out(federation: Federation, tmp_path: Path) -> None:
    listed = run("ledger", "quota-reports", "--json", "--config", federation.dev.registry)
    path = tmp_path / "listed.json"
    path.write_text(listed.stdout)
    database = federation.dev.evaluator(1).parent / "data" / DATABASE_NAME
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(sa.text("""UPDATE quota_reports SET asked = '[["0180",1000,7]]' WHERE day = '2026-09-07'"""))
    engine.dispose()
    config = federation.dev.evaluator(1)
    assert run("evaluator", "quota-reports", "--config", config).exit_code == EXIT_LEDGER

    # Nor does another digest help that fits what it would rather have said.
    changed = json.loads(path.read_text())
    for each in changed["reports"]:
        each["digest"] = "00" * 32
    path.write_text(json.dumps(changed))
    other = run("evaluator", "quota-reports", "--ledger", path, "--config", federation.dev.evaluator(2))
    assert other.exit_code == EXIT_LEDGER
    assert "NOT in the ledger" in other.output


def test_a_report_that_its_evaluator_did_not_sign_is_not_noted(federation: Federation) -> None:
    before = noted(federation)
    [servicer] = [
        binding.servicer
        for binding in federation.apps[1].services
        if type(binding.servicer).__name__ == "WitnessServicer"
    ]
    servicer._quotas._signing_key = Ed25519PrivateKey.generate()  # type: ignore[attr-defined]
    federation.set_today(TUESDAY.replace(day=9))
    seal(federation)
    seal(federation)
    new = [each for each in noted(federation) if each not in before]
    assert new == [(2, "2026-09-08"), (3, "2026-09-08")]
