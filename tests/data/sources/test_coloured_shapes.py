from __future__ import annotations

import numpy as np
import pytest

from gan_lab.data.sources.coloured_shapes import COLOURS, ColouredShapes, draw
from gan_lab.errors import ConfigError


def test_what_is_said_is_what_is_drawn() -> None:
    for example in ColouredShapes(count=30, size=16).examples():
        colour, shape = ColouredShapes.classes[example.label or 0].split()
        assert list(example.captions) == [f"a {colour} {shape}", f"the {shape} is {colour}"]
        pixels = np.asarray(example.image).reshape(3, -1).T.astype(int)
        assert tuple(pixels[np.abs(pixels - 255).sum(1).argmax()]) == COLOURS[colour]
        assert (pixels == 255).all(1).mean() > 0.3


def test_shapes_by_their_area() -> None:
    """Of the box around it: all of a square, pi / 4 of a circle, half of a triangle."""
    for shape, share in (("square", 1.0), ("circle", np.pi / 4), ("triangle", 0.5)):
        inside = draw("red", shape, np.array([0.5, 0.5, 0.5]), 64)[1] < 150
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        assert inside.sum() / (np.ptp(rows) + 1) / (np.ptp(columns) + 1) == pytest.approx(share, abs=0.05)


def test_splits_are_other_draws() -> None:
    train, again, test = ColouredShapes(20), ColouredShapes(20), ColouredShapes(20, split="test")
    images = [np.stack([np.asarray(e.image) for e in each.examples()]) for each in (train, again, test)]
    assert (images[0] == images[1]).all()
    assert not (images[0] == images[2]).all((1, 2, 3)).any()
    assert len({train.identity, test.identity, ColouredShapes(21).identity, ColouredShapes(20, 16).identity}) == 4


def test_another_paper_is_another_source() -> None:
    """The ink is the same, and what is halfway at an edge is halfway to that paper."""
    white, gray = ColouredShapes(3), ColouredShapes(3, paper=160)
    assert white.identity == "coloured_shapes:3:32:train"
    assert gray.identity != white.identity
    for one, other in zip(white.examples(), gray.examples(), strict=True):
        pixels, there = np.asarray(one.image, float), np.asarray(other.image, float)
        ink = np.array(COLOURS[ColouredShapes.classes[one.label or 0].split()[0]])[:, None, None]
        share = (255 - pixels) / (255 - ink)
        np.testing.assert_allclose(there, 160 + share * (ink - 160), atol=3)


@pytest.mark.parametrize("paper", [-1, 256, 1.5, True])
def test_no_such_paper(paper: int) -> None:
    with pytest.raises(ConfigError, match=rf"^dataset\.source\.paper={paper}: a gray from 0"):
        ColouredShapes(paper=paper)


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.split=val: choose train, test"):
        ColouredShapes(split="val")
    with pytest.raises(ConfigError, match="drawn, not read"):
        ColouredShapes().replaced_by(ColouredShapes())
