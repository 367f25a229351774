"""One small change of one file."""

from __future__ import annotations

import difflib
import hashlib
from typing import NamedTuple


class Mutant(NamedTuple):
    """`new` stands in the place of `source[start:end]` of the file `path` (bytes, relative to the tree)."""

    path: str
    kind: str
    start: int
    end: int
    new: bytes
    source: bytes

    @property
    def changed(self) -> bytes:
        """The whole file."""
        return self.source[: self.start] + self.new + self.source[self.end :]

    @property
    def name(self) -> str:
        """The same for as long as the changed line stays as it is, wherever in its file that stands."""
        first = self.source.rfind(b"\n", 0, self.start) + 1
        last = self.source.find(b"\n", self.end)
        line = self.source[first : last if last >= 0 else None]
        before = self.source[:first].count(line)  # equal lines are told apart by their number
        words = (self.path, self.kind, line, before, self.start - first, self.new)
        return hashlib.sha1(repr(words).encode()).hexdigest()[:10]

    @property
    def diff(self) -> str:
        """The lines that differ."""
        old, new = (text.decode().splitlines() for text in (self.source, self.changed))
        lines = list(difflib.unified_diff(old, new, self.path, self.path, lineterm="", n=0))
        return "\n".join(line for line in lines[1:] if not line.startswith("+++")).replace("--- ", "")
