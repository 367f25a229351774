"""When networks grow: the authors' schedule, in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from gan_lab.algorithms.growth import Grown, Growth
from gan_lab.errors import ConfigError

KIMG = 1000


@pytest.mark.parametrize(
    ("kimg", "lod"),
    [(0, 3), (600, 3), (750, 2.75), (900, 2.5), (1200, 2), (1800, 2), (2100, 1.5), (2400, 1), (3600, 0), (9999, 0)],
)
def test_the_level_of_detail_of_the_authors_code(kimg: int, lod: float) -> None:
    """log2 of how much smaller images are, of 32 pixels from 4 on, with 600 thousand images each."""
    level, share = Growth(600 * KIMG, 600 * KIMG).at(kimg * KIMG, 3)
    assert 3 - (level - 1 + share) == pytest.approx(lod)
    assert level == {0: 3, 1: 2, 2: 1, 3: 0}[int(lod)]


def test_the_edges_of_a_fade() -> None:
    """It begins with the first image beyond, and the next size is whole with the last."""
    growth = Growth(10, 4)
    assert [growth.at(images, 2) for images in (0, 9, 10)] == [Grown(0, 1.0)] * 3
    assert [growth.at(images, 2) for images in (11, 12, 13)] == [Grown(1, 0.25), Grown(1, 0.5), Grown(1, 0.75)]
    assert growth.at(14, 2) == growth.at(24, 2) == Grown(1, 1.0)
    assert growth.at(25, 2) == Grown(2, 0.25)
    assert growth.at(28, 2) == growth.at(10**9, 2) == Grown(2, 1.0)
    assert growth.images(2) == 28
    assert (Grown(1, 0.75).fading, Grown(1, 1.0).fading) == (True, False)


def test_another_start_and_no_fade() -> None:
    growth = Growth(10, 0, start=1)
    assert [growth.at(images, 3).level for images in (0, 9, 10, 19, 20, 99)] == [1, 1, 2, 2, 3, 3]
    assert not any(growth.at(images, 3).fading for images in range(40))
    assert growth.images(3) == 20
    assert Growth(10, 10, start=4).at(0, 3) == Grown(3, 1.0)
    assert Growth(10, 10, start=4).images(3) == 0


def test_what_goes_by_the_size() -> None:
    growth = Growth(1, 1, batch_limits=[[512, 6], [256, 14]], rates=[[128, 1.5], [256, 2]])
    assert [growth.batch_limit(side) for side in (4, 255, 256, 384, 512, 1024)] == [None, None, 14, 14, 6, 6]
    assert [growth.rate(side) for side in (64, 128, 192, 256, 1024)] == [1.0, 1.5, 1.5, 2.0, 2.0]
    assert (Growth(1, 1).batch_limit(1024), Growth(1, 1).rate(1024)) == (None, 1.0)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"stable_images": 0}, "stable_images"),
        ({"fade_images": -1}, "fade_images"),
        ({"start": -1}, "start"),
        ({"batch_limits": [[256, 0]]}, "batch_limits, from 256 pixels on: 0"),
        ({"batch_limits": [["large", 2]]}, "batch_limits: pixels: 'large'"),
        ({"rates": [[256, 0]]}, "rates, from 256 pixels on"),
        ({"rates": [256, 2]}, r"rates: \[256, 2\] are not pairs"),
    ],
)
def test_refusals(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^algorithm.stages.{key}"):
        Growth(**{"stable_images": 1, "fade_images": 1, **settings})
