"""Whether a command is one run or a sweep, without composing its configuration for that alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra._internal.hydra import Hydra

SETS_IT = ("hydra.mode", "hydra.searchpath", "hydra=", "--config-dir", "-cd")


@contextmanager
def run_mode_of(words: Sequence[str]) -> Iterator[None]:
    """Spare Hydra the first of two compositions, a fifth of a second, where `hydra.mode` can only be what it is in our
    own configurations: not set, so that flags say it. A word of the command line or a folder of the user's may."""
    if any(word.lstrip("+~").startswith(SETS_IT) for word in words):
        yield
        return
    before = Hydra.get_mode
    Hydra.get_mode = _not_set  # type: ignore[method-assign]
    try:
        yield
    finally:
        Hydra.get_mode = before  # type: ignore[method-assign]


def _not_set(self: Hydra, config_name: str | None, overrides: list[str]) -> Any:
    return None
