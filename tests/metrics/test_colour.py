"""The error of colours, in closed form: lightness has no part in it."""

from __future__ import annotations

import pytest
import torch

from gan_lab.layers.lab import from_lab, to_lab
from gan_lab.metrics.colour import ColourError


def test_gray_has_the_error_of_the_colours() -> None:
    """Of red: a 80.09 and b 67.20."""
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    for level in (0, 127, 255):
        gray = torch.full_like(red, level)
        assert float(ColourError().compare(gray, red)) == pytest.approx(((80.09**2 + 67.20**2) / 2) ** 0.5, abs=0.02)
    assert float(ColourError().compare(red, red)) == 0


def test_each_image_has_its_own() -> None:
    lab = torch.tensor([[50.0, 0.0, 0.0], [50.0, 20.0, 0.0], [60.0, 20.0, -15.0]]).view(3, 3, 1, 1)
    images = ((from_lab(lab) + 1) * 127.5).round().to(torch.uint8)
    found = ColourError().compare(images, images[:1].expand(3, -1, -1, -1))
    assert found.tolist() == pytest.approx([0, 20 / 2**0.5, (625 / 2) ** 0.5], abs=0.5)
    assert to_lab(images.float() / 127.5 - 1).shape == (3, 3, 1, 1)
