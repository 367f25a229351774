"""From the bytes of an image file to one array of the store: decoding, and fitting to a fixed shape.

Everything here is Pillow and numpy. Resampling is Lanczos with antialiasing: Pillow widens the filter when it shrinks
an image; filters that do not are what Parmar et al. 2022, arXiv:2104.11222, found to distort statistics.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gan_lab.errors import GanLabError

FITS = ("crop", "pad", "stretch")
MAX_PIXELS = 64_000_000
MODES = {1: "L", 3: "RGB"}
FORMATS = tuple("PNG JPEG WEBP GIF BMP DIB TIFF PPM JPEG2000 AVIF QOI ICO PCX SGI SUN DDS PSD TGA".split())
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
GRAY = ("1", "L", "LA", "La")
_STRANGERS = {
    b"version https://git-lfs": "a Git LFS pointer; git lfs pull fetches the image",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<?xml": "XML",
    b"<svg": "an SVG drawing",
    b"%pdf": "a PDF",
    b"%!ps": "PostScript",
    b"pk\3\4": "a zip; unpack it",
    b"\x1f\x8b": "gzip; unpack it",
}


NUMBERS = (
    "save them with 8 or 16 bits, or as the numbers that they are in an npz: dataset=arrays, "
    "where dataset.reader.range=[BLACK,WHITE] says what is black and white"
)


class ImageError(GanLabError):
    """One image that cannot be read; the message is the reason, without the name of the file, and `advice` what would
    work."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


def decode(data: bytes | Path, channels: int | None = None) -> Image.Image:
    """The image in `data` (file contents, or a path), upright, in mode L (`channels` 1) or RGB (3).

    Without `channels` a gray file stays gray and everything else becomes RGB. EXIF rotation is applied, transparency is
    composited on white, 16-bit gray is scaled to 8 bits; of an animation the first frame counts, of a file of several
    pages the first. The size is taken from the header, and more than MAX_PIXELS is refused before a pixel is decoded.
    Only FORMATS are tried, whatever the file's name says: some of Pillow's others run programs (EPS), and float pixels
    have no agreed range. Raises ImageError with the reason.
    """
    with opened(data) as image:
        image.load()
        return to_channels(upright(image), channels)


@contextmanager
def opened(data: bytes | Path) -> Iterator[Image.Image]:
    """The image in `data`, of which the header was read and the size is one to be borne. What a decoder stumbles over
    in here becomes an ImageError with the reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks about odd but readable metadata
            with Image.open(BytesIO(data) if isinstance(data, bytes) else data, formats=_formats()) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"{image.width}x{image.height} is more than {MAX_PIXELS // 1_000_000} megapixels")
                yield image
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_not_an_image(data)) from None
    except Image.DecompressionBombError:
        raise ImageError(f"more than {MAX_PIXELS // 1_000_000} megapixels") from None
    except Exception as error:  # a decoder that is fed damaged bytes raises whatever it likes
        raise ImageError(f"damaged ({_first_line(error)})") from error


def is_gray(stream: IO[bytes]) -> bool | None:
    """Whether the image that `stream` begins is gray as `decode` has it; None if it is no image. Reads the header."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=_formats()) as image:
                return image.mode in GRAY or image.mode.startswith("I")
    except Exception:  # `decode` will say what is wrong with it
        return None


def to_channels(image: Image.Image, channels: int | None = None) -> Image.Image:
    """`image` in mode L or RGB as `channels` asks; None keeps gray gray.

    Raises ImageError for pixels that have no agreed range: floats, and integers beyond 16 bits.
    """
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    elif image.mode == "F":
        raise ImageError("floating-point pixels have no agreed range", NUMBERS)
    if image.has_transparency_data:
        gray = image.mode in GRAY
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("L" if gray else "RGB")
    mode = MODES[channels] if channels else ("L" if image.mode in GRAY else "RGB")
    if image.mode not in (mode, "RGB", *GRAY):  # gray is the gray of the colours that one would see
        image = image.convert("RGB")
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
    image = _in_mode(image, channels)
    if image.size != (width, height):
        image = {"crop": _crop, "pad": _pad, "stretch": _stretch}[how](image, width, height)
    return _array(image)


def pixels(image: Image.Image | NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """`image` (Pillow, or uint8 `(C, H, W)`) as uint8 of its own size in so many channels."""
    return _array(_in_mode(image, channels))


def _in_mode(image: Image.Image | NDArray[np.uint8], channels: int) -> Image.Image:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[0] if image.shape[0] == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))
    return to_channels(image, channels)


def _array(image: Image.Image) -> NDArray[np.uint8]:
    """`(C, H, W)`."""
    array: NDArray[np.uint8] = np.asarray(image)
    return np.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))


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


@cache
def _formats() -> list[str]:
    """FORMATS without those that this Pillow was built without."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def upright(image: Image.Image) -> Image.Image:
    """`image`, which is loaded, as its EXIF orientation (1 to 8) says it was held."""
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:  # a picture with damaged metadata is a picture
        return image
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit gray image (Pillow's I;16 family, or I) scaled from 0..65535 to 0..255; a transparent gray is white."""
    values: NDArray[Any] = np.asarray(image).astype(np.int64)
    if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        raise ImageError("gray values beyond 16 bits", NUMBERS)
    scaled = (values * 255 + 32767) // 65535
    if "transparency" in image.info:
        scaled[values == image.info["transparency"]] = 255
    return Image.fromarray(scaled.astype(np.uint8))


def _not_an_image(data: bytes | Path) -> str:
    """Why `data` is not one, where its first bytes tell."""
    if isinstance(data, bytes):
        start = data[:64]
    else:
        with data.open("rb") as file:
            start = file.read(64)
    if not start:
        return "not an image (empty)"
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return "not an image that is read (HEIC; save it as JPEG)"
    words = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    kind = next((kind for mark, kind in _STRANGERS.items() if words.startswith(mark)), None)
    return f"not an image ({kind})" if kind else "not an image"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
