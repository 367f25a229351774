"""What the monitor has to say: one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Alarm(NamedTuple):
    """`name` says what is wrong, `saw` what was seen, since step `since`; `advice` are overrides to try.

    It was raised at `step`.
    """

    name: str
    step: int
    since: int
    saw: str
    advice: str

    def line(self) -> str:
        """For people: `health: collapse since step 300: ...; try ...`."""
        when = f" since step {self.since}" if self.since else ""
        return f"health: {self.name}{when}: {self.saw}; try {self.advice}"

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Alarm | None:
        """The alarm that `_asdict()` was taken of; None for anything else."""
        try:
            return cls(
                *(str(record["name"]), int(record["step"]), int(record["since"])),
                *(str(record["saw"]), str(record["advice"])),
            )
        except (KeyError, TypeError, ValueError):
            return None
