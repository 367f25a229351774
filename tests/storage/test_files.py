"""Whole or absent, whatever goes wrong while writing."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import BinaryIO

import pytest

from gan_lab.errors import GanLabError
from gan_lab.storage.files import write_json, write_text, write_whole


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("unexpected pos 704")]
)
def test_a_failed_write_keeps_the_old_file_and_leaves_no_litter(tmp_path: Path, error: Exception) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(GanLabError, match=r"cannot write .*file: .* MB free .* untouched"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(GanLabError, match="cannot write") as caught:
        write_json(tmp_path / "taken" / "summary.json", {})
    assert "\n" not in str(caught.value)
