"""What a container has been given becomes the daemon's own, and nothing that was renewed is set back."""

from __future__ import annotations

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from federation import pki, staging
from federation.clock import utc_now
from federation.errors import Code, UppropError
from federation.files import read_secret
from federation.identity import node
from federation.staging import make_private, seed_certificate, stage_secrets

NOW = utc_now()
CA = pki.make_ca("Test CA", NOW)


def mount(directory: Path, **content: bytes) -> Path:
    """A Secret as a kubelet mounts it."""
    version = directory / "..2026_11_22"
    version.mkdir(parents=True)
    (directory / "..data").symlink_to(version.name)
    for name, data in content.items():
        (version / name).write_bytes(data)
        (version / name).chmod(0o440)
        (directory / name).symlink_to(Path("..data", name))
    return directory


def certificate(key: EllipticCurvePrivateKey, now: datetime = NOW) -> bytes:
    return pki.certificate_pem(pki.issue(CA, node("0180"), key.public_key(), now, timedelta(days=1)))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_mounted_secrets_become_ones_that_a_daemon_takes(tmp_path: Path) -> None:
    mount(tmp_path / "mnt" / "identity", key=b"k", cert=b"c")
    mount(tmp_path / "mnt" / "record-key", record=b"r")
    with pytest.raises(UppropError) as refused:
        read_secret(tmp_path / "mnt" / "identity" / "key")
    assert refused.value.code is Code.SECRET_MODE

    assert stage_secrets(tmp_path / "mnt", tmp_path / "run") == 3
    assert read_secret(tmp_path / "run" / "identity" / "key") == b"k"
    assert read_secret(tmp_path / "run" / "record-key" / "record") == b"r"
    assert sorted(each.name for each in (tmp_path / "run" / "identity").iterdir()) == ["cert", "key"]
    assert mode(tmp_path / "run" / "identity") == 0o700


def test_a_second_run_brings_what_is_new_and_takes_what_is_gone(tmp_path: Path) -> None:
    mount(tmp_path / "mnt" / "keys", one=b"1", two=b"2")
    stage_secrets(tmp_path / "mnt", tmp_path / "run")
    (tmp_path / "mnt" / "keys" / "one").unlink()
    (tmp_path / "mnt" / "keys" / "three").write_bytes(b"3")
    assert stage_secrets(tmp_path / "mnt", tmp_path / "run") == 2
    assert {each.name: each.read_bytes() for each in (tmp_path / "run" / "keys").iterdir()} == {
        "two": b"2",
        "three": b"3",
    }


def test_no_secret_can_be_read_by_others_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount(tmp_path / "mnt" / "keys", one=b"1")
    made: list[int] = []
    opened = os.open

    def watch(path: str | Path, flags: int, permissions: int = 0o777) -> int:
        if flags & os.O_CREAT:
            made.append(permissions)
        return opened(path, flags, permissions)

    monkeypatch.setattr(os, "open", watch)
    before = os.umask(0)
    try:
        stage_secrets(tmp_path / "mnt", tmp_path / "run")
    finally:
        os.umask(before)
    assert made == [0o600]


def test_secrets_that_are_not_there_are_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UppropError) as refused:
        stage_secrets(tmp_path / "mnt", tmp_path / "run")
    assert refused.value.code is Code.SECRET_MISSING

    (mount(tmp_path / "mnt" / "keys") / "gone").symlink_to("..data/gone")
    with pytest.raises(UppropError) as refused:
        stage_secrets(tmp_path / "mnt", tmp_path / "run")
    assert refused.value.code is Code.SECRET_MISSING


def test_what_is_larger_than_any_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "LARGEST_SECRET", 3)
    mount(tmp_path / "mnt" / "keys", one=b"four")
    with pytest.raises(UppropError) as refused:
        stage_secrets(tmp_path / "mnt", tmp_path / "run")
    assert refused.value.code is Code.SECRET_MISSING


