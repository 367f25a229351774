"""How the names in a table differ from those of images that it does not fit: the change that would make them fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from gan_lab.command_line.printable import printable

CASE, SUFFIX, FOLDERS = "upper and lower case", "the suffix", "what stands before the name"
ORDERS = ((CASE,), (SUFFIX,), (CASE, SUFFIX), (FOLDERS,), (CASE, FOLDERS), (SUFFIX, FOLDERS), (CASE, SUFFIX, FOLDERS))


def tell_difference(images: Sequence[Sequence[str]], rows: Collection[str]) -> str | None:
    """The least that has to be passed over for half of the `images` to be found among the `rows`, in words, with an
    example. Of each image come all names that it may have. None where nothing helps."""
    for passed_over in ORDERS:
        known = {_without(row, passed_over): row for row in rows}
        found = [(names[0], known[key]) for names in images if (key := _first(names, passed_over, known)) is not None]
        if 2 * len(found) >= len(images):
            image, row = found[0]
            return (
                f"{len(found)} of them differ from the table in {' and '.join(passed_over)} alone, which has "
                f"{printable(row)} for {printable(image.rpartition('/')[2])}; write them alike"
            )
    return None


def _first(names: Sequence[str], passed_over: Collection[str], known: Collection[str]) -> str | None:
    return next((key for name in names if (key := _without(name, passed_over)) in known), None)


def _without(name: str, passed_over: Collection[str]) -> str:
    if FOLDERS in passed_over:  # an address may end in a query
        name = name.partition("?")[0].rpartition("/")[2]
    if SUFFIX in passed_over:
        name = re.sub(r"\.[^./]*$", "", name)
    return name.casefold() if CASE in passed_over else name
