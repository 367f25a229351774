"""What is done about files that are no images: a few may be left out, with a warning."""

from __future__ import annotations

import logging

from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.errors import GanLabError

log = logging.getLogger(__name__)


class Unreadable:
    """Files (or rows: `kind`) of `where` that cannot be read as images: up to `most` of `total` are left out with a
    warning; more, or all, raise GanLabError once all are known."""

    def __init__(self, where: str, total: int, most: int, kind: str = "files") -> None:
        self.where, self.total, self.most, self.kind = where, total, most, kind
        self.problems: list[str] = []
        self.advice: dict[str, None] = {}  # in the order in which it came up

    def add(self, name: str, error: ImageError) -> None:
        self.problems.append(f"{name}: {error}")
        if error.advice:
            self.advice[error.advice] = None

    def conclude(self) -> None:
        count = len(self.problems)
        if not count:
            return
        found = f"{self.where}: {count} of {self.total} {self.kind} cannot be read as images"
        if self.most >= count < self.total:
            log.warning("%s and are left out (%s)", found, listed(self.problems))
            return
        ways = "; ".join(self.advice) or "remove or repair them"
        if count < self.total:
            ways += f", or leave them out with dataset.max_corrupt={count}"
        raise GanLabError(f"{found} ({listed(self.problems)}); {ways}; nothing was packed")
