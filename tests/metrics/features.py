"""Features to compare metrics on."""

from __future__ import annotations

import numpy as np


def gaussians(n: int, d: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two sets `(n, d)` with correlated dimensions and different means and scales, float64."""
    random = np.random.default_rng(seed)
    mix = random.normal(size=(d, d)) / d**0.5
    real = random.normal(size=(n, d)) @ mix
    return real, 0.8 * random.normal(size=(n, d)) @ (mix + 0.3 * np.eye(d)) + 0.2
