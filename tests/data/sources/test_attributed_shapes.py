from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from gan_lab.data.sources.attributed_shapes import AttributedShapes
from gan_lab.data.sources.coloured_shapes import COLOURS
from gan_lab.errors import ConfigError


def test_what_is_said_is_what_is_drawn() -> None:
    """Colour by the pixel furthest from white; round by the share of the box around; large by the box's side."""
    seen = Counter()
    for _, image, label in AttributedShapes(count=80, size=64):
        assert isinstance(label, tuple)
        seen[label] += 1
        pixels = np.asarray(image).astype(int)
        ink = np.abs(pixels - 255).sum(0)
        assert tuple(pixels.reshape(3, -1)[:, ink.argmax()]) == COLOURS["red" if label[1] else "blue"]
        inside = ink > ink.max() / 2
        height, width = np.ptp(np.flatnonzero(inside.any(1))) + 1, np.ptp(np.flatnonzero(inside.any(0))) + 1
        assert (inside.sum() / height / width < 0.9) == bool(label[0])
        assert (height > 37) == bool(label[2])
    assert len(seen) == 8  # in all combinations


def test_splits_are_other_draws() -> None:
    found = {split: [label for *_, label in AttributedShapes(30, split=split)] for split in ("train", "test")}
    assert found["train"] == [label for *_, label in AttributedShapes(30)] != found["test"]
    assert len({AttributedShapes(count, size).identity for count in (20, 30) for size in (16, 32)}) == 4
    with pytest.raises(ConfigError, match=r"^dataset\.split=val: choose train, test"):
        AttributedShapes(split="val")
    with pytest.raises(ConfigError, match="drawn, not read"):
        AttributedShapes().replaced_by(AttributedShapes())
