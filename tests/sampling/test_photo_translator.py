"""What a run makes of photos: by what it was trained on, with everything that a photo has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gan_lab.data.photo import Photo
from gan_lab.errors import ConfigError
from gan_lab.sampling.bleed import bleed
from gan_lab.sampling.photo_translator import PhotoTranslator
from gan_lab.sampling.sampler import Sampler
from gan_lab.sampling.translate import translate
from tests.sampling.stand_ins import Converter, Noisy
from tests.sampling.test_any_size import Short
from tests.sampling.test_tiles import stack

DEGRADATIONS = {name: f"gan_lab.degradations.{name}.{name.title()}" for name in ("downscale", "gray", "mask", "edges")}


class Copy(nn.Module):
    """The first `channels` of its input, `scale` times as large; remembers what it was given."""

    def __init__(self, channels: int = 3, scale: int = 1) -> None:
        super().__init__()
        self.channels, self.scale = channels, scale

    def forward(self, images: Tensor) -> Tensor:
        self.given = images
        made = images[:, : self.channels].expand(-1, self.channels, -1, -1)
        return made.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)


def config(degradation: str | None = None, channels: int = 3, scale: int = 1, **dataset: Any) -> dict[str, Any]:
    inputs = {"gray": 1, "edges": 1, "mask": channels + 1}.get(degradation or "", channels)
    node = {"_target_": DEGRADATIONS[degradation]} if degradation else None
    shapes = {"image": [channels, 8 * scale, 8 * scale], "input": [inputs, 8, 8]}
    return {"dataset": dataset, "degradation": node, "shapes": shapes}


def copying(degradation: str | None = None, channels: int = 3, scale: int = 1, **settings: Any) -> PhotoTranslator:
    return PhotoTranslator(Converter(Copy(channels, scale)), config(degradation, channels, scale), **settings)


def noise(*shape: int, dtype: Any = np.uint8) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def given(translator: PhotoTranslator) -> Tensor:
    found: Tensor = translator.sampler.network.given  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("degradation", [None, "downscale"])
def test_every_number_comes_back_at_its_depth(dtype: Any, degradation: str | None) -> None:
    """All 65536 of 16 bits, whatever the size; a picture is what its degradation has left."""
    photo = Photo(np.arange(256 if dtype == np.uint8 else 65536, dtype=dtype).reshape(16, -1, 1).repeat(3, 2))
    made = copying(degradation)(photo)
    assert made.colours.dtype == dtype
    assert np.array_equal(made.colours, photo.colours)
    translator = copying(degradation)
    translator(photo)
    assert (float(given(translator).min()), float(given(translator).max())) == (-1, 1)


def test_transparency_is_kept_and_grows_with_the_picture() -> None:
    alpha = noise(6, 7, dtype=np.uint16)
    photo = Photo(noise(6, 7, 3, dtype=np.uint16), alpha, b"profile")
    same = copying()(photo)
    assert same.alpha is alpha
    assert same.profile == b"profile"
    flat = photo._replace(alpha=np.full((6, 7), 12345, np.uint16))
    larger = copying("downscale", scale=2)(flat)
    assert larger.size == (12, 14)
    assert larger.alpha is not None
    assert larger.alpha.dtype == np.uint16
    assert (larger.alpha == 12345).all()


def test_colours_that_nobody_sees_do_not_matter() -> None:
    """Each takes the mean of what is seen in the smallest square around it."""
    colours, alpha = (
        torch.tensor([[[0.0, 0.2, 9, 9], [0.4, 9, 9, 9]]]),
        torch.tensor([[[1.0, 1, -1, -1], [0, -1, -1, -1]]]),
    )
    assert bleed(colours, alpha)[0].tolist() == [pytest.approx([0, 0.2, 0.2, 0.2]), pytest.approx([0.4, 0.2, 0.2, 0.2])]
    nothing = torch.full_like(alpha, -1)
    assert bleed(colours, nothing) is colours
    odd = bleed(torch.rand(3, 13, 5), (torch.rand(1, 13, 5) > 0.9).float() * 2 - 1)
    assert odd.shape == (3, 13, 5)
    values, hidden = noise(9, 11, 3), noise(9, 11, 3)
    seen = np.zeros((9, 11), np.uint8)
    seen[2:5, 3:6] = 255
    hidden[seen > 0] = values[seen > 0]
    one, two = copying(), copying()
    one(Photo(values, seen))
    two(Photo(hidden, seen))
    assert torch.equal(given(one), given(two))


@pytest.mark.parametrize(
    ("degradation", "scale", "channels"),
    [("downscale", 2, 1), (None, 2, 1), (None, 1, 3), ("gray", 1, 3), ("edges", 1, 3)],
)
def test_gray_stays_gray_where_a_picture_is_made_better(degradation: str | None, scale: int, channels: int) -> None:
    """Where another is made of it, colours are what was asked for."""
    translator = copying(degradation, scale=scale)
    made = translator(Photo(noise(6, 8, 1), None, b"gray"))
    assert made.colours.shape == (6 * scale, 8 * scale, channels)
    assert made.profile == (b"gray" if channels == 1 else None)
    assert given(translator).shape[1] == translator.input[0]


def test_a_run_that_knows_gray_alone_is_given_gray() -> None:
    colours = noise(6, 8, 3)
    for translator in (copying(channels=1), copying("gray")):
        made = translator(Photo(colours))
        expected = np.rint(colours @ np.array([0.299, 0.587, 0.114]))
        assert np.abs(made.colours[..., 0] - expected).max() <= 1
    assert made.colours.shape == (6, 8, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_not_missing_stays_as_it_is(channels: int) -> None:
    photo = Photo(noise(6, 8, channels, dtype=np.uint16))
    hole = noise(6, 8) > 128

    class Black(Copy):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images) * 0 - 1

    translator = PhotoTranslator(Converter(Black()), config("mask"))
    made = translator(photo, hole)
    assert np.array_equal(made.colours, np.where(hole[..., None], 0, photo.colours))
    assert given(translator).shape == (1, 4, 6, 8)
    assert torch.equal(given(translator)[0, 3].bool(), torch.from_numpy(hole))
    assert not given(translator)[0, :3, hole].any()


def test_masks_that_do_not_go_with_the_run_or_the_picture() -> None:
    photo = Photo(noise(6, 8, 3))
    with pytest.raises(ConfigError, match=r"^mask: missing; this run fills holes: mask=MASK.png"):
        copying("mask")(photo)
    with pytest.raises(ConfigError, match="^mask: this run was not trained to fill holes"):
        copying()(photo, np.zeros((6, 8), bool))
    with pytest.raises(ConfigError, match="^mask: is 6x8, and the picture 8x6$"):
        copying("mask")(photo, np.zeros((8, 6), bool))


class Both(Converter):
    """Nothing but gray one way, and its negative the other."""

    directions = ("a2b", "b2a")

    def of(self, direction: str) -> Sampler:
        return Converter(nn.Threshold(2, 0) if direction == "a2b" else Negative())


class Negative(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return -images


@pytest.mark.parametrize("turned", [False, True])
def test_both_ways(turned: bool) -> None:
    """In the words of the data, which may have been turned; the shapes of input and image go with them."""
    settings = config(direction="b2a" if turned else "a2b")
    settings["shapes"] = {"input": [1, 8, 8], "image": [3, 8, 8]}
    own, other = ("b2a", "a2b") if turned else ("a2b", "b2a")
    photo = Photo(noise(6, 8, 3))
    gray = PhotoTranslator(Both(nn.Identity()), settings, own)
    assert (gray.input[0], gray.image[0]) == (1, 3)
    assert (gray(photo).colours == 128).all()
    assert (PhotoTranslator(Both(nn.Identity()), settings)(photo).colours == 128).all()
    negative = PhotoTranslator(Both(nn.Identity()), settings, other)
    assert np.array_equal(negative(photo).colours, 255 - photo.colours)
    with pytest.raises(ConfigError, match=f"^direction=up: this run goes {own} and {other}$"):
        PhotoTranslator(Both(nn.Identity()), settings, "up")
    with pytest.raises(ConfigError, match=f"^direction={other}: this run goes {own}$"):
        PhotoTranslator(Converter(nn.Identity()), settings, other)


class Pure(Converter):
    takes = frozenset({"codes"})


class Captioned(Converter):
    takes = frozenset({"input", "caption"})


def test_runs_that_take_no_pictures() -> None:
    with pytest.raises(ConfigError, match="^run: makes images from noise and takes no pictures"):
        PhotoTranslator(Pure(nn.Identity()), config())
    with pytest.raises(ConfigError, match="^run: makes images from captions"):
        PhotoTranslator(Captioned(nn.Identity()), config())
    with pytest.raises(ConfigError, match="^run: does not say what its inputs were"):
        PhotoTranslator(Converter(nn.Identity()), {"dataset": {}})


def test_tiles_are_of_the_run() -> None:
    whole = PhotoTranslator(
        Converter(stack(2)), config(None, 2, 2) | {"shapes": {"input": [2, 8, 8], "image": [3, 16, 16]}}
    )
    assert whole.scale == 2
    with pytest.raises(ConfigError, match="channels"):
        whole(Photo(noise(6, 8, 3)))
    tiled = copying(tile=24, overlap=4)
    made = tiled(Photo(photo := noise(50, 61, 3)))
    assert np.array_equal(made.colours, photo)
    assert given(tiled).shape == (1, 3, 24, 24)
    short = PhotoTranslator(Short(Copy(), 31**2), config())
    assert np.array_equal(short(Photo(photo)).colours, photo)
    assert short.sampler.tile == 30


def test_a_label_and_a_seed_go_along() -> None:
    class Asking(Noisy):
        num_classes = 3
        takes = frozenset({"input", "codes", "label"})

        def drawn(self, request: Any) -> Any:
            self.request = request
            return super().drawn(request)

    sampler = Asking(Copy())
    PhotoTranslator(sampler, config())(Photo(noise(6, 8, 3)), label=2, seed=7)
    assert sampler.request.label.tolist() == [2]
    assert sampler.request.seed == 7


def test_pictures_come_back_as_they_are_given() -> None:
    """Tensors, arrays, Pillow's images; one, or many of many sizes."""
    tensors = torch.rand(2, 3, 5, 7) * 2 - 1
    assert torch.equal(translate(copying(), tensors, None, None, 0), tensors)
    assert torch.equal(translate(copying(), tensors[0], None, None, 0), tensors[0])
    arrays = [noise(5, 7, 3), noise(3, 2, 4, dtype=np.uint16), noise(4, 4)]
    for made, array in zip(translate(copying("downscale"), arrays, None, None, 0), arrays, strict=True):
        assert made.dtype == array.dtype
        assert np.array_equal(made, array)
    for mode in ("L", "RGB", "RGBA", "LA"):
        image = Image.fromarray(noise(5, 7, 3)).convert(mode)
        made = translate(copying("downscale"), image, None, None, 0)
        assert made.mode == mode
        assert np.array_equal(np.asarray(made), np.asarray(image))
    hole = noise(5, 7) > 128
    for mask in (hole, Image.fromarray(hole), hole.astype(np.float32)):
        assert np.array_equal(translate(copying("mask"), arrays[0], mask, None, 0)[~hole], arrays[0][~hole])
    filled = translate(copying("mask"), tensors[:, :, :5, :7], torch.from_numpy(np.stack([hole, ~hole])), None, 0)
    assert torch.equal(filled[0][:, ~hole], tensors[0][:, ~hole])
    assert torch.equal(filled[1][:, hole], tensors[1][:, hole])


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        (np.zeros((4, 4, 3)), None, "^images: arrays .* and not float64"),
        ("x.png", None, "^images: arrays .* and not str"),
        (np.zeros((4, 4, 5), np.uint8), None, "^images: 5 channels"),
        (torch.zeros(4, 4), None, "^images: a tensor is"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), None, "^images: a tensor is"),
        ([np.zeros((4, 4, 3), np.uint8)], [], "^mask: 0 of them for 1 images"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 1)), "^mask: has the shape"),
        (torch.zeros(1, 3, 4, 4), torch.zeros(1, 4, 4), "^mask: not wanted"),
    ],
)
def test_what_is_no_picture(images: Any, masks: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        translate(copying(), [images] if isinstance(images, str) else images, masks, None, 0)
