"""Processes that do not answer, in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import distributed as dist

from gan_lab.errors import GanLabError

GONE = (
    "closed by peer",
    "reset by peer",
    "broken pipe",
    "connection was closed",
    "remote process exited",
    "connection refused",
)
WAITED = ("timed out", "timeout", "timedout")


class MissingError(GanLabError):
    """Another process of the run is gone, or has `waited` too long for: what is wrong with it is for others to say."""

    def __init__(self, message: str, waited: bool) -> None:
        super().__init__(message)
        self.waited = waited


@contextmanager
def explain_missing() -> Iterator[None]:
    """Whatever processes tell one another in here. Raises MissingError where one does not answer."""
    try:
        yield
    except RuntimeError as error:
        text = str(error).lower()
        ours = isinstance(error, dist.DistError) or "gloo" in text or "nccl" in text
        gone, waited = (any(word in text for word in words) for words in (GONE, WAITED))
        if not ours or not (waited or gone):
            raise
        waited = not gone
        raise MissingError(f"another process {'does not answer' if waited else 'is gone'}", waited) from error
