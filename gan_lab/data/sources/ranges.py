"""What the numbers of an image array mean: which axis is which, and which value is black and which is white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.errors import ConfigError

LAYOUTS = {"NHW": 3, "NHWC": 4, "NCHW": 4}
CHANNELS = (1, 3, 4)
CHUNK_BYTES = 32 * 1024**2
SLACK = 1e-4


def layout(shape: Sequence[int], given: str | None, where: str) -> str:
    """The order of the axes: NHW, NHWC or NCHW, the one of the last two where the channels are 1, 3 or 4.

    Raises ConfigError, beginning with `where`, for a `given` layout that does not fit and for a shape that could be
    two of them (or is no stack of images).
    """
    if given is not None:
        channels = {"NHWC": shape[-1], "NCHW": shape[1]}.get(given, 1) if len(shape) > 1 else 0
        if LAYOUTS.get(given) != len(shape) or channels not in CHANNELS:
            raise ConfigError(f"{where}: its shape {list(shape)} is not {given} (dataset.reader.layout)")
        return given
    if len(shape) == 3 and shape[2] not in (3, 4):
        return "NHW"
    fitting = [name for name, axis in (("NHWC", 3), ("NCHW", 1)) if len(shape) == 4 and shape[axis] in CHANNELS]
    if len(fitting) == 1:
        return fitting[0]
    if len(shape) in (3, 4):
        raise ConfigError(
            f"{where}: its shape {list(shape)} does not tell where the channels are; "
            "say dataset.reader.layout=NHWC, NCHW or NHW"
        )
    raise ConfigError(f"{where}: its shape {list(shape)} is no stack of images (NHWC, NCHW or NHW)")


def black_and_white(values: Any, given: Sequence[float] | None, where: str) -> tuple[float, float]:
    """The values that become 0 and 255 (-1 and 1 in a batch).

    `given` [black, white] stands, and everything must lie between the two. Otherwise: bool is 0..1 and uint8 0..255.
    uint16 is 0..65535 if the top bit is used (fewer bits are common and cannot be told from dark images). Floats are
    -1..1 if they reach below -0.5 and above 0.5, and 0..1 if none is negative and some are above 0.5, each up to
    rounding. Anything else raises ConfigError, beginning with `where`.
    """
    low, high, finite = _extremes(values)
    if not finite:
        raise ConfigError(f"{where}: holds values that are not finite")
    if given is not None:
        black, white = _pair(given)
        slack = SLACK * (white - black) if values.dtype.kind == "f" else 0
        if low < black - slack or high > white + slack:
            raise ConfigError(
                f"{where}: its values go from {low:g} to {high:g}, beyond dataset.reader.range={list(given)}"
            )
        return black, white
    if values.dtype.kind == "b":
        return 0.0, 1.0
    if values.dtype == np.uint8:
        return 0.0, 255.0
    if values.dtype == np.uint16 and high > 32767:
        return 0.0, 65535.0
    if values.dtype.kind == "f" and 0.5 < high <= 1 + SLACK:
        if low >= 0:
            return 0.0, 1.0
        if -1 - SLACK <= low < -0.5:
            return -1.0, 1.0
    raise ConfigError(
        f"{where}: {values.dtype} from {low:g} to {high:g} does not tell what is black and what is white; "
        "say dataset.reader.range=[BLACK,WHITE], e.g. [0,255]"
    )


def to_bytes(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """`values` with black as 0 and white as 255, rounded; uint8 that is so already is only copied."""
    if values.dtype == np.uint8 and (black, white) == (0, 255):
        return np.ascontiguousarray(values)
    scaled = (values.astype(np.float64) - black) * (255 / (white - black))
    return np.rint(scaled).clip(0, 255).astype(np.uint8)


def chunks(values: Any) -> Iterator[NDArray[Any]]:
    """`values`, an array in memory or in a file, a few at a time along its first axis."""
    each = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
    step = max(1, CHUNK_BYTES // each)
    for start in range(0, len(values), step):
        yield np.asarray(values[start : start + step])


def _extremes(values: Any) -> tuple[float, float, bool]:
    """The smallest, the largest, and whether all are finite."""
    if values.dtype == np.uint8:
        return 0.0, 255.0, True
    if values.dtype.kind not in "buif" or values.size == 0:
        return 0.0, 0.0, True
    low, high, finite = np.inf, -np.inf, True
    for chunk in chunks(values):
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
        finite = finite and bool(np.isfinite(chunk).all())
    return low, high, finite


def _pair(given: Sequence[float]) -> tuple[float, float]:
    try:
        black, white = (float(value) for value in given)
    except (TypeError, ValueError):
        black, white = 0.0, 0.0
    if not black < white:
        raise ConfigError(f"dataset.reader.range={given}: [BLACK,WHITE], two numbers, the first the smaller")
    return black, white
