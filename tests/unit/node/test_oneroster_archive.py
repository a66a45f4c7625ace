"""Archives made to deceive: each is refused with a plain sentence, and none of it is opened as a path."""

from __future__ import annotations

import collections
import contextlib
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from federation.errors import Code, UppropError
from node.records import archive as archives
from node.records.archive import Archive

WANTED = ("users.csv", "roles.csv")
ROWS = b"sourcedId\r\n" + b"".join(b"pupil-%d\r\n" % place for place in range(100))


def read(path: Path) -> dict[str, bytes]:
    opened = Archive(path, WANTED)
    found = {}
    try:
        for name in sorted(opened.names):
            with opened.open(name, lambda _count: None) as stream:
                found[name] = stream.read()
    finally:
        opened.close()
    return found


def refusal(path: Path) -> str:
    with pytest.raises(UppropError) as caught:
        read(path)
    assert caught.value.code is Code.EXPORT_UNREADABLE
    assert caught.value.sentence.endswith("Nothing was changed; export again.")
    return caught.value.sentence


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_directory_and_zip_of_equal_files_have_equal_contents_and_digests(tmp_path: Path) -> None:
    directory = tmp_path / "delivery"
    directory.mkdir()
    (directory / "users.csv").write_bytes(ROWS)
    (directory / "other.txt").write_text("passed over")
    deflated = zipped(tmp_path / "one.zip", {"results.csv": b"passed over", "users.csv": ROWS})
    stored = zipped(tmp_path / "two.zip", {"users.csv": ROWS}, zipfile.ZIP_STORED)
    digests = set()
    for path in (directory, deflated, stored):
        assert read(path) == {"users.csv": ROWS}
        opened = Archive(path, WANTED)
        with opened.open("users.csv", lambda _count: None) as stream:
            stream.read()
        digests.add(opened.digest)
        opened.close()
    assert len(digests) == 1


@pytest.mark.parametrize(
    "name",
    [
        "../users.csv",
        "/users.csv",
        "/etc/users.csv",
        "delivery/users.csv",
        "delivery/",
        "..",
        ".",
        "C:users.csv",
        "C:\\users.csv",
        "..\\users.csv",
        "users.csv:stream",
        "users.csv\x01",
        "__MACOSX/._users.csv",
    ],
)
def test_member_named_like_a_path_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "delivery.zip", {"users.csv": ROWS, name: ROWS})
    assert "must stand at the top" in refusal(path)


def test_name_that_the_library_would_shorten_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "delivery.zip", {"users.csvXpng": ROWS})
    path.write_bytes(path.read_bytes().replace(b"users.csvXpng", b"users.csv\0png"))
    assert "must stand at the top" in refusal(path)


@pytest.mark.parametrize("other", [b"users.csv", b"USERS.CSV"])
def test_two_members_of_one_name_are_refused(tmp_path: Path, other: bytes) -> None:
    path = zipped(tmp_path / "delivery.zip", {"users.csv": ROWS, "other.csv": ROWS})
    path.write_bytes(path.read_bytes().replace(b"other.csv", other))
    assert "two files of the same name" in refusal(path)


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o040755])
def test_member_that_is_no_plain_file_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "delivery.zip"
    with zipfile.ZipFile(path, "w") as file:
        member = zipfile.ZipInfo("users.csv")
        member.external_attr = mode << 16
        file.writestr(member, "/etc/passwd")
    assert "no plain file" in refusal(path)


def test_bomb_is_refused_while_it_is_read_and_not_after(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("users.csv", "w") as member:
        for _ in range(200):
            member.write(bytes(1_000_000))
    count = 0

    def seen(read: int) -> None:
        nonlocal count
        count += read

    opened = Archive(path, WANTED)
    with pytest.raises(UppropError, match="beyond all measure"), opened.open("users.csv", seen) as stream:
        collections.deque(iter(lambda: stream.read(65_536), b""), maxlen=0)
    opened.close()
    assert count < 100_000_000


def test_bomb_that_states_a_small_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    zipped(path, {"users.csv": bytes(5_000_000)})
    content = path.read_bytes()
    lied = content.replace(struct.pack("<I", 5_000_000), struct.pack("<I", 100))
    assert lied != content
    path.write_bytes(lied)
    assert refusal(path)


def test_limits_hold_for_all_files_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1_500)
    path = zipped(tmp_path / "delivery.zip", {"users.csv": ROWS, "roles.csv": ROWS})
    assert "beyond all measure" in refusal(path)
    directory = tmp_path / "delivery"
    directory.mkdir()
    for name in WANTED:
        (directory / name).write_bytes(ROWS)
    assert "beyond all measure" in refusal(directory)


