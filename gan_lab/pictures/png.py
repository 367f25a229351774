"""PNG with 16 bits a channel and any number of channels, which Pillow does not write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray and alpha, RGB, RGBA
UP = 2  # the filter: every byte less the one above it
LEVEL = 4  # of zlib: beyond it sixteen noisy bits take far longer and are hardly smaller
PART = 2**22  # bytes that are compressed at a time


def encode_sixteen(pixels: NDArray[np.uint16], text: Mapping[str, str], profile: bytes | None = None) -> bytes:
    """`(H, W, C)` as the bytes of a PNG (ISO/IEC 15948) that carries `text` in Latin-1 and an ICC profile."""
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    parts = [SIGNATURE, _chunk(b"IHDR", header)]
    if profile:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    parts += [_chunk(b"tEXt", f"{key}\0{value}".encode("latin-1", "replace")) for key, value in text.items()]
    return b"".join([*parts, _chunk(b"IDAT", _compressed(pixels)), _chunk(b"IEND", b"")])


def _compressed(pixels: NDArray[np.uint16]) -> bytes:
    """The rows, filtered, some at a time."""
    height = len(pixels)
    packer, found = zlib.compressobj(LEVEL), []
    above: NDArray[Any] = np.zeros((1, pixels[0].size * 2), np.uint8)
    rows = max(PART // above.size, 1)
    for start in range(0, height, rows):
        part = np.ascontiguousarray(pixels[start : start + rows], ">u2").view(np.uint8).reshape(-1, above.size)
        filtered = np.full((len(part), above.size + 1), UP, np.uint8)
        filtered[:, 1:] = part - np.concatenate((above, part[:-1]))
        found.append(packer.compress(filtered.tobytes()))
        above = part[-1:]
    return b"".join([*found, packer.flush()])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
