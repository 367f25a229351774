"""What a terminal shows of words that others have written: names of files, runs and classes, and what files hold."""

from __future__ import annotations


def printable(text: str, kept: str = "") -> str:
    """`text` with every character that a terminal would obey rather than show as its escape, but those of `kept`."""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)
