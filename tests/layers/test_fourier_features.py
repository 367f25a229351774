"""The waves that StyleGAN3 starts from."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.layers.fourier_features import FourierFeatures


@pytest.fixture
def features() -> FourierFeatures:
    torch.manual_seed(0)
    made = FourierFeatures(8, size=12, rate=16, band=2.0, style_dim=4)
    with torch.no_grad():
        made.weight.copy_(torch.eye(8) * math.sqrt(8))  # the waves themselves
    return made


def test_a_wave_is_what_it_says(features: FourierFeatures) -> None:
    found = features(torch.randn(1, 4))
    assert found.shape == (1, 8, 12, 12)
    x, y = ((3 + 0.5 - 6) / 16, (7 + 0.5 - 6) / 16)  # column 3, row 7
    phase = features.frequencies @ torch.tensor([x, y]) + features.phases
    size = features.frequencies.norm(dim=1)
    expected = torch.sin(2 * math.pi * phase) * (1 - (size - 2) / 6).clamp(0, 1)
    assert_close(found[0, :, 7, 3], expected)


def test_frequencies_fill_a_disc() -> None:
    """A radius below r cycles has the probability (r / band)^4: of exp(-n^2 / 4), n^2 exponential of mean 2."""
    torch.manual_seed(0)
    radius = FourierFeatures(4000, 4, 16, 2.0, 4).frequencies.norm(dim=1)
    assert radius.max() <= 2
    for share in (0.5, 0.8):
        assert float((radius < 2 * share).float().mean()) == pytest.approx(share**2, abs=0.03)


def test_at_the_start_no_style_moves_it(features: FourierFeatures) -> None:
    one, other = features(torch.randn(2, 4))
    assert_close(one, other)


def test_all_images_move_with_the_plane(features: FourierFeatures) -> None:
    style = torch.zeros(1, 4)
    still = features(style)
    features.transform.copy_(torch.tensor([[1.0, 0, -2 / 16], [0, 1, 0], [0, 0, 1]]))
    assert_close(features(style)[..., 2:], still[..., :-2], atol=1e-5, rtol=1e-5)  # two samples to the right
    features.transform.copy_(torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]))
    assert_close(features(style), still.rot90(1, (2, 3)), atol=1e-5, rtol=1e-5)


def test_a_style_turns_and_shifts(features: FourierFeatures) -> None:
    """First the shift, then the turn, whatever the length of (cosine, sine)."""
    with torch.no_grad():
        assert features.affine.bias is not None
        features.affine.bias.copy_(3 * torch.tensor([0.6, 0.8, 0.1, 0.2]))
    place = torch.tensor([0.3, 0.5, 1.0])
    expected = torch.tensor([0.6 * 0.2 - 0.8 * 0.3, 0.8 * 0.2 + 0.6 * 0.3, 1.0])
    assert_close(features.plane(torch.zeros(1, 4))[0] @ place, expected)
