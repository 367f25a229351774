from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gan_lab.data.sources.points import Grid, Mixture, Ring
from gan_lab.errors import ConfigError
from tests.data.conftest import Array


def points(mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """All samples, unscaled, and their labels."""
    samples = list(mixture)
    scaled = np.stack([image for _, image, _ in samples])
    assert scaled.shape == (len(mixture), 2, 1, 1)
    assert scaled.dtype == np.float32
    assert np.abs(scaled).max() <= 1
    return scaled[:, :, 0, 0] * mixture.extent, np.array([label for _, _, label in samples])


def test_the_ring_of_eight() -> None:
    half = math.sqrt(0.5)
    expected = [[1, 0], [half, half], [0, 1], [-half, half], [-1, 0], [-half, -half], [0, -1], [half, -half]]
    assert_allclose(Ring().centres, expected, atol=1e-15)
    assert (len(Ring()), Ring().std, Ring().extent, len(Ring().classes)) == (50_000, 0.01, 1.5, 8)
    assert_allclose(Ring(modes=3, radius=2, extent=3).centres[1], [-1, math.sqrt(3)])


def test_the_grid_of_twenty_five() -> None:
    expected = [[x, y] for y in (-4, -2, 0, 2, 4) for x in (-4, -2, 0, 2, 4)]
    assert_allclose(Grid().centres, expected)
    assert (len(Grid()), Grid().std, Grid().extent, len(Grid().classes)) == (50_000, 0.05, 5.0, 25)
    assert_allclose(Grid(modes=4, spacing=3).centres, [[-1.5, -1.5], [1.5, -1.5], [-1.5, 1.5], [1.5, 1.5]])


@pytest.mark.parametrize("make", [Ring, Grid])
def test_the_points_are_gaussian_around_the_mode_that_is_their_label(make: Callable[..., Mixture]) -> None:
    mixture = make(count=20_000, seed=3)
    found, labels = points(mixture)
    modes = len(mixture.centres)
    offsets = (found - mixture.centres[labels]) / mixture.std
    assert_allclose(offsets.mean(0), 0, atol=5 / math.sqrt(20_000))
    assert_allclose(np.cov(offsets.T), np.eye(2), atol=5 * math.sqrt(2 / 20_000))
    assert_allclose((offsets**4).mean(), 3, atol=5 * math.sqrt(96 / 40_000))
    deviation = math.sqrt(20_000 / modes * (1 - 1 / modes))
    assert_allclose(np.bincount(labels, minlength=modes), 20_000 / modes, atol=5 * deviation)


@pytest.mark.parametrize("make", [Ring, Grid])
def test_the_seed_and_every_option_decide(make: Callable[..., Mixture]) -> None:
    first, again, other = (points(make(count=10, seed=seed))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    changes: list[dict[str, float]] = [{}, {"seed": 1}, {"std": 0.02}, {"count": 9}, {"modes": 9}, {"extent": 6}]
    changes.append({"radius": 1.2} if make is Ring else {"spacing": 1.5})
    assert len({make(**change).identity for change in changes}) == len(changes)


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (Ring, {"modes": 0}, "modes=0: must be at least 1"),
        (Ring, {"std": 0}, "std=0: must be above 0"),
        (Ring, {"count": 0}, "count=0: must be at least 1"),
        (Ring, {"extent": 1.05}, "extent=1.05: the points reach out to 1.06; take at least that"),
        (Grid, {"modes": 24}, "modes=24: a square number, e.g. 16"),
        (Grid, {"std": float("nan")}, "std=nan: must be above 0"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[..., Mixture], changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make(**changes)


def test_points_are_not_read_from_a_folder() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.path: these points are drawn, not read"):
        Ring().replaced_by(Array())
