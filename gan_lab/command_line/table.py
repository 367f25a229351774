"""Tables on a terminal: columns as wide as their cells, the widest cut where the line would not fit."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Sequence

from gan_lab.command_line.printable import printable

LEAST = 8  # characters that a cut column keeps
GAP = "  "


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, numbers: Collection[str] = ()
) -> list[str]:
    """The lines of a table; the columns named in `numbers` stand to the right. `width` None: as wide as it is."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(line[at]) for line in (header, *rows)) for at in range(len(header))]
    while width is not None and sum(widths) + len(GAP) * (len(widths) - 1) > width and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for line in (header, *rows):
        cells = [cut(cell, size) for cell, size in zip(line, widths, strict=True)]
        placed = [
            cell.rjust(size) if name in numbers else cell.ljust(size)
            for cell, size, name in zip(cells, widths, header, strict=True)
        ]
        lines.append(GAP.join(placed).rstrip())
    return lines


def cut(text: str, size: int) -> str:
    """`text` in at most `size` characters. Of a path the end is kept, of anything else the beginning."""
    if len(text) <= size:
        return text
    return f"…{text[len(text) - size + 1 :]}" if "/" in text and "=" not in text else f"{text[: size - 1]}…"


def terminal_width() -> int | None:
    """The columns of the terminal; None where the output goes into a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def number(value: object) -> str:
    """A figure in four digits; what is no number as it is, nothing for None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "" if value is None else str(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"
