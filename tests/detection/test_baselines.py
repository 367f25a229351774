"""Detectors without a network on pictures whose residuals and distances are known."""

from __future__ import annotations

import numpy as np
import pytest

from gan_lab.detection.baselines import AT_ONCE, NearestNeighbour, PrincipalComponents


def on_a_plane(count: int, seed: int) -> np.ndarray:
    """Pictures of four pixels of which the first two vary and the others are 100."""
    random = np.random.default_rng(seed)
    pictures = np.full((count, 1, 2, 2), 100, np.uint8)
    pictures[:, 0, 0] = random.integers(0, 256, (count, 2))
    return pictures


@pytest.mark.parametrize("count", [3, 50])  # fewer pictures than pixels, and more
def test_what_lies_beside_the_components_is_the_score(count: int) -> None:
    pca = PrincipalComponents(2).fit(on_a_plane(count, 0))
    np.testing.assert_allclose(pca(on_a_plane(5, 1)), 0, atol=1e-12)
    beside = on_a_plane(4, 2)
    beside[:, 0, 1, 1] += 51
    np.testing.assert_allclose(pca(beside), (51 / 127.5) ** 2 / 4, rtol=1e-6)


def test_of_components_the_largest_are_taken() -> None:
    pictures = on_a_plane(50, 0)
    pictures[:, 0, 0, 1] //= 16
    one = PrincipalComponents(1).fit(pictures)(pictures)
    assert one.max() < (16 / 127.5) ** 2


def test_pictures_that_are_all_alike_have_no_component() -> None:
    same = np.full((3, 1, 2, 2), 7, np.uint8)
    np.testing.assert_allclose(PrincipalComponents(2).fit(same)(same + 51), (51 / 127.5) ** 2, rtol=1e-6)


def test_the_nearest_of_all_training_pictures_counts() -> None:
    known = np.zeros((AT_ONCE + 2, 1, 2, 2), np.uint8)
    known[-1] = 100  # behind the first part
    given = np.array([[[[100, 100], [100, 151]]], [[[0, 0], [0, 0]]]], np.uint8)
    np.testing.assert_allclose(NearestNeighbour().fit(known)(given), [(51 / 127.5) ** 2 / 4, 0], atol=1e-6)
