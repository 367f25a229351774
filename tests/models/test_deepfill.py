"""DeepFill v2: the authors' layers counted by hand, what stays bit for bit, and what its discriminator sees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.errors import ConfigError
from gan_lab.layers.hole import Drafts
from gan_lab.layers.spectral_norm import SpectralNorm
from gan_lab.models.deepfill import Discriminator, Generator


def gated(*widths: int, first: int = 3, last: int = 3) -> int:
    """Parameters of gated convolutions from `first` channels on, whose widths are those of the code: a gate halves
    them, and the next one sees the half."""
    total, channels = 0, first
    for place, width in enumerate(widths):
        kernel = last if place else 5
        total += kernel * kernel * channels * width + width
        channels = width // 2
    return total


def after(channels: int, *widths: int) -> int:
    """As `gated`, without a first kernel of 5."""
    return gated(*widths, first=channels) - (25 - 9) * channels * widths[0]


def test_the_authors_layers() -> None:
    """Of 256 pixels in colour, as generative_inpainting has them: 4.1 M, as the paper says."""
    decoder = after(96, 96, 96, 48, 24) + (9 * 12 * 3 + 3)
    coarse = gated(48, 96, 96, *[192] * 9, first=5) + decoder
    local = gated(48, 48, 96, 96, *[192] * 6)
    asking = gated(48, 48, 96, *[192] * 3)
    fine = after(96, 192, 192) + after(192, 192, 192) + decoder
    with torch.device("meta"):
        generator, discriminator = Generator([3, 256, 256], [4, 256, 256]), Discriminator([3, 256, 256])
    assert sum(p.numel() for p in generator.parameters()) == coarse + local + asking + fine == 4_052_478
    widths = (4, 64, 128, 256, 256, 256, 256)
    expected = sum(25 * one * two + two for one, two in pairwise(widths))
    assert sum(p.numel() for p in discriminator.parameters()) == expected


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator([3, 32, 48], [4, 32, 48], width=8).eval()


def input_with_holes() -> Tensor:
    torch.manual_seed(1)
    images, mask = torch.rand(2, 3, 32, 48) * 2 - 1, torch.zeros(2, 1, 32, 48)
    mask[0, :, 5:20, 7:30] = 1
    mask[1, :, :9, 40:] = 1
    return torch.cat((images * (1 - mask), mask), 1)


@pytest.mark.parametrize("bf16", [False, True])
def test_known_pixels_stay_bit_for_bit(generator: Generator, bf16: bool) -> None:
    input = input_with_holes()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        image = generator(input)
    known = (input[:, 3:] == 0).expand(-1, 3, -1, -1)
    assert image.dtype == torch.float32
    assert torch.equal(image[known], input[:, :3][known])
    assert (image[~known] != 0).all()
    assert image.abs().max() <= 1


@torch.no_grad()
def test_drafts_are_of_the_whole_picture(generator: Generator) -> None:
    input = input_with_holes()
    drafts = generator(input, drafts=True)
    assert isinstance(drafts, Drafts)
    assert torch.equal(drafts.image, generator(input))
    assert drafts.coarse is not None
    assert drafts.fine.shape == drafts.coarse.shape == drafts.image.shape
    hole = (input[:, 3:] == 1).expand(-1, 3, -1, -1)
    assert torch.equal(drafts.image[hole], drafts.fine[hole])
    assert not torch.equal(drafts.image[~hole], drafts.fine[~hole])


@torch.no_grad()
def test_the_second_network_sees_what_the_first_made_in_the_hole_alone(generator: Generator) -> None:
    input, seen = input_with_holes(), []
    handle = generator.local.register_forward_hook(lambda module, given, made: seen.append(given[0]))
    drafts = generator(input, drafts=True)
    handle.remove()
    hole = (input[:, 3:] == 1).expand(-1, 3, -1, -1)
    assert torch.equal(seen[0], torch.where(hole, drafts.coarse, input[:, :3]))


@torch.no_grad()
def test_the_discriminator_sees_image_and_mask() -> None:
    torch.manual_seed(0)
    discriminator, input = Discriminator([3, 40, 72], width=8).eval(), input_with_holes()
    images, condition = torch.rand(2, 3, 40, 72), torch.zeros(2, 4, 40, 72)
    condition[..., :32, :48] = input
    scores = discriminator(images, condition)
    assert scores.shape == (2, 32, 1, 2)
    blind = torch.cat((torch.rand(2, 3, 40, 72), condition[:, 3:]), 1)
    assert torch.equal(discriminator(images, blind), scores)
    assert not torch.equal(discriminator(images, torch.cat((condition[:, :3], 1 - condition[:, 3:]), 1)), scores)
    assert sum(isinstance(module, SpectralNorm) for module in discriminator.modules()) == 6


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"image_shape": [3, 36, 48], "input_shape": [4, 36, 48]},
            "images of 36x48; both sides must be multiples of 8",
        ),
        ({"input_shape": [3, 32, 48]}, "3x32x48 and 3x32x48; an input is to be the image with a hole"),
        ({"width": 6}, "width=6: must be a multiple of 4"),
    ],
)
def test_what_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Generator(**{"image_shape": [3, 32, 48], "input_shape": [4, 32, 48], "width": 8, **more})


def test_its_discriminator_is_to_be_told_the_mask() -> None:
    with pytest.raises(ConfigError, match="is to be told the mask; leave algorithm.condition=input"):
        Discriminator([3, 16, 16], width=4)(torch.zeros(1, 3, 16, 16))
