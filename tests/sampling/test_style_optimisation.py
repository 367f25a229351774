"""Content and style in closed form, over a network whose maps are known; descent comes to where both are met."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gan_lab.layers.vgg import VGG
from gan_lab.sampling.style_optimisation import CONTENT, LAYERS, STYLES, ContentAndStyle, optimise


class Copies(nn.Module):
    """Every map is the image."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return dict.fromkeys(LAYERS, images)


def flat(*levels: float, side: int = 4) -> Tensor:
    return torch.tensor(levels).view(1, -1, 1, 1).expand(1, len(levels), side, side).clone()


def test_by_hand() -> None:
    """Maps are divided by their mean over both, (2 + 6) / 2; a Gram matrix of constants c is c c^T / N."""
    likeness = ContentAndStyle(Copies(), flat(2.0, 2.0), flat(8.0, 4.0, side=6))
    found = likeness(flat(6.0, 2.0))
    assert_close(found.content, torch.tensor(1 / 2 * (1.0**2 + 0.0**2) / 2))
    mine, theirs = torch.tensor([1.5, 0.5]), torch.tensor([2.0, 1.0])
    grams = [torch.outer(each, each) / 2 for each in (mine, theirs)]
    assert_close(found.style, (grams[0] - grams[1]).square().sum() / 4)
    assert float(likeness(flat(2.0, 2.0)).content) == 0.0
    assert float(likeness(flat(8.0, 4.0)).style) == 0.0


def test_layers_are_gatys() -> None:
    assert CONTENT == "relu4_2"
    assert tuple(f"relu{block}_1" for block in range(1, 6)) == STYLES


def test_each_layer_of_the_style_is_a_fifth() -> None:
    class OneStyle(nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {name: images if name == "relu3_1" else torch.ones(1, 1, 2, 2) for name in LAYERS}

    one = ContentAndStyle(OneStyle(), flat(1.0), flat(3.0))(flat(1.0))
    assert_close(one.style, torch.tensor((0.5**2 - 1.5**2) ** 2 / 4 / 5))
    assert float(one.content) == 0.0


@pytest.mark.parametrize(("content", "style", "end"), [(1.0, 0.0, 0.25), (0.0, 1.0, 0.75)])
def test_descent_meets_what_it_is_asked_for(content: float, style: float, end: float) -> None:
    likeness = ContentAndStyle(Copies(), flat(0.25), flat(0.75))
    heard: list[int] = []
    made = optimise(likeness, flat(0.5), 30, content, style, heard.append)
    assert_close(made, flat(end), rtol=1e-3, atol=1e-3)
    assert heard == list(range(1, 31))
    assert not made.requires_grad


def test_what_comes_out_is_an_image() -> None:
    made = optimise(ContentAndStyle(Copies(), flat(3.0), flat(3.0)), flat(0.5), 20, 1.0, 0.0)
    assert_close(made, flat(1.0))


def test_the_size_does_not_weigh_the_content() -> None:
    """Nor does the scale of the network's maps."""
    small, large = (ContentAndStyle(Copies(), flat(1.0, side=s), flat(3.0))(flat(2.0, side=s)) for s in (2, 8))
    assert_close(small.content, large.content)
    assert_close(small.style, large.style)

    class Larger(Copies):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return super().forward(100 * images)

    assert_close(tuple(ContentAndStyle(Larger(), flat(1.0), flat(3.0))(flat(2.0))), tuple(small))


def test_style_by_random_weights() -> None:
    """Towards a style of stripes: the Gram matrices come near, and the weights stay as they are."""
    vgg = VGG(LAYERS, weights="random", width=8, pooling="average")
    stripes = (torch.arange(32) % 8 < 4).float().sub(0.5).expand(1, 3, 32, 32)
    photo = torch.linspace(-0.5, 0.5, 32).view(1, 1, 32, 1).expand(1, 3, 32, 32)
    before = [buffer.clone() for buffer in vgg.buffers()]
    likeness = ContentAndStyle(vgg, photo, stripes)
    made = optimise(likeness, photo, 30, 1.0, 1e4)
    assert float(likeness(made).style) < 0.1 * float(likeness(photo).style)
    assert float(likeness(photo).content) == 0.0
    assert all(torch.equal(one, other) for one, other in zip(before, vgg.buffers(), strict=True))
