"""The evaluator's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from federation import database
from federation.database import Database
from federation.observability import Metrics
from federation.settings import DaemonSettings

STORE_PACKAGE = "privacy.evaluator.store"
DATABASE_NAME = "evaluator.sqlite"


class EvaluatorSettings(DaemonSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an evaluator's `config.toml` holds.

    `share_files` names a file per epoch (and share version); in `share_dir` every file that ends in `.share` is one,
    also one that comes while the evaluator runs: new epochs and refreshed shares go there. `signing_key` is the key
    with which it signs epochs and what it gives in ceremonies (PEM, mode 0600): by it the evaluator co-signs the
    registry's ledger as a witness; without it, it is none. `published_pupils` is how many pupils the country has, as
    its official statistics publish it: a descriptor whose members' populations sum to more than 1.1 times as many is
    refused, since populations set the quotas.
    """

    share_files: tuple[Path, ...] = ()
    share_dir: Path | None = None
    signing_key: Path | None = None
    published_pupils: Annotated[int, msgspec.Meta(ge=1)] | None = None


def open_database(settings: EvaluatorSettings, metrics: Metrics | None = None) -> Database:
    """The store in the data directory; connects on first use."""
    return database.open_database(settings.data_dir / DATABASE_NAME, metrics=metrics, uncounted={"metrics_read"})
