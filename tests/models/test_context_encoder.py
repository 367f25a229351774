"""Context encoders: the paper's layers counted by hand, and what is made of which part of the picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.config import build
from gan_lab.errors import ConfigError
from gan_lab.layers.hole import Drafts, middle
from gan_lab.models.context_encoder import Discriminator, Generator
from tests.compose import composed

SHAPES = {"image_shape": [1, 32, 32], "input_shape": [2, 32, 32]}


def test_the_papers_layers() -> None:
    """128 pixels in colour: down by 64, 64, 128, 256, 512 to 4000, up by 512, 256, 128, 64 to the 64 in the middle."""

    def layer(one: int, two: int, normalised: bool = True) -> int:
        return 16 * one * two + two + 2 * two * normalised

    encoder = layer(3, 64, False) + layer(64, 64) + layer(64, 128) + layer(128, 256) + layer(256, 512)
    decoder = layer(4000, 512) + layer(512, 256) + layer(256, 128) + layer(128, 64) + layer(64, 3, False)
    critic = layer(3, 64, False) + layer(64, 128) + layer(128, 256) + layer(256, 512) + layer(512, 1, False)
    with torch.device("meta"):
        generator, discriminator = Generator([3, 128, 128], [4, 128, 128]), Discriminator([3, 128, 128])
        input = torch.empty(2, 4, 128, 128)
        assert generator(input, drafts=True).fine.shape == (2, 3, 64, 64)
        assert discriminator(input[:, :3]).scores.shape == (2, 1, 1, 1)
    assert sum(p.numel() for p in generator.parameters()) == encoder + layer(512, 4000) + decoder
    assert sum(p.numel() for p in discriminator.parameters()) == critic


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator([3, 32, 32], [4, 32, 32], width=4, bottleneck=16).eval()


def input_with(rows: slice) -> Tensor:
    torch.manual_seed(1)
    images, mask = torch.rand(2, 3, 32, 32) * 2 - 1, torch.zeros(2, 1, 32, 32)
    mask[:, :, rows, rows] = 1
    return torch.cat((images * (1 - mask), mask), 1)


@torch.no_grad()
def test_what_is_missing_in_the_middle_is_made(generator: Generator) -> None:
    input = input_with(slice(9, 23))
    drafts = generator(input, drafts=True)
    assert isinstance(drafts, Drafts)
    assert torch.equal(drafts.image, generator(input))
    hole = (input[:, 3:] == 1).expand(-1, 3, -1, -1)
    assert torch.equal(drafts.image[~hole], input[:, :3][~hole])
    assert torch.equal(middle(drafts.image, 14, 14), middle(drafts.fine, 14, 14))
    assert not torch.equal(middle(drafts.image, 16, 16), drafts.fine)  # the band is known


@torch.no_grad()
def test_what_is_missing_elsewhere_stays_missing(generator: Generator) -> None:
    input = input_with(slice(4, 28))
    image = generator(input)
    assert torch.equal(middle(image, 16, 16), generator(input, drafts=True).fine)
    image[..., 8:24, 8:24] = input[:, :3, 8:24, 8:24]
    assert torch.equal(image, input[:, :3])


def test_its_discriminator_sees_the_middle() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator([1, 16, 16], width=4).eval()
    images = torch.rand(2, 1, 16, 16, requires_grad=True)
    discriminator(images).scores.sum().backward()
    assert images.grad is not None
    seen = images.grad.abs().sum((0, 1)) > 0
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[4:12, 4:12] = True
    assert torch.equal(seen, expected)


@pytest.mark.parametrize("size", [(8, 8), (24, 24), (32, 64), (28, 28)])
def test_sizes_that_do_not_halve_down_to_4(size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=f"images of {size[0]}x{size[1]}; a context encoder takes squares of 16, 32"):
        Generator([3, *size], [4, *size])


@pytest.mark.parametrize("hole", [None, {}, {"kind": "box", "largest": 0.5, "centred": True}, {"kind": None}])
def test_holes_within_the_middle(hole: dict[str, Any] | None) -> None:
    Generator([1, 16, 16], [2, 16, 16], width=2, bottleneck=4, hole=hole)


@pytest.mark.parametrize(
    ("hole", "told"),
    [
        ({"kind": "box", "largest": 0.51, "centred": True}, "centred, of kind box, up to 0.51 of a side"),
        ({"kind": "box", "largest": 0.25, "centred": False}, "anywhere, of kind box, up to 0.25"),
        ({"kind": "strokes", "largest": 0.25, "centred": True}, "of kind strokes"),
    ],
)
def test_holes_beyond_it_are_refused(hole: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^degradation: a context encoder makes the middle, 0.5 .*{told}"):
        Generator([1, 16, 16], [2, 16, 16], hole=hole)


def test_the_configuration_tells_it_of_the_hole() -> None:
    words = ("model=context_encoder", "dataset.image_shape=[1,32,32]")
    with pytest.raises(ConfigError, match="degradation.largest=0.5 at most, or model=deepfill"):
        build(composed(*words, "degradation.largest=0.75")["model"]["generator"] | SHAPES, "model.generator")


@pytest.mark.parametrize("size", [(32, 30), (64, 64), (7, 32)])
def test_an_input_of_another_size_is_told_which_it_takes(size: tuple[int, int]) -> None:
    """Also of one that convolutions alone would take."""
    told = f"^input: {size[1]}x{size[0]} pixels, and this context encoder takes 32x32 alone"
    with pytest.raises(ConfigError, match=told):
        Generator(**SHAPES, width=4, bottleneck=8)(torch.zeros(1, 2, *size))
