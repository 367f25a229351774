"""Whole or absent, whatever goes wrong while writing."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest
import torch

from gan_lab.errors import GanLabError
from gan_lab.storage.files import is_alive, remove_unfinished, to_json, write_json, write_text, write_whole


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


def test_what_the_system_said_is_told_where_torch_tells_of_its_own_confusion(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(GanLabError, match="cannot write .*file: no space left on device .* untouched"):
        write_whole(tmp_path / "file", lambda file: torch.save({"a": torch.zeros(9)}, Full()))


def test_what_is_no_number_is_null(tmp_path: Path) -> None:
    """Any json reader reads it, however deep it lies."""
    write_json(tmp_path / "a.json", {"a": float("nan"), "b": [1.5, (float("inf"), {"c": -float("inf")})], "d": "nan"})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": None, "b": [1.5, [None, {"c": None}]], "d": "nan"}
    assert text.count("null") == 3
    assert to_json(float("nan")) == "null"


def test_what_a_killed_process_left_is_removed_and_what_others_are_writing_stays(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours, gone, odd, living = (f".a.pt.{which}.tmp" for which in (os.getpid(), dead.pid, "x", os.getppid()))
    for name in (ours, gone, odd, living, ".b.tmp", "c.pt", ".lock"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {living, "c.pt", ".lock"}
    assert (is_alive(os.getppid()), is_alive(dead.pid), is_alive(10**30)) == (True, False, False)


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(GanLabError, match="cannot write") as caught:
        write_json(tmp_path / "taken" / "summary.json", {})
    assert "\n" not in str(caught.value)
