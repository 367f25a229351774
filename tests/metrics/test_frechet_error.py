"""The standard error of FID: against how much it really varies, and in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from gan_lab.metrics.frechet import Moments, frechet_distance, trace_of_root
from gan_lab.metrics.frechet_error import GroupedMoments, _map


def moments(features: np.ndarray) -> Moments:
    found = Moments()
    found.add(features)
    return found


@pytest.mark.parametrize(("n", "d"), [(400, 6), (60, 100)])
def test_value_is_that_of_all_features(n: int, d: int) -> None:
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(300, d)), rng.normal(0.2, 1.5, size=(n, d))
    grouped = GroupedMoments()
    for part in np.array_split(fake, 7):  # groups go on from part to part
        grouped.add(part)
    value, error = grouped.distance(moments(real))
    np.testing.assert_allclose(value, frechet_distance(real, fake), rtol=1e-9)
    assert error is not None
    assert error > 0


def test_groups_do_not_depend_on_the_parts() -> None:
    rng = np.random.default_rng(0)
    real, fake = moments(rng.normal(size=(300, 4))), rng.normal(size=(105, 4))
    whole, parts = GroupedMoments(), GroupedMoments()
    whole.add(fake)
    for part in np.split(fake, [3, 4, 50, 77]):
        parts.add(part)
    np.testing.assert_allclose(parts.distance(real), whole.distance(real), rtol=1e-10)


@pytest.mark.parametrize(("n", "d"), [(400, 8), (600, 20)])
def test_error_is_how_much_the_distance_varies(n: int, d: int) -> None:
    """60 independent sets of samples, skewed, not Gaussian: their distances' deviation is what each set says of it."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(d, d)) / d**0.5
    real = moments(rng.normal(size=(5000, d)) @ mixing)
    values, errors = [], []
    for _ in range(60):
        grouped = GroupedMoments()
        grouped.add(np.maximum(rng.normal(size=(n, d)), -1) @ (1.2 * mixing))
        value, error = grouped.distance(real)
        values.append(value)
        errors.append(error)
    np.testing.assert_allclose(np.mean(errors), np.std(values, ddof=1), rtol=0.25)  # 60 values: 9% by themselves


def test_map_takes_one_gaussian_to_the_other() -> None:
    rng = np.random.default_rng(0)
    one, two = (matrix @ matrix.T for matrix in rng.normal(size=(2, 5, 5)))
    found = _map(one, two)
    np.testing.assert_allclose(found, found.T, rtol=1e-7)
    np.testing.assert_allclose(found @ two @ found, one, rtol=1e-7)


def test_slope_is_the_gradient_of_the_distance() -> None:
    rng = np.random.default_rng(0)
    one, two, step = (matrix @ matrix.T for matrix in rng.normal(size=(3, 4, 4)))

    def distance(covariance: np.ndarray) -> float:
        return float(np.trace(one) + np.trace(covariance) - 2 * trace_of_root(one, covariance))

    h = 1e-5
    central = (distance(two + h * step) - distance(two - h * step)) / (2 * h)
    np.testing.assert_allclose(np.sum((np.eye(4) - _map(one, two)) * step), central, rtol=1e-6)


def test_too_few_for_an_error() -> None:
    grouped = GroupedMoments()
    grouped.add(np.random.default_rng(0).normal(size=(19, 2)))
    assert grouped.distance(moments(np.eye(3)[:, :2]))[1] is None
