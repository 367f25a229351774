"""From the bytes of an image file to one array of the store: decoding, and fitting to a fixed shape.

Everything here is Pillow and numpy. Resampling is Lanczos with antialiasing: Pillow widens the filter when it shrinks
an image; filters that do not are what Parmar et al. 2022, arXiv:2104.11222, found to distort statistics.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from gan_lab.errors import GanLabError

FITS = ("crop", "pad", "stretch")
MAX_PIXELS = 64_000_000
MODES = {1: "L", 3: "RGB"}


class ImageError(GanLabError):
    """One image that cannot be read; the message is the reason, without the name of the file."""


def decode(data: bytes | Path, channels: int | None = None) -> Image.Image:
    """The image in `data` (file contents, or a path), upright, in mode L (`channels` 1) or RGB (3).

    Without `channels` a gray file stays gray and everything else becomes RGB. EXIF rotation is applied, transparency is
    composited on white, 16-bit gray is scaled to 8 bits; of an animation the first frame counts. The size is taken
    from the header, and more than MAX_PIXELS is refused before a pixel is decoded. Raises ImageError with the reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks about odd but readable metadata
            with Image.open(BytesIO(data) if isinstance(data, bytes) else data) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{image.width}x{image.height} is more than {MAX_PIXELS // 1_000_000} megapixels")
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                return to_channels(image, channels)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError("not an image") from None
    except Image.DecompressionBombError:
        raise ImageError(f"more than {MAX_PIXELS // 1_000_000} megapixels") from None
    except Exception as error:  # a decoder that is fed damaged bytes raises whatever it likes
        raise ImageError(f"damaged ({_first_line(error)})") from error


def to_channels(image: Image.Image, channels: int | None = None) -> Image.Image:
    """`image` in mode L or RGB as `channels` asks; None keeps gray gray. Raises ImageError for float pixels."""
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    elif image.mode == "F":
        raise ImageError("floating-point pixels have no agreed range")
    if image.has_transparency_data:
        gray = image.mode in ("1", "L", "LA", "La")
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("L" if gray else "RGB")
    mode = MODES[channels] if channels else ("L" if image.mode in ("1", "L", "LA") else "RGB")
    return image if image.mode == mode else image.convert(mode)


def fit(image: Image.Image | NDArray[np.uint8], shape: Sequence[int], how: str) -> NDArray[np.uint8]:
    """`image` (Pillow, or uint8 `(C, H, W)`) as uint8 of exactly `shape` = `(C, H, W)`.

    crop: scaled so that it covers, the centre kept. pad: scaled so that it fits, centred on black. stretch: each side
    on its own. An image that has the size already is copied bit for bit; crop and pad do not resample where the scale
    is 1. Raises ValueError for another `how`.
    """
    if how not in FITS:
        raise ValueError(f"fit={how!r} is none of {', '.join(FITS)}")
    channels, height, width = shape
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[0] if image.shape[0] == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
    image = to_channels(image, channels)
    if image.size != (width, height):
        image = {"crop": _crop, "pad": _pad, "stretch": _stretch}[how](image, width, height)
    pixels: NDArray[np.uint8] = np.asarray(image)
    return np.ascontiguousarray(pixels[None] if channels == 1 else pixels.transpose(2, 0, 1))


def _stretch(image: Image.Image, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _crop(image: Image.Image, width: int, height: int) -> Image.Image:
    scale = max(width / image.width, height / image.height)
    if scale == 1:
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))
    kept_w, kept_h = min(width / scale, image.width), min(height / scale, image.height)
    left_f, top_f = (image.width - kept_w) / 2, (image.height - kept_h) / 2
    box = (left_f, top_f, left_f + kept_w, top_f + kept_h)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _pad(image: Image.Image, width: int, height: int) -> Image.Image:
    scale = min(width / image.width, height / image.height)
    inner = (max(1, min(width, round(image.width * scale))), max(1, min(height, round(image.height * scale))))
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.LANCZOS)
    canvas = Image.new(image.mode, (width, height))
    canvas.paste(image, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit gray image (Pillow's I;16 family, or I) scaled from 0..65535 to 0..255."""
    values: NDArray[Any] = np.asarray(image).astype(np.int64)
    if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        raise ImageError("gray values beyond 16 bits")
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
