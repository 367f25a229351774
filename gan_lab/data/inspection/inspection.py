"""What there is to see in a store: how often each class, what the pixels are like, repeats, and sheets of examples."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gan_lab.data.inspection.near_duplicates import Pair
from gan_lab.data.sources.images import MODES, to_channels
from gan_lab.data.store import Store

CHUNK_BYTES = 64 * 1024**2
CELL = 64
SHEET = 10
PAIRS = 20
UNBALANCED = 10


def histogram(store: Store) -> dict[str, int]:
    """Images per class in class order; empty without labels."""
    if store.labels is None or store.classes is None:
        return {}
    counts = np.bincount(store.labels, minlength=len(store.classes))
    return dict(zip(store.classes, counts.tolist(), strict=True))


def balance(counts: Mapping[str, int]) -> tuple[float, list[str]]:
    """The largest class as a multiple of the smallest that has images, and the classes that have none."""
    some = [count for count in counts.values() if count]
    return max(some) / min(some), [name for name, count in counts.items() if not count]


def shows_pictures(store: Store) -> bool:
    """Whether what is stored are pixels in gray or RGB."""
    return store.dtype == "uint8" and store.shape[0] in MODES


def moments(store: Store) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel over all images, with 255 as 1; of float stores as they are.

    Exact up to the last division for uint8.
    """
    if store.dtype != "uint8":
        return _float_moments(store)
    channels = store.shape[0]
    counts = np.zeros((channels, 256), np.int64)
    for _, chunk in store.chunks(CHUNK_BYTES):
        for channel in range(channels):
            counts[channel] += np.bincount(chunk[:, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    weights = counts / counts.sum(axis=1, keepdims=True)
    mean = weights @ levels
    variance = (weights * (levels[None] - mean[:, None]) ** 2).sum(axis=1)
    return mean.tolist(), np.sqrt(variance).tolist()


def _float_moments(store: Store) -> tuple[list[float], list[float]]:
    """In two passes, so that nothing cancels."""
    count = len(store) * store.shape[1] * store.shape[2]
    mean = sum(chunk.sum(axis=(0, 2, 3), dtype=np.float64) for _, chunk in store.chunks(CHUNK_BYTES)) / count
    squares = sum(((chunk - mean[:, None, None]) ** 2).sum(axis=(0, 2, 3)) for _, chunk in store.chunks(CHUNK_BYTES))
    return mean.tolist(), np.sqrt(squares / count).tolist()


def duplicates(store: Store) -> int:
    """How many images are a bit-for-bit repeat of an earlier one."""
    seen = {
        hashlib.blake2b(image, digest_size=16).digest() for _, chunk in store.chunks(CHUNK_BYTES) for image in chunk
    }
    return len(store) - len(seen)


def contact_sheet(store: Store) -> Image.Image:
    """The first ten images of each of the first ten classes, a labelled row each; without labels the first hundred."""
    return _sheet(store, _rows(store))


def pair_sheet(store: Store, pairs: Sequence[Pair]) -> Image.Image:
    """The first PAIRS of `pairs`, a row each: both images, and their indices before them."""
    return _sheet(store, [(f"{a} / {b}", [a, b]) for a, b, _ in pairs[:PAIRS]])


def _sheet(store: Store, rows: list[tuple[str, list[int]]]) -> Image.Image:
    """A row of images for each `(label, indices)`."""
    font = ImageFont.load_default()
    labels = [name.encode("ascii", "replace").decode()[:20] for name, _ in rows]
    margin = max((math.ceil(font.getlength(label)) for label in labels), default=0)
    margin += 8 if margin else 0
    _, height, width = store.shape
    factor = max(1, math.ceil(CELL / max(height, width)))
    shrink = max(1, max(height, width) // (4 * CELL))
    cell_w, cell_h = math.ceil(width / shrink) * factor + 2, math.ceil(height / shrink) * factor + 2
    columns = max(len(indices) for _, indices in rows)
    sheet = Image.new("RGB", (margin + columns * cell_w, len(rows) * cell_h), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (label, (_, indices)) in enumerate(zip(labels, rows, strict=True)):
        draw.text((4, row * cell_h + cell_h // 2), label, fill="black", font=font, anchor=_anchor(font))
        for column, index in enumerate(indices):
            image = _picture(store.images[index]).reduce(shrink)
            image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
            sheet.paste(image, (margin + column * cell_w, row * cell_h))
    return sheet


def _rows(store: Store) -> list[tuple[str, list[int]]]:
    if store.labels is None or store.classes is None:
        indices = list(range(min(len(store), SHEET * SHEET)))
        return [("", indices[start : start + SHEET]) for start in range(0, len(indices), SHEET)]
    return [
        (name, np.flatnonzero(store.labels == label)[:SHEET].tolist())
        for label, name in enumerate(store.classes[:SHEET])
    ]


def _picture(pixels: NDArray[np.uint8]) -> Image.Image:
    array = pixels[0] if pixels.shape[0] == 1 else pixels.transpose(1, 2, 0)
    return to_channels(Image.fromarray(np.ascontiguousarray(array)), 3)


def _anchor(font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str | None:
    """Vertically centred where the font can; Pillow's bitmap fallback knows no anchors."""
    return "lm" if isinstance(font, ImageFont.FreeTypeFont) else None
