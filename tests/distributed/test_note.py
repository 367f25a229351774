"""What a process leaves behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.distributed.missing import MissingError
from gan_lab.distributed.note import FAILED, GONE, TOLD, WAITED, Note
from gan_lab.errors import ConfigError, GanLabError


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (ConfigError("no"), Note(TOLD, "no", 2)),
        (GanLabError("no"), Note(TOLD, "no", 1)),
        (MissingError("gone", False), Note(GONE, "gone")),
        (MissingError("slow", True), Note(WAITED, "slow")),
        (ValueError("odd\n one"), Note(FAILED, "ValueError: odd one")),
    ],
)
def test_a_note_comes_back(error: Exception, note: Note, tmp_path: Path) -> None:
    assert Note.read(tmp_path, 3) is None
    Note.of(error).leave(tmp_path, 3)
    found = Note.read(tmp_path, 3)
    assert found is not None
    assert found.time > 0
    assert found._replace(time=0.0) == note
