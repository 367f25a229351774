"""Pictures of sizes of their own on one canvas, against torch on each alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad
from torch.testing import assert_close

from gan_lab.degradations.canvas import MODES, Canvas, filtered, mirror, resized, whole_canvas

SIZES = ((7, 11), (20, 30), (33, 5))


def canvas() -> tuple[Canvas, list[Tensor]]:
    """Three pictures, and nonsense around them."""
    torch.manual_seed(0)
    pictures = [torch.rand(3, height, width) for height, width in SIZES]
    values = torch.full((3, 3, 36, 32), 99.0)
    for place, picture in zip(values, pictures, strict=True):
        place[:, : picture.shape[1], : picture.shape[2]] = picture
    height, width = torch.tensor(SIZES).T[:, :, None]
    return Canvas(values, height, width), pictures


@pytest.mark.parametrize("mode", range(3))
def test_each_is_resized_as_torch_does_it(mode: int) -> None:
    given, pictures = canvas()
    sizes = ((19, 6), (20, 30), (8, 15))
    height, width = torch.tensor(sizes).T[:, :, None]
    found = resized(given, height, width, (24, 30), torch.tensor([mode] * 3).view(3, 1, 1))
    assert found.values.shape == (3, 3, 24, 30)
    aligned = {} if MODES[mode] == "area" else {"align_corners": False}
    for picture, made, (h, w) in zip(pictures, found.values, sizes, strict=True):
        expected = interpolate(picture[None], (h, w), mode=MODES[mode], **aligned)  # type: ignore[arg-type]
        assert_close(made[:, :h, :w], expected[0], atol=1e-5, rtol=0)


def test_each_has_its_own_mode() -> None:
    picture = torch.rand(1, 1, 8, 8).expand(3, 1, 8, 8)
    half = torch.full((3, 1), 5)
    found = resized(whole_canvas(picture), half, half, (5, 5), torch.arange(3).view(3, 1, 1)).values
    assert not torch.allclose(found[0], found[1])
    assert not torch.allclose(found[1], found[2])


def test_each_is_filtered_within_its_own_edges() -> None:
    given, pictures = canvas()
    kernels = torch.rand(3, 5, 5)
    found = filtered(given, kernels)
    for picture, made, kernel in zip(pictures, found.values, kernels, strict=True):
        expected = conv2d(pad(picture[:, None], (2, 2, 2, 2), mode="reflect"), kernel[None, None])[:, 0]
        assert_close(made[:, : picture.shape[1], : picture.shape[2]], expected)


def test_a_mirror_repeats_as_often_as_it_takes() -> None:
    found = mirror(12, 4, torch.tensor([[1], [2], [4]]))
    assert found.tolist() == [[0] * 12, [0, 1] * 6, [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]]


def test_the_edge_goes_on() -> None:
    given, pictures = canvas()
    assert given.within().sum((1, 2, 3)).tolist() == [height * width for height, width in SIZES]
    for picture, made in zip(pictures, given.extended(), strict=True):
        height, width = picture.shape[1:]
        grown = pad(picture[None], (0, 32 - width, 0, 36 - height), mode="replicate")[0]
        assert torch.equal(made, grown)
