"""A picture as the numbers of its file, with all bits, and what it carries beside its colours.

Training reads pictures in 8 bits and without transparency (`gan_lab.data.sources.images`). Who gives a picture to be
translated wants back what it was: 16 bits, its alpha, its colour profile.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_lab.data.sources.images import GRAY, NUMBERS, ImageError, opened, upright

# The other byte of every number: which of two is the upper one is all that these rawmodes differ in.
OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
ORIENTATION, QUARTER_TURNS = 0x0112, (5, 6, 7, 8)  # EXIF's, and those in which width and height change places
SPACES = {b"GRAY": (1,), b"RGB ": (3,)}  # colour spaces as profiles name them, and the channels that they are for


class Photo(NamedTuple):
    """`colours` `(H, W, 1 or 3)` in uint8 or uint16, `alpha` `(H, W)` of the same type (not multiplied into them) and
    the ICC profile of the colours."""

    colours: NDArray[Any]
    alpha: NDArray[Any] | None = None
    profile: bytes | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.colours.shape[0], self.colours.shape[1]

    @property
    def white(self) -> int:
        """The largest number of its type."""
        return int(np.iinfo(self.colours.dtype).max)


def read_photo(data: bytes | Path) -> Photo:
    """The picture in `data`, upright, its first frame. Gray files stay gray. Raises ImageError with the reason."""
    with opened(data) as image:
        raw = _rawmode(image)
        if raw is not None:
            return _in_sixteen(image, data, raw)
        image.load()
        return of_image(upright(image))


def size_of(data: bytes | Path) -> tuple[int, int]:
    """Height and width of the picture in `data`, held upright, by what stands before its pixels. Raises ImageError."""
    with opened(data) as image:
        turned = image.getexif().get(ORIENTATION) in QUARTER_TURNS
        return (image.width, image.height) if turned else (image.height, image.width)


def of_image(image: Image.Image) -> Photo:
    """An image of Pillow's. Raises ImageError for pixels that have no agreed range."""
    if image.mode.startswith("I"):
        return _gray_sixteen(image)
    if image.mode == "F":
        raise ImageError("floating-point pixels have no agreed range", NUMBERS)
    gray = image.mode in GRAY
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        array = np.asarray(image.convert("RGBA"))
        return _photo(array[..., :1] if gray else array[..., :3], array[..., 3], profile)
    array = np.asarray(image.convert("L" if gray else "RGB"))
    return _photo(array.reshape(*array.shape[:2], -1), None, profile)


def to_image(photo: Photo) -> Image.Image:
    """As Pillow has it, which knows 16 bits of gray without alpha alone: else the upper 8."""
    colours, alpha = photo.colours, photo.alpha
    if colours.dtype == np.uint16 and (colours.shape[2] == 3 or alpha is not None):
        colours, alpha = in_eight(colours), None if alpha is None else in_eight(alpha)
    if alpha is not None:
        colours = np.concatenate((colours, alpha[..., None]), 2)
    image = Image.fromarray(np.ascontiguousarray(colours[..., 0] if colours.shape[2] == 1 else colours))
    if photo.profile:
        image.info["icc_profile"] = photo.profile
    return image


def in_eight(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers of 16 bits in 8, rounded."""
    if values.dtype == np.uint8:
        return values
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _photo(colours: NDArray[Any], alpha: NDArray[Any] | None, profile: Any) -> Photo:
    """With its profile where that is for so many channels: CMYK has become RGB."""
    fits = isinstance(profile, bytes) and colours.shape[2] in SPACES.get(profile[16:20], ())
    return Photo(colours, alpha, profile if fits else None)


def _rawmode(image: Image.Image) -> str | None:
    """How the pixels lie in a file of 16 bits a channel and several channels, of which Pillow keeps the upper 8; None
    for every other. Raises ImageError for one whose channels lie apart, which Pillow misreads."""
    tile = image.tile[0] if getattr(image, "tile", None) else None  # type: ignore[attr-defined]
    if tile is None:
        return None
    if getattr(image, "tag_v2", {}).get(284) == 2 and 16 in image.tag_v2.get(258, ()):  # type: ignore[attr-defined]
        raise ImageError("16-bit channels that lie apart (PlanarConfiguration 2)", "save it with them interleaved")
    raw = tile[3] if isinstance(tile[3], str) else tile[3][0] if tile[3] else ""
    mode, _, order = str(raw).partition(";")
    return str(raw) if raw == "LA;16B" or (mode in ("RGB", "RGBA") and order in OTHER_BYTE) else None


def _in_sixteen(image: Image.Image, data: bytes | Path, raw: str) -> Photo:
    """Pillow decodes it twice, with the one and with the other byte of every number."""
    mode, _, order = raw.partition(";")
    if mode == "LA":  # four bytes a pixel, as RGBA has them
        image._mode = "RGBA"  # type: ignore[attr-defined]
        _reread(image, "RGBA")
        bytes_ = np.asarray(upright(image)).astype(np.uint16)
        return _photo(_joined(bytes_[..., :1], bytes_[..., 1:2]), _joined(bytes_[..., 2], bytes_[..., 3]), _icc(image))
    image.load()
    upper = np.asarray(upright(image))
    with opened(data) as again:
        _reread(again, f"{mode};{OTHER_BYTE[order]}")
        lower = np.asarray(upright(again))
    values = _joined(upper, lower)
    alpha = values[..., 3] if mode == "RGBA" else None
    key = image.info.get("transparency")
    if alpha is None and isinstance(key, tuple):
        alpha = np.where((values == np.array(key)).all(2), 0, 65535).astype(np.uint16)
    return _photo(np.ascontiguousarray(values[..., :3]), alpha, _icc(image))


def _reread(image: Image.Image, raw: str) -> None:
    """Decode it by another rawmode than its own."""
    tiles: list[Any] = image.tile  # type: ignore[attr-defined]
    image.tile = [_with_rawmode(tile, raw) for tile in tiles]  # type: ignore[attr-defined]
    image.load()


def _with_rawmode(tile: Any, raw: str) -> Any:
    """Codec, extents, offset and settings, of which the rawmode is one or the first. A named tuple since Pillow 11."""
    settings = raw if isinstance(tile[3], str) else (raw, *tile[3][1:])
    return tile._replace(args=settings) if hasattr(tile, "_replace") else (*tile[:3], settings)


def _joined(upper: NDArray[Any], lower: NDArray[Any]) -> NDArray[np.uint16]:
    values: NDArray[np.uint16] = upper.astype(np.uint16) << 8 | lower
    return values


def _gray_sixteen(image: Image.Image) -> Photo:
    values: NDArray[Any] = np.asarray(image).astype(np.int64)
    if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        raise ImageError("gray values beyond 16 bits", NUMBERS)
    key = image.info.get("transparency")
    alpha = np.where(values == key, 0, 65535).astype(np.uint16) if isinstance(key, int) else None
    return _photo(values.astype(np.uint16)[..., None], alpha, _icc(image))


def _icc(image: Image.Image) -> Any:
    return image.info.get("icc_profile")
