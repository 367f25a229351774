"""Gray, noise, blur and edges against what their formulas give."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gan_lab.degradations.blur import Blur
from gan_lab.degradations.edges import Edges
from gan_lab.degradations.gray import Gray
from gan_lab.degradations.lightness import Lightness
from gan_lab.degradations.noise import Noise
from gan_lab.errors import ConfigError
from gan_lab.layers.lab import lightness, to_lab


def test_gray_is_how_bright_the_colours_look() -> None:
    colours = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [0.5, 0.5, 0.5]])[..., None, None]
    expected = torch.tensor([2 * 0.299 - 1, 2 * 0.587 - 1, 2 * 0.114 - 1, 0.5])
    assert_close(Gray()(colours).flatten(), expected)
    assert torch.equal(Gray()(colours[:, :1]), colours[:, :1])


def test_noise_has_the_strength_that_is_asked() -> None:
    """25 levels of 255 around gray; a span gives every image its own; what leaves the range is cut."""
    torch.manual_seed(0)
    found = Noise(25)(torch.zeros(4, 3, 64, 64))
    assert found.std(dim=(1, 2, 3)).mul(127.5).sub(25).abs().max() < 1
    assert found.mean().abs() < 0.01
    strengths = Noise([0, 20])(torch.zeros(200, 1, 16, 16)).std(dim=(1, 2, 3)) * 127.5
    assert strengths.min() < 1
    assert strengths.max() > 19
    assert strengths.mean() == pytest.approx(10, abs=1.5)
    assert torch.equal(Noise(0)(found), found)
    assert Noise(255)(torch.ones(1, 1, 64, 64)).max() == 1


def test_blur_spreads_a_point_as_a_gaussian() -> None:
    point = torch.zeros(1, 2, 21, 21)
    point[:, :, 10, 10] = 1
    spread = Blur(1.5)(point)
    assert_close(spread.sum((2, 3)), torch.ones(1, 2))
    assert_close(spread[0, 0, 10, 12] / spread[0, 0, 10, 10], torch.tensor(math.exp(-4 / (2 * 1.5**2))))
    assert_close(spread[0, 0, 12, 10], spread[0, 0, 10, 12])
    assert_close(spread[0, 0, 11, 13] / spread[0, 0, 10, 10], torch.tensor(math.exp(-10 / (2 * 1.5**2))))
    assert spread[0, 0, 10, 16] == 0  # beyond 3 standard deviations, rounded up
    assert torch.equal(spread[:, 0], spread[:, 1])


def test_blur_leaves_what_is_even_and_mirrors_edges() -> None:
    even = torch.full((2, 3, 12, 12), 0.3)
    assert_close(Blur([0.5, 2])(even), even)
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    found = Blur(1)(ramp)
    assert_close(found[..., 5:-5], ramp[..., 5:-5])
    assert (found[..., 0] > ramp[..., 0]).all()
    with pytest.raises(ConfigError, match=r"^degradation\.sigma=4: reaches 12 pixels, too far for images of 12x40$"):
        Blur(4).shape((3, 12, 40))


def test_edges_are_black_where_the_image_jumps() -> None:
    """A step of the whole range has the length 1; across as well as down, and none at the border of the picture."""
    step = torch.full((1, 1, 8, 8), -1.0)
    step[..., 4:] = 1
    lines = Edges(1.0)(step)
    assert_close(lines[0, 0, 3], torch.tensor([1.0, 1, 1, -1, -1, 1, 1, 1]))
    assert torch.equal(Edges(1.0)(step.transpose(2, 3)), lines.transpose(2, 3))
    assert_close(Edges(1.0)(step / 2)[0, 0, 3, 3], torch.tensor(0.0))
    assert_close(Edges(0.25)(step / 2)[0, 0, 3, 3], torch.tensor(-1.0))
    assert torch.equal(Edges()(torch.full((1, 3, 4, 4), 0.7)), torch.ones(1, 1, 4, 4))


def test_a_picture_of_its_lightness_is_as_light() -> None:
    """Whose L is the image's, where luma has another; of gray nothing changes."""
    colours = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = Lightness()(colours)
    assert_close(lightness(made), to_lab(colours)[:, :1], atol=1e-3, rtol=0)
    assert (lightness(Gray()(colours)) - to_lab(colours)[:, :1]).abs().max() > 2
    assert_close(Lightness()(colours[:, :1].expand(-1, 3, -1, -1)), colours[:, :1])
    assert torch.equal(Lightness()(colours[:, :1]), colours[:, :1])
