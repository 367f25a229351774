"""The kernel distance in closed form and against torch-fidelity."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch

from gan_lab.metrics import kernel_distance
from tests.metrics.features import gaussians


def test_by_hand() -> None:
    """One subset of everything: the unbiased sum over pairs, pair by pair."""
    real, fake = gaussians(6, 3)
    kernel = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = sum(kernel(x[i], x[j]) for x in (real, fake) for i in range(6) for j in range(6) if i != j)
    across = sum(kernel(a, b) for a in real for b in fake)
    value, _ = kernel_distance(real, fake, subsets=1, subset_size=6)
    assert value == pytest.approx(within / 30 - 2 * across / 36, rel=1e-12)


def test_it_has_no_bias() -> None:
    """Of two halves of one distribution the mean over many draws is 0 within its error."""
    random = np.random.default_rng(0)
    found = [kernel_distance(*random.normal(size=(2, 50, 4)), subsets=1, subset_size=50)[0] for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / 200**0.5


def test_torch_fidelity() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_kid")
    real, fake = gaussians(300, 16)
    theirs = fidelity.kid_features_to_metric(
        torch.from_numpy(real),
        torch.from_numpy(fake),
        kid_subsets=10,
        kid_subset_size=100,
        rng_seed=2020,
        verbose=False,
    )
    value, error = kernel_distance(real, fake, subsets=10, subset_size=100)
    assert value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-9)
    assert error == pytest.approx(theirs["kernel_inception_distance_std"] * (1 / 2 + 1 / 10) ** 0.5, rel=1e-9)


@pytest.mark.parametrize("size", [30, 120])
def test_the_error_is_that_of_another_draw(size: int) -> None:
    """Over many draws of the features the value varies as much as one draw says, of few subsets and of the whole."""
    random = np.random.default_rng(0)
    draws = [
        kernel_distance(random.normal(size=(120, 4)), random.normal(0.4, 1, (120, 4)), subsets=20, subset_size=size)
        for _ in range(150)
    ]
    values, errors = np.array(draws).T
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.2)


def test_too_few_features(caplog: pytest.LogCaptureFixture) -> None:
    real, fake = gaussians(10, 3)
    with caplog.at_level(logging.WARNING):
        assert kernel_distance(real, fake, subsets=2) == kernel_distance(real, fake, subsets=2, subset_size=10)
    assert "for 1000 are too many" in caplog.text
    for few, size in ((real[:1], 1000), (real, 1)):
        with pytest.raises(ValueError, match="at least 2"):
            kernel_distance(few, fake, subset_size=size)
    assert math.isnan(kernel_distance(real[:3], fake, subset_size=3)[1])
