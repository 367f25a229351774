"""The shapes that a dataset is asked for: of images, of inputs, of what is cut out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from gan_lab.data.sources.images import MODES
from gan_lab.data.sources.source import Source
from gan_lab.errors import ConfigError

AUTO: Literal["auto"] = "auto"
Sides = tuple[int, int, int]
Shape = tuple[int | Literal["auto"], int, int]


class Window(NamedTuple):
    """What is cut out of a picture: `height` and `width` in pixels, at a corner that is a whole number of `step`s."""

    height: int
    width: int
    step: int


def check_image_shape(image_shape: Sequence[int | str], channels: int | str | None, source: Source | None) -> Shape:
    """`image_shape` with `channels` in the place of `auto`. Raises ConfigError for a shape that cannot be."""
    if channels not in (None, AUTO, *MODES) or isinstance(channels, bool):
        raise ConfigError(f"dataset.channels={channels}: 1 (gray), 3 (colour) or auto")
    sides: Any = _sides(image_shape)
    if isinstance(channels, int) and len(sides) == 3:
        if sides[0] not in (AUTO, channels):
            raise ConfigError(
                f"dataset.channels={channels}: dataset.image_shape={image_shape} has {sides[0]}; give one"
            )
        sides = (channels, *sides[1:])
    own = None if source is None else source.shape
    if own is not None and sides != own:
        raise ConfigError(f"dataset.image_shape={image_shape}: this dataset has {list(own)} and no other")
    first = (own[0],) if own is not None else (AUTO, *MODES)
    if len(sides) != 3 or not _are_whole(sides[1:]) or sides[0] not in first or isinstance(sides[0], (bool, float)):
        raise ConfigError(
            f"dataset.image_shape={image_shape}: [channels, height, width] with 1 or 3 channels (or auto), "
            "e.g. [3,64,64]"
        )
    return sides  # type: ignore[no-any-return]


def check_input_shape(shape: Sequence[int] | None) -> Sides | None:
    """Raises ConfigError for a shape that no picture has."""
    if shape is None:
        return None
    sides = _sides(shape)
    if len(sides) != 3 or not _are_whole(sides) or sides[0] not in MODES:
        raise ConfigError(
            f"dataset.input_shape={shape}: [channels, height, width] with 1 or 3 channels, e.g. [3,32,32], or null"
        )
    return sides[0], sides[1], sides[2]


def check_crop(crop: Sequence[int] | None) -> tuple[int, int] | None:
    """Raises ConfigError for what is no height and width."""
    if crop is None:
        return None
    sides = _sides(crop)
    if len(sides) != 2 or not _are_whole(sides):
        raise ConfigError(f"dataset.crop={crop}: [height, width] in pixels of the image, e.g. [32,32], or null")
    return sides[0], sides[1]


def windows(
    crop: Sequence[int] | None, image: Sequence[int], other: Sequence[int] | None
) -> tuple[Window | None, Window | None, tuple[int, int] | None]:
    """What is cut out of images of the shape `image`, the matching part of inputs of the shape `other`, and at how many
    places (rows, columns) it may lie. Where one of the two is larger by a whole factor, corners lie on the pixels of
    the smaller. None where nothing is cut. Raises ConfigError where nothing matches."""
    if crop is None:
        return None, None, None
    height, width = crop
    if height > image[1] or width > image[2]:
        raise ConfigError(f"dataset.crop={[*crop]}: larger than the images, {image[1]}x{image[2]}")
    if other is None:
        return Window(height, width, 1), None, (image[1] - height + 1, image[2] - width + 1)
    larger, smaller = (image, other) if image[1] >= other[1] else (other, image)
    factor = larger[1] // smaller[1]
    if [factor * side for side in smaller[1:]] != [*larger[1:]]:
        raise ConfigError(
            f"dataset.crop={[*crop]}: inputs of {other[1]}x{other[2]} have no part that matches one of images of "
            f"{image[1]}x{image[2]}; one must be larger by a whole factor (dataset.input_shape)"
        )
    if larger is image and (height % factor or width % factor):
        raise ConfigError(f"dataset.crop={[*crop]}: must be multiples of {factor}, as inputs are smaller by that")
    scale = (1, factor) if larger is image else (factor, 1)  # of the input: multiplied, divided
    matching = Window(height * scale[0] // scale[1], width * scale[0] // scale[1], scale[0])
    places = (smaller[1] - min(height, matching.height) + 1, smaller[2] - min(width, matching.width) + 1)
    return Window(height, width, scale[1]), matching, places


def cut_shape(shape: Sides, window: Window | None) -> Sides:
    """The shape of what is cut out of pictures of this shape."""
    return shape if window is None else (shape[0], window.height, window.width)


def _sides(given: Any) -> tuple[Any, ...]:
    """As a tuple; an empty one for what has no sides."""
    try:
        return tuple(given)
    except TypeError:
        return ()


def _are_whole(sides: Sequence[Any]) -> bool:
    return all(type(side) is int and side > 0 for side in sides)
