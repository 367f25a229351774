"""Real-ESRGAN's degradations: noise in closed form, sharpening, what is drawn how often, and all of it together."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from gan_lab.degradations.canvas import Canvas, whole_canvas
from gan_lab.degradations.grain import distinct, grainy, poisson
from gan_lab.degradations.real_esrgan import FIRST, SECOND, RealDegradation, draw_factor, draw_mode
from gan_lab.degradations.sharpen import sharpen
from gan_lab.errors import ConfigError

CPU = torch.device("cpu")


def test_sharpening_leaves_what_is_even_and_lifts_edges() -> None:
    even = torch.full((1, 3, 40, 60), 0.3)
    assert_close(sharpen(even), even)
    faint = even + 0.05 * (torch.arange(60) > 30)  # 6 levels, of which a blur takes away half
    assert_close(sharpen(faint), faint)
    step = torch.where(torch.arange(60) > 30, 0.5, -0.5).expand(1, 1, 40, 60)
    found = sharpen(step)
    assert found[..., 31].min() > 0.55
    assert found[..., 30].max() < -0.55
    assert_close(found, -sharpen(-step), atol=1e-5, rtol=0)
    assert sharpen(torch.rand(1, 1, 6, 1)).shape == (1, 1, 6, 1)


def test_levels_are_counted_within_the_picture() -> None:
    levels = torch.tensor([[0.0, 0, 3, 9], [9, 9, 9, 200]]).view(1, 1, 2, 4).expand(2, 1, 2, 4)
    canvas = Canvas(levels, torch.tensor([[2], [1]]), torch.tensor([[4], [2]]))
    assert distinct(levels, canvas.within()).tolist() == [4, 1]


def test_shot_noise_has_the_variance_of_its_light() -> None:
    """x / v, where a picture of 5 levels has v = 8; and the mean 0."""
    torch.manual_seed(0)
    values = torch.tensor([0.2, 0.4, 0.6, 0.8, 1.0]).repeat(200).view(1, 1, 10, 100).expand(1, 400, 10, 100)
    found = poisson(whole_canvas(values), values)
    assert found.mean().abs() < 1e-3
    for level in (0.2, 0.6, 1.0):
        noise = found[values == level]
        assert float(noise.var()) == pytest.approx(level / 8, rel=0.03)


def test_noise_is_of_two_kinds_gray_or_not() -> None:
    torch.manual_seed(0)
    n = 2000
    picture = torch.rand(1, 3, 12, 12).expand(n, 3, 12, 12) * 0.4 + 0.3
    noise = grainy(whole_canvas(picture), (10, 10), (1, 1)).values - picture
    gray = (noise[:, 0] - noise[:, 1]).abs().amax((1, 2)) < 1e-6
    assert gray.float().mean() == pytest.approx(0.4, abs=0.04)
    deviation = noise.std((1, 2, 3))
    gaussian = (deviation * 255 - 10).abs() < 2
    assert gaussian.float().mean() == pytest.approx(0.5, abs=0.04)


def test_sizes_are_drawn_as_is_said() -> None:
    torch.manual_seed(0)
    for numbers in (FIRST, SECOND):
        factor = draw_factor(4000, numbers, CPU)
        assert (factor > 1).float().mean() == pytest.approx(numbers.up, abs=0.03)
        assert (factor < 1).float().mean() == pytest.approx(numbers.down, abs=0.03)
        assert numbers.sizes[0] <= factor.min() < numbers.sizes[0] + 0.02
        assert numbers.sizes[1] - 0.02 < factor.max() <= numbers.sizes[1]
    assert torch.bincount(draw_mode(3000, CPU).flatten()).tolist() == pytest.approx([1000] * 3, abs=100)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_inputs_are_levels_of_smaller_pictures(scale: int) -> None:
    torch.manual_seed(0)
    smooth = torch.linspace(-0.8, 0.8, 48).view(1, 1, 1, 48).expand(16, 3, 32, 48)
    found = RealDegradation(scale)(smooth)
    assert found.shape == (16, 3, 32 // scale, 48 // scale)
    levels = (found + 1) * 127.5
    assert_close(levels, levels.round(), atol=1e-3, rtol=0)
    assert (found[..., 0].mean((1, 2)) < found[..., -1].mean((1, 2))).all()  # still the picture
    assert len({image.std().item() for image in found}) == 16  # each in its own way
    assert not torch.equal(RealDegradation(scale)(smooth), found)


def test_scales_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match=r"^degradation.scale=4: does not divide images of 30x32"):
        RealDegradation().shape((3, 30, 32))
    with pytest.raises(ConfigError, match=r"^degradation.scale: 0"):
        RealDegradation(0)
