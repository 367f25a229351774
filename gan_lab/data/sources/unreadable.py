"""What is done about files that are no images: a few may be left out, with a warning."""

from __future__ import annotations

import logging

from gan_lab.data.sources.images import ImageError
from gan_lab.data.sources.listed import listed
from gan_lab.errors import GanLabError

log = logging.getLogger(__name__)


class Unreadable:
    """Files of `where` that cannot be read as images: up to `most` of `total` are left out with a warning, more raise
    GanLabError once all are known."""

    def __init__(self, where: str, total: int, most: int) -> None:
        self.where, self.total, self.most = where, total, most
        self.problems: list[str] = []

    def add(self, name: str, error: ImageError) -> None:
        self.problems.append(f"{name}: {error}")

    def conclude(self) -> None:
        count = len(self.problems)
        found = f"{self.where}: {count} of {self.total} files cannot be read as images"
        if count > self.most:
            raise GanLabError(
                f"{found} ({listed(self.problems)}); remove or repair them, or leave them out with "
                f"dataset.max_corrupt={count}; nothing was packed"
            )
        if count:
            log.warning("%s and are left out (%s)", found, listed(self.problems))