def test_roster_that_shrinks_as_rosters_do_is_read(tmp_path: Path) -> None:
    rows = b"sourcedId,role,orgSourcedId\r\n" + b"".join(
        b"pupil-%08d,student,f1cfd992-16df-4486-87ad-ec26793d0e45\r\n" % place for place in range(200_000)
    )
    path = zipped(tmp_path / "delivery.zip", {"roles.csv": rows})
    assert len(rows) / path.stat().st_size > 10
    assert read(path) == {"roles.csv": rows}


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "delivery.zip", {f"{place}.csv": b"" for place in range(archives.MAX_MEMBERS + 1)})
    assert "more than 100 files" in refusal(path)


def test_list_of_members_beyond_measure_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "delivery.zip", {"users.csv": ROWS})
    content = path.read_bytes()
    end = content.rindex(b"PK\x05\x06")
    path.write_bytes(content[: end + 12] + struct.pack("<I", 1 << 30) + content[end + 16 :])
    assert "more than 100 files" in refusal(path)


def test_form_for_huge_archives_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    path = zipped(tmp_path / "delivery.zip", {"users.csv": ROWS})
    monkeypatch.undo()
    assert "over 4 GB" in refusal(path)


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x41])
def test_encrypted_member_is_refused(tmp_path: Path, flag: int) -> None:
    assert "without a password" in refusal(_patched(tmp_path, 8, flag))


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path: Path, compression: int) -> None:
    assert "use plain zip" in refusal(zipped(tmp_path / "delivery.zip", {"users.csv": ROWS}, compression))


def test_unknown_compression_is_refused(tmp_path: Path) -> None:
    assert "use plain zip" in refusal(_patched(tmp_path, 10, 97))


def _patched(directory: Path, at: int, value: int) -> Path:
    """A zip whose list of members bears another value, two bytes, at a place of its first entry."""
    path = zipped(directory / "delivery.zip", {"users.csv": ROWS})
    content = path.read_bytes()
    entry = content.index(b"PK\x01\x02")
    path.write_bytes(content[: entry + at] + struct.pack("<H", value) + content[entry + at + 2 :])
    return path


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "delivery.zip", {"roles.csv": ROWS, "users.csv": ROWS})
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    path.write_bytes(bytes(content))
    assert "overlap" in refusal(path)


def test_every_cut_of_a_zip_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", {"roles.csv": ROWS, "users.csv": ROWS}).read_bytes()
    path = tmp_path / "cut.zip"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refusal(path)


def test_changed_byte_of_a_zip_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", {"roles.csv": ROWS, "users.csv": ROWS}).read_bytes()
    path = tmp_path / "changed.zip"
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with contextlib.suppress(UppropError):
            assert set(read(path).values()) <= {ROWS}


@pytest.mark.parametrize("content", [b"", b"PK", b"sourcedId\r\n", bytes(100_000), b"PK\x05\x06" + bytes(17)])
def test_file_that_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(content)
    assert "neither a directory nor a whole zip file" in refusal(path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.zip")


def _linked(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _linked_inside(path: Path, _outside: Path) -> None:
    (path.parent / "target.csv").write_bytes(ROWS)
    path.symlink_to("target.csv")


def _piped(path: Path, _outside: Path) -> None:
    os.mkfifo(path)


def _nested(path: Path, _outside: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("put", [_linked, _linked_inside, _piped, _nested])
def test_directory_entry_that_is_no_plain_file_is_refused(tmp_path: Path, put: Callable[[Path, Path], None]) -> None:
    directory = tmp_path / "delivery"
    directory.mkdir()
    outside = tmp_path / "outside.csv"
    outside.write_bytes(ROWS)
    put(directory / "users.csv", outside)
    assert "links and devices are not followed" in refusal(directory)


@pytest.mark.parametrize("put", [_linked, _piped])
def test_file_that_is_swapped_after_the_look_is_not_followed(tmp_path: Path, put: Callable[[Path, Path], None]) -> None:
    directory = tmp_path / "delivery"
    directory.mkdir()
    outside = tmp_path / "outside.csv"
    outside.write_bytes(ROWS)
    (directory / "users.csv").write_bytes(ROWS)
    opened = Archive(directory, WANTED)
    (directory / "users.csv").unlink()
    put(directory / "users.csv", outside)
    with pytest.raises(UppropError), opened.open("users.csv", lambda _count: None) as stream:
        stream.read()
