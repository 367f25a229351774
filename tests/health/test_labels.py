"""Classes that are configured must be there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gan_lab.health.labels import check_labels


class Images(SimpleNamespace):
    def __len__(self) -> int:
        return 12


def named(labels: list[Any] | None, data: int | None, generator: int = 0, discriminator: int = 0) -> str | None:
    model = {"generator": {"num_classes": generator}, "discriminator": {"num_classes": discriminator}}
    config: dict[str, Any] = {"dataset": {"num_classes": data}, "model": model}
    store: Any = Images(labels=None if labels is None else np.array(labels))
    alarm = check_labels(config, store, 7)
    return None if alarm is None else alarm.name


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("one_class", ([3, 3, 3], 10)),
        ("one_class", ([0, 0], 1, 10, 10)),
        ("one_class", ([0, 0], None, 0, 2)),
        ("one_class", (None, 10)),
        ("missing_classes", ([0, 1, 1], 10, 10, 10)),
        (None, ([0, 1, 1], 10)),  # the generator does not ask
        (None, ([0, 1, 2], 3, 3, 3)),
        (None, ([0, 0], 1)),
        (None, (None, None)),
        (None, ([[0, 0], [0, 1]], None, 2, 2)),  # attributes, one of which nothing has
    ],
)
def test_named(expected: str | None, given: tuple[Any, ...]) -> None:
    assert named(*given) == expected
