"""What a system refuses, in one line."""

from __future__ import annotations

import errno

import pytest

from gan_lab.errors import GanLabError, describe, of_the_system


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.EROFS, "Read-only", "/x"), "/x: Read-only; name a folder that can be written"),
        (OSError(errno.ENOSPC, "Full", "/x"), "/x: Full; make room there, or name a folder on another disk"),
        (OSError(errno.EACCES, "Denied", "/x"), "/x: Denied"),
        (OSError(errno.EROFS, "Read-only"), "Read-only; name a folder that can be written"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_a_system_refuses(error: OSError, line: str) -> None:
    assert of_the_system(error) == line


def test_any_error_in_one_line() -> None:
    assert describe(ValueError("a\nb")) == "ValueError: a b"
    assert describe(GanLabError("a\nb")) == "a b"
