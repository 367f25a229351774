from __future__ import annotations

import pytest

from gan_lab.data.sources.archive import is_hidden


@pytest.mark.parametrize(
    "name",
    [".DS_Store", ".thumbnails", "~$owl.docx", "@eaDir", "@EADIR", "@eaDir@tmp", "#recycle", "#snapshot", "@Recycle",
     "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini",
     "Network Trash Folder"],
)  # fmt: skip
def test_what_the_system_left_behind(name: str) -> None:
    assert is_hidden(name)


@pytest.mark.parametrize("name", ["owl.png", "recycle", "#1", "@home", "$5", "lost and found", "~owl", "a.thumbnails"])
def test_what_people_may_call_a_class(name: str) -> None:
    assert not is_hidden(name)
