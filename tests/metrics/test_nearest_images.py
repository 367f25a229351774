"""Generated images beside the nearest real ones, and whether that is near."""

from __future__ import annotations

import numpy as np
import pytest

from gan_lab.metrics.nearest_images import nearest


def test_places_distances_and_ranks() -> None:
    """Real ones at 0, 1, 3, 7: each has another one 1, 1, 2 and 4 away."""
    real = np.array([[0.0], [1.0], [3.0], [7.0]])
    made = np.array([[3.0], [4.5], [8.5], [20.0]])
    found = nearest(made, real)
    assert found.places.tolist() == [[2, 1, 0], [2, 3, 1], [3, 2, 1], [3, 2, 1]]
    assert found.distance == pytest.approx([0.0, 1.5, 1.5, 13.0])
    assert found.rank.tolist() == [0.0, 0.5, 0.5, 1.0]


def test_few_real_images() -> None:
    assert nearest(np.zeros((1, 2)), np.eye(2)).places.shape == (1, 2)
