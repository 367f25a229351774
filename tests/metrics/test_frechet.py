"""The Frechet distance against closed forms, a direct evaluation, and torch-fidelity."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gan_lab.metrics import frechet_distance
from gan_lab.metrics.frechet import Moments, frechet_of_moments, trace_of_root
from tests.metrics.features import gaussians


def direct(real: np.ndarray, fake: np.ndarray) -> float:
    """With the eigenvalues of the product of the covariances, which are not symmetric."""
    one, two = np.cov(real.T), np.cov(fake.T)
    apart = real.mean(0) - fake.mean(0)
    roots = np.sqrt(np.linalg.eigvals(one @ two).astype(complex)).real.sum()
    return float(apart @ apart + np.trace(one) + np.trace(two) - 2 * roots)


def test_diagonal_gaussians() -> None:
    """Of covariances that commute: the sum of (m1 - m2)^2 + (s1 - s2)^2."""
    one, two = Moments(), Moments()
    one.count = two.count = 2
    one.mean, two.mean = np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0])
    one.scatter, two.scatter = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    assert frechet_of_moments(one, two) == pytest.approx(1 + 4 + (1 - 2) ** 2 + (3 - 1) ** 2, abs=1e-12)


def test_gaussians_that_do_not_commute() -> None:
    """In two dimensions tr (C1 C2)^(1/2) = sqrt(tr C1 C2 + 2 sqrt(det C1 C2))."""
    one, two = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0, -0.5], [-0.5, 4.0]])
    product = one @ two
    expected = math.sqrt(np.trace(product) + 2 * math.sqrt(np.linalg.det(product)))
    assert trace_of_root(one, two) == pytest.approx(expected, rel=1e-12)


def test_many_samples_come_near_the_closed_form() -> None:
    random = np.random.default_rng(0)
    real, fake = random.normal(0, 1, (200_000, 2)), random.normal(3, 2, (200_000, 2))
    assert frechet_distance(real, fake) == pytest.approx(2 * 9 + 2 * 1, rel=0.01)


@pytest.mark.parametrize(("n", "d"), [(500, 32), (40, 64)])
def test_a_direct_evaluation(n: int, d: int) -> None:
    real, fake = gaussians(n, d)
    assert frechet_distance(real, fake) == pytest.approx(direct(real, fake), rel=1e-9 if n > d else 1e-6)


@pytest.mark.parametrize(("n", "m"), [(30, 30), (30, 400), (400, 30)])
def test_fewer_samples_than_dimensions(n: int, m: int) -> None:
    """With centred X / sqrt(n - 1), tr (C1 C2)^(1/2) is the nuclear norm of X1 X2^T."""
    real, fake = gaussians(400, 200)
    real, fake = real[:n], fake[:m]
    one, two = ((x - x.mean(0)) / math.sqrt(len(x) - 1) for x in (real, fake))
    roots = np.linalg.svd(one @ two.T, compute_uv=False).sum()
    apart = real.mean(0) - fake.mean(0)
    expected = apart @ apart + (one**2).sum() + (two**2).sum() - 2 * roots
    assert frechet_distance(real, fake) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(500, 32), (20, 64)])
def test_nothing_is_far_from_itself(n: int, d: int) -> None:
    real, _ = gaussians(n, d)
    assert 0 <= frechet_distance(real, real) < 1e-6
    assert 0 <= frechet_distance(real * 1000, real * 1000) < 1e-6 * 1000**2


def test_parts_are_the_whole() -> None:
    """Streamed in any parts, of features far from the origin."""
    real, _ = gaussians(101, 8)
    real = real + 1e4
    moments = Moments()
    for part in np.split(real, [1, 3, 40]):
        moments.add(part)
    np.testing.assert_allclose(moments.mean, real.mean(0), rtol=1e-14)
    np.testing.assert_allclose(moments.covariance, np.cov(real.T), rtol=1e-9, atol=1e-9)
    again = Moments.of(moments.state())
    assert (again.count, again.covariance.tolist()) == (101, moments.covariance.tolist())
    for part in (Moments(), moments):
        again.merge(part)
    assert again.count == 202
    np.testing.assert_allclose(again.covariance, np.cov(np.concatenate([real, real]).T), rtol=1e-9, atol=1e-9)


def test_tensors_of_any_kind() -> None:
    real, fake = (torch.from_numpy(x) for x in gaussians(50, 4))
    expected = frechet_distance(real.bfloat16().double(), fake.bfloat16().double())
    assert frechet_distance(real.bfloat16().requires_grad_(), fake.bfloat16()) == expected


def test_torch_fidelity() -> None:
    fidelity = pytest.importorskip("torch_fidelity.metric_fid")
    real, fake = gaussians(1000, 64)
    theirs = fidelity.fid_statistics_to_metric(
        fidelity.fid_features_to_statistics(torch.from_numpy(real)),
        fidelity.fid_features_to_statistics(torch.from_numpy(fake)),
        verbose=False,
    )["frechet_inception_distance"]
    assert frechet_distance(torch.from_numpy(real), torch.from_numpy(fake)) == pytest.approx(theirs, rel=1e-9)


def test_what_is_refused() -> None:
    good = np.zeros((3, 2))
    for bad, words in ((np.zeros(3), "shape"), (np.full((3, 2), np.nan), "finite"), (np.zeros((1, 2)), "at least 2")):
        with pytest.raises(ValueError, match=words):
            frechet_distance(good, bad)
    with pytest.raises(ValueError, match="dimensions"):
        frechet_distance(good, np.zeros((3, 4)))
