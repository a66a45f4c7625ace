"""Small files are whole or absent, whoever else may write beside them."""

from __future__ import annotations

import threading
from pathlib import Path

from federation import files


def test_a_file_is_written_through_no_link_that_lies_in_wait(tmp_path: Path) -> None:
    """Where many may write, as in /tmp, somebody could have put links at whatever name can be foretold."""
    aim, out = tmp_path / "aim", tmp_path / "out"
    aim.write_bytes(b"whole")
    out.symlink_to(aim)
    files.replace(out, b"new")
    assert (aim.read_bytes(), out.read_bytes(), out.is_symlink()) == (b"whole", b"new", False)


def test_many_who_replace_one_file_leave_what_one_of_them_wrote(tmp_path: Path) -> None:
    out = tmp_path / "out"
    contents = [bytes([each]) * 10_000 for each in range(8)]
    threads = [threading.Thread(target=files.replace, args=(out, each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert out.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [out]
