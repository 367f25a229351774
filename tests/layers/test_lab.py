"""CIELAB at known colours, there and back, and what becomes of colours that no screen shows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gan_lab.layers.lab import companded, from_lab, lightness, linear, luminance, to_lab


def colours(*levels: tuple[float, float, float]) -> Tensor:
    return (torch.tensor(levels).double() / 127.5 - 1).view(-1, 3, 1, 1)


def random_colours() -> Tensor:
    return torch.randint(256, (4, 3, 32, 32), generator=torch.Generator().manual_seed(0)).float() / 127.5 - 1


def test_known_colours() -> None:
    found = to_lab(colours((255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 0, 255))).flatten(1)
    expected = torch.tensor(
        [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]], dtype=torch.float64
    )
    assert_close(found, expected, atol=0.02, rtol=0)


def test_scikit_image() -> None:
    color = pytest.importorskip("skimage.color")
    images = random_colours().double()
    theirs = color.rgb2lab(((images + 1) / 2).permute(0, 2, 3, 1).numpy())
    assert_close(to_lab(images).permute(0, 2, 3, 1), torch.from_numpy(theirs), atol=1e-3, rtol=0)


def test_there_and_back() -> None:
    images = random_colours()
    assert (from_lab(to_lab(images)) - images).abs().max() < 1e-3
    assert_close(from_lab(to_lab(images.double())), images.double(), atol=1e-6, rtol=0)
    assert_close(companded(linear(images)), images, atol=1e-5, rtol=0)


def test_lightness_survives_whatever_the_colour() -> None:
    """Far outside of what a screen shows, too; hues stay on their side."""
    torch.manual_seed(0)
    lab = torch.rand(8, 3, 16, 16, dtype=torch.float64)
    lab = torch.cat((100 * lab[:, :1], 220 * lab[:, 1:] - 110), 1)
    made = from_lab(lab)
    assert made.abs().max() <= 1
    again = to_lab(made)
    assert_close(again[:, 0], lab[:, 0], atol=1e-6, rtol=0)
    assert (again[:, 1:].norm(dim=1) > lab[:, 1:].norm(dim=1) + 1e-6).float().mean() < 0.1
    assert ((again[:, 1:] * lab[:, 1:]).sum(1) > -1e-6).float().mean() > 0.99


def test_gray_has_the_lightness_of_its_three_channels() -> None:
    gray = torch.arange(256).view(256, 1, 1, 1).float() / 127.5 - 1
    assert_close(lightness(gray), to_lab(gray.expand(-1, 3, -1, -1))[:, :1], atol=1e-4, rtol=0)
    assert_close(luminance(gray), linear(gray))
    assert_close(luminance(gray.expand(-1, 3, -1, -1)), linear(gray))


def test_gradients_reach_every_pixel() -> None:
    """Of black, of white, and of a colour that had to be mixed with gray."""
    images = colours((0, 0, 0), (255, 255, 255), (128, 0, 0)).requires_grad_()
    to_lab(images).sum().backward()
    lab = torch.tensor([[50.0, 100.0, 100.0], [0.0, 0.0, 0.0], [100.0, 0.0, 0.0]]).view(3, 3, 1, 1).requires_grad_()
    (from_lab(lab) * torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)).sum().backward()
    for each in (images, lab):
        assert each.grad is not None
        assert each.grad.isfinite().all()
    assert (images.grad.abs().amin(1) > 0).all()  # type: ignore[union-attr]
    assert (lab.grad[0].abs() > 0).all()  # type: ignore[index]
