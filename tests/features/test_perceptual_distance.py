"""LPIPS where its weights are, else random features; and any number of channels and pixels."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gan_lab.errors import ConfigError
from gan_lab.features import perceptual_distance
from gan_lab.features.perceptual_distance import PerceptualDistance


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def apart() -> PerceptualDistance:
    return PerceptualDistance("random", width=2)


class Scales(nn.Module):
    """Two maps of a picture, of other lengths."""

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"near": pictures, "far": 5.0 * pictures}


def test_by_hand() -> None:
    """Of every place the squared difference of unit vectors, averaged over places and layers."""
    distance = PerceptualDistance("random", width=2)
    distance.network = Scales()
    made, wanted = torch.tensor([3.0, 4.0, 0.0]), torch.tensor([2.0, 0.0, 0.0])  # (0.6, 0.8, 0), (1, 0, 0)
    one, two = (each.view(1, 3, 1, 1).repeat(1, 1, 16, 16) for each in (made, wanted))
    two[:, :, :, :4] = 7.0 * one[:, :, :, :4]  # a quarter of the places points the same way
    assert_close(distance(one, two), torch.tensor([0.75 * (0.4**2 + 0.8**2)]))


def test_equal_pictures_are_not_apart_and_gradients_flow_to_what_was_made(apart: PerceptualDistance) -> None:
    made, wanted = pictures(2, 3, 16, 16).requires_grad_(), pictures(2, 3, 16, 16, seed=1)
    assert torch.equal(apart(wanted, wanted), torch.zeros(2))
    apart(made, wanted).sum().backward()
    assert made.grad is not None
    assert made.grad.count_nonzero() > 0
    assert not any(parameter.requires_grad for parameter in apart.parameters())


def test_other_channels_and_small_pictures(apart: PerceptualDistance) -> None:
    """Gray is colour; each of two channels is a picture; below 16 pixels a pixel is a square."""
    one, two = pictures(2, 1, 16, 16), pictures(2, 1, 16, 16, seed=1)
    assert_close(apart(one, two), apart(one.expand(-1, 3, -1, -1), two.expand(-1, 3, -1, -1)))
    both = apart(torch.cat((one, two), 1), torch.cat((two, two), 1))
    assert_close(both, apart(one, two) / 2)
    small, other = one[:, :, :8, :8], two[:, :, :8, :8]
    large = (each.repeat_interleave(2, 2).repeat_interleave(2, 3) for each in (small, other))
    assert_close(apart(small, other), apart(*large))


@pytest.mark.parametrize("there", [True, False])
def test_what_is_there_decides(there: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(perceptual_distance, "weights_are_there", lambda network: there)
    monkeypatch.setattr(perceptual_distance, "Lpips", lambda network: nn.Identity())
    caplog.set_level(logging.INFO)
    found = PerceptualDistance("auto", width=2, key="here.weights")
    assert found.chosen == {"weights": "lpips" if there else "random"}
    assert any("here.weights=lpips downloads them" in line for line in caplog.messages) != there


def test_weights_are_looked_for_in_the_data_root(root: Path) -> None:
    folder = root / "extractors"
    folder.mkdir(parents=True)
    (folder / "vgg16-397923af.pth").touch()
    assert not perceptual_distance.weights_are_there("vgg")
    (folder / "lpips-vgg.pth").touch()
    assert perceptual_distance.weights_are_there("vgg")


def test_other_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"^here.weights: 'mine' is not one of auto, lpips, random"):
        PerceptualDistance("mine", key="here.weights")