@pytest.mark.parametrize("leads_to", ["/dev/zero", "pipe", "directory"])
def test_what_a_link_leads_to_that_is_no_file_is_refused_at_once(tmp_path: Path, leads_to: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    (tmp_path / "mounted" / "identity").mkdir(parents=True)
    (tmp_path / "mounted" / "identity" / "tls.key").symlink_to(tmp_path / leads_to)
    with pytest.raises(UppropError) as error:
        stage_secrets(tmp_path / "mounted", tmp_path / "own")
    assert error.value.code is Code.SECRET_MISSING


def test_a_place_that_cannot_be_written_is_said_to_be_one(tmp_path: Path) -> None:
    mount(tmp_path / "mnt" / "keys", one=b"1")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UppropError) as refused:
        stage_secrets(tmp_path / "mnt", tmp_path / "file")
    assert refused.value.code is Code.DIRECTORY_UNWRITABLE
    with pytest.raises(UppropError) as refused:
        make_private(tmp_path / "file" / "data")
    assert refused.value.code is Code.DIRECTORY_UNWRITABLE


def test_a_renewed_certificate_is_never_set_back(tmp_path: Path) -> None:
    key = pki.new_tls_key()
    first, renewed = certificate(key), certificate(key, NOW + timedelta(hours=1))
    mounted, own = tmp_path / "mounted.crt", tmp_path / "volume" / "tls" / "tls.crt"
    mounted.write_bytes(first)
    assert seed_certificate(mounted, own)
    assert own.read_bytes() == first

    own.write_bytes(renewed)
    assert not seed_certificate(mounted, own)
    assert own.read_bytes() == renewed


def test_a_later_certificate_is_taken_from_its_mount(tmp_path: Path) -> None:
    key = pki.new_tls_key()
    mounted, own = tmp_path / "mounted.crt", tmp_path / "tls.crt"
    mounted.write_bytes(certificate(key, NOW + timedelta(hours=1)))
    own.write_bytes(certificate(key))
    assert seed_certificate(mounted, own)
    assert own.read_bytes() == mounted.read_bytes()
    assert not seed_certificate(mounted, own)


def test_the_certificate_of_a_new_key_is_taken_whatever_its_date(tmp_path: Path) -> None:
    mounted, own = tmp_path / "mounted.crt", tmp_path / "tls.crt"
    mounted.write_bytes(certificate(pki.new_tls_key()))
    own.write_bytes(certificate(pki.new_tls_key(), NOW + timedelta(hours=1)))
    assert seed_certificate(mounted, own)
    assert own.read_bytes() == mounted.read_bytes()


def test_a_damaged_certificate_is_replaced_and_a_damaged_mount_refused(tmp_path: Path) -> None:
    mounted, own = tmp_path / "mounted.crt", tmp_path / "tls.crt"
    mounted.write_bytes(certificate(pki.new_tls_key()))
    own.write_bytes(b"half")
    assert seed_certificate(mounted, own)

    kept = own.read_bytes()
    mounted.write_bytes(b"half")
    with pytest.raises(UppropError) as refused:
        seed_certificate(mounted, own)
    assert refused.value.code is Code.CONFIG_INVALID
    assert own.read_bytes() == kept


def test_what_a_volume_gave_to_its_group_is_taken_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "enrolment").mkdir(parents=True)
    (data / "enrolment" / "ca.pem").write_bytes(b"key")
    (data / "outside").symlink_to(tmp_path / "other")
    (tmp_path / "other").write_bytes(b"")
    (tmp_path / "other").chmod(0o644)
    for path in (data, data / "enrolment"):
        path.chmod(0o2770)
    (data / "enrolment" / "ca.pem").chmod(0o660)

    assert make_private(data) == 3
    assert [mode(path) for path in (data, data / "enrolment", data / "enrolment" / "ca.pem")] == [0o700, 0o700, 0o600]
    # What lies elsewhere is somebody else's.
    assert mode(tmp_path / "other") == 0o644
    assert make_private(data) == 0
