"""Names of files in a message: the first few, and never more than the one line."""

from __future__ import annotations

from collections.abc import Sequence

from gan_lab.command_line.printable import printable


def listed(names: Sequence[str], most: int = 5) -> str:
    """`a, b, c, ...`: the first `most` of `names`, with what would not print (line ends, escapes) spelled out."""
    return ", ".join(printable(name) for name in names[:most]) + (", ..." if len(names) > most else "")
