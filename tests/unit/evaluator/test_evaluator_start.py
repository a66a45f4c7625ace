"""What keeps an evaluator from starting, and what it does with shares that are not in force."""

from __future__ import annotations

import io
import secrets
import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from federation import throwaway
from federation.clock import ManualClock
from federation.descriptor import Descriptor, parse_file, serialise_file, sign, split
from federation.descriptor_store import DescriptorStore
from federation.errors import Code, UppropError
from federation.migration import migrate
from federation.observability import Log, Metrics
from federation.settings import load
from privacy.evaluator.app import App, build
from privacy.evaluator.settings import STORE_PACKAGE, EvaluatorSettings, open_database
from privacy.evaluator.shares import Shares
from privacy.keys import deal_epoch, parse_share, serialise_share
from tests.conftest import MakeFederation


class Home:
    """The settings of evaluator 1 of a federation with two epochs, its store migrated."""

    def __init__(self, dev: throwaway.DevFederation, metrics: Metrics) -> None:
        self.dev = dev
        self.path = dev.evaluator(1)
        self.log = io.StringIO()
        self.metrics = metrics
        database = open_database(self.settings)
        migrate(database, STORE_PACKAGE)
        database.close()

    @property
    def settings(self) -> EvaluatorSettings:
        return load(self.path, EvaluatorSettings)

    @property
    def share_file(self) -> Path:
        return self.settings.share_files[0]

    def start(self) -> App:
        settings = self.settings
        return build(settings, clock=ManualClock("Europe/Stockholm"), metrics=self.metrics, log=Log(self.log))

    def list_share_files(self, *names: str) -> None:
        content = msgspec.toml.decode(self.path.read_bytes())
        self.path.write_bytes(msgspec.toml.encode(content | {"share_files": list(names)}))

    def code(self) -> Code:
        with pytest.raises(UppropError) as caught:
            self.start()
        assert "share" in caught.value.sentence
        return caught.value.code


@pytest.fixture
def home(make_federation: MakeFederation, metrics: Metrics) -> Home:
    return Home(make_federation("0180", epochs=2), metrics)


def test_an_evaluator_starts_with_the_shares_of_its_epochs(home: Home) -> None:
    app = home.start()
    assert [(share.epoch, share.index) for share in app.evaluation.epochs()] == [(1, 1), (2, 1)]
    assert home.log.getvalue().count("evaluator_") == 0
    app.close()


def test_a_share_that_others_can_read_stops_the_start(home: Home) -> None:
    home.share_file.chmod(0o640)
    assert home.code() is Code.SECRET_MODE


def test_a_share_of_another_evaluator_stops_the_start(home: Home) -> None:
    shutil.copy(load(home.dev.evaluator(2), EvaluatorSettings).share_files[0], home.share_file)
    assert home.code() is Code.CONFIG_INVALID


def test_a_share_that_the_descriptor_contradicts_stops_the_start(home: Home) -> None:
    home.share_file.write_bytes(deal_epoch(1, 2, 3, secrets.token_bytes).shares[1])
    assert home.code() is Code.CONFIG_INVALID


def test_a_zero_share_stops_the_start(home: Home) -> None:
    secret = parse_share(home.share_file.read_bytes()).secret.hex()
    home.share_file.write_text(home.share_file.read_text().replace(secret, "00" * 32))
    assert home.code() is Code.CONFIG_INVALID


def test_a_missing_share_file_stops_the_start(home: Home) -> None:
    home.share_file.unlink()
    assert home.code() is Code.SECRET_MISSING


def test_no_share_files_at_all_stop_the_start(home: Home) -> None:
    home.list_share_files()
    with pytest.raises(UppropError) as caught:
        home.start()
    assert caught.value.code is Code.CONFIG_INVALID


def test_one_share_listed_twice_stops_the_start(home: Home) -> None:
    home.list_share_files("epoch-1.share", "epoch-1.share")
    assert home.code() is Code.CONFIG_INVALID


def test_shares_of_no_epoch_in_force_stop_the_start(home: Home) -> None:
    home.share_file.write_bytes(deal_epoch(9, 2, 3, secrets.token_bytes).shares[1])
    home.list_share_files("epoch-1.share")
    assert home.code() is Code.CONFIG_INVALID


def test_an_evaluator_does_not_start_on_a_store_that_was_not_migrated(home: Home) -> None:
    shutil.rmtree(home.settings.data_dir)
    with pytest.raises(UppropError) as caught:
        home.start()
    assert caught.value.code is Code.SCHEMA_OUTDATED
    assert "upprop evaluator migrate" in caught.value.sentence


def test_an_epoch_without_a_share_is_told_and_the_others_are_served(home: Home) -> None:
    home.list_share_files("epoch-1.share")
    app = home.start()
    assert [share.epoch for share in app.evaluation.epochs()] == [1]
    assert '"event": "evaluator_epoch_without_share", "epoch": 2' in home.log.getvalue()
    app.close()


def test_a_share_of_a_coming_version_waits_until_the_descriptor_lists_it(home: Home) -> None:
    now = parse_share(home.share_file.read_bytes())
    coming = deal_epoch(1, 2, 3, secrets.token_bytes, share_version=2)
    (home.path.parent / "coming.share").write_bytes(coming.shares[1])
    (home.path.parent / "coming.share").chmod(0o600)
    home.list_share_files("epoch-1.share", "coming.share")
    app = home.start()
    assert app.evaluation.epochs() == (now,)
    assert '"event": "evaluator_share_unlisted", "epoch": 1, "version": 2' in home.log.getvalue()
    app.close()


def test_an_epoch_that_ends_is_no_more_answered(home: Home) -> None:
    descriptors = DescriptorStore.of(home.settings)
    shares = Shares(1, home.settings.share_files)
    before = descriptors.current()
    assert shares.of_epoch(1, before).epoch == 1
    after = _resigned(home.dev, before)
    with pytest.raises(UppropError) as caught:
        shares.of_epoch(1, after)
    assert caught.value.code is Code.EPOCH_UNKNOWN
    assert [share.epoch for share in shares.usable(after)] == [2]


def _resigned(dev: throwaway.DevFederation, before: Descriptor) -> Descriptor:
    """The next descriptor, without epoch 1."""
    file = parse_file(split(dev.descriptor.read_bytes())[0])
    kept = [epoch for epoch in file.epochs if epoch.epoch != 1]
    after = msgspec.structs.replace(file, serial=before.serial + 1, epochs=kept)
    sign(after, dev.authority_key)
    return Descriptor.of(parse_file(serialise_file(after)))


def test_a_share_file_survives_reading_and_writing(home: Home) -> None:
    content = home.share_file.read_bytes()
    assert serialise_share(parse_share(content)) == content
    key = (home.path.parent / "signing.key").read_bytes()
    assert load_pem_private_key(key, password=None) is not None
