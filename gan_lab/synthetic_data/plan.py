"""How many images each class is to have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from gan_lab.command_line.nearest import nearest
from gan_lab.config import require_number, require_whole
from gan_lab.data.sources.listed import listed
from gan_lab.errors import ConfigError

LEAST = 2  # real images of a class: of a single one a generator can only know that one


def check_balance(balance: Any) -> None:
    """Raise ConfigError for what is no value of the key."""
    if balance == "max":
        return
    if isinstance(balance, float):
        require_number(balance, "balance", above=0.0)
    else:
        require_whole(balance, "balance", 1, ", max or a share of the largest class, e.g. 0.5")


def targets(counts: Mapping[str, int], balance: str | int | float, classes: Collection[str] | None) -> dict[str, int]:
    """How many images each class is to have: `max` as many as the largest, a whole number so many, a share of the
    largest (0.5) that; never fewer than it has. Those that are not among `classes` (None: all) stay as they are.

    Raises ConfigError where `classes` names others, where a class that is to grow has fewer than two images, and where
    none is to grow.
    """
    for name in classes or ():
        if name not in counts:
            raise ConfigError(f"classes: {name} is not one of the data's ({listed([*counts])}){nearest(name, counts)}")
    most = max(counts.values())
    share = 1.0 if balance == "max" else balance
    wanted = share if isinstance(share, int) else round(float(share) * most)
    grown = {
        name: max(count, wanted) if classes is None or name in classes else count for name, count in counts.items()
    }
    for name, count in counts.items():
        if grown[name] > count and count < LEAST:
            others = [other for other in counts if other != name and grown[other] > counts[other]]
            fix = f"leave it out: classes=[{','.join(others)}]" if others else "take more images of it"
            raise ConfigError(
                f"classes: {name} has {count or 'no'} image{'s' * (count != 1)}, of which nothing can be learned that "
                f"is not in it already; {fix}"
            )
    if grown == dict(counts):
        raise ConfigError(
            f"balance={balance}: every class has as many already ({min(counts.values())} to {most}); a number above "
            f"adds to them, e.g. balance={2 * most}"
        )
    return grown
