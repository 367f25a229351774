"""Pairs of images that are nearly the same: one picture saved twice, rescaled, recompressed or slightly brighter.

Candidates come from a difference hash (Krawetz 2013, "Kind of Like That"): 64 bits that say for each of 8x8 places
whether the gray grows to the right. Candidates count only if the pictures themselves agree: hashes alone call a good
part of MNIST the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.store import Store

MAX_BITS = 6
MAX_DIFFERENCE = 0.08
FLAT = 0.1
SIDE = 16
ROTATIONS = 8
NEIGHBOURS = 16
CHUNK_BYTES = 64 * 1024**2


class Pair(NamedTuple):
    """Two indices of a store, and how different they are: 0 for the same picture, about 1 for unrelated ones."""

    first: int
    second: int
    difference: float


def near_duplicates(store: Store, limit: float = MAX_DIFFERENCE) -> list[Pair]:
    """The pairs of uint8 images that are nearly alike, the most alike first; bit-for-bit repeats are left out.

    Their difference is below `limit` times the square of the smaller share of places at which the gray changes (1 for
    a photograph without flat parts): plain pictures, such as strokes on black, are alike by chance. The difference is
    |a - b|^2 over the mean of |a|^2 and |b|^2, each less its mean brightness, on all channels, of images shrunk to SIDE
    pixels where larger; so it is 1 - r for two images of equal contrast and correlation r, times 2.

    Hashes are compared with their NEIGHBOURS in sorted order, under ROTATIONS of their bits, so the time grows as
    N log N; a pair that stands further apart in all of them (many images of one hash) is missed.
    """
    thumbnails, grays = _small(store)
    detail = _changes(grays).mean(axis=(1, 2))
    pairs = _candidates(difference_hash(grays), grays.mean(axis=(1, 2)))
    found: list[Pair] = []
    for start in range(0, len(pairs), 4096):
        first, second = pairs[start : start + 4096].T
        differences = _difference(thumbnails[first], thumbnails[second])
        for index in np.flatnonzero(differences < limit * np.minimum(detail[first], detail[second]) ** 2):
            a, b = int(first[index]), int(second[index])
            if not np.array_equal(store.images[a], store.images[b]):
                found.append(Pair(a, b, float(differences[index])))
    return sorted(found, key=lambda pair: (pair.difference, pair.first, pair.second))


def difference_hash(grays: NDArray[np.float32]) -> NDArray[np.uint64]:
    """64 bits of each of `(N, 8, 9)` grays, the top left pair highest: whether a pixel is darker than the next.

    By more than FLAT of the standard deviation of the image: otherwise noise decides where the image is flat.
    """
    bits = (grays[:, :, 1:] > grays[:, :, :-1]) & _changes(grays)
    packed: NDArray[np.uint64] = np.packbits(bits.reshape(len(grays), 64), axis=1).view(">u8")[:, 0].astype(np.uint64)
    return packed


def _changes(grays: NDArray[np.float32]) -> NDArray[np.bool_]:
    """`(N, 8, 8)`: where a gray differs from the next, by half a level at least: a blank image has none."""
    least = np.maximum(FLAT * grays.std(axis=(1, 2), keepdims=True), 0.5)
    changes: NDArray[np.bool_] = np.abs(np.diff(grays, axis=2)) > least
    return changes


def _small(store: Store) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Thumbnails `(N, C, h, w)` of at most SIDE pixels a side, and grays `(N, 8, 9)`; both are averages over areas."""
    channels, height, width = store.shape
    sides = min(height, SIDE), min(width, SIDE)
    thumbnails = np.empty((len(store), channels, *sides), np.uint8)
    grays = np.empty((len(store), 8, 9), np.float32)
    for place, chunk in store.chunks(CHUNK_BYTES // 4):  # which floats are made of
        thumbnails[place] = np.rint(_averaged(chunk, *sides))
        grays[place] = _averaged(chunk, 8, 9).mean(axis=1)
    return thumbnails, grays


def _averaged(images: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """`(n, C, H, W)` as means over `height` x `width` equal areas."""
    down, across = _areas(images.shape[2], height), _areas(images.shape[3], width)
    averaged: NDArray[np.float32] = down @ (images.astype(np.float32) @ across.T)
    return averaged


def _areas(size: int, parts: int) -> NDArray[np.float32]:
    """`(parts, size)`: the share of each of `size` pixels in each of `parts` equal stretches; rows add up to 1."""
    edges = np.linspace(0, size, parts + 1)
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: NDArray[np.float32] = (np.clip(overlap, 0, None) * parts / size).astype(np.float32)
    return shares


def _candidates(hashes: NDArray[np.uint64], brightness: NDArray[np.float32]) -> NDArray[np.int64]:
    """Pairs `(n, 2)` whose hashes differ in at most MAX_BITS, among neighbours in some sorted order."""
    count = len(hashes)
    found = [np.empty(0, np.int64)]
    for rotation in range(0, 64, 64 // ROTATIONS):
        turned = (hashes << np.uint64(rotation)) | (hashes >> np.uint64((64 - rotation) % 64))
        order = np.lexsort((brightness, turned))  # among equal hashes the equally bright stand together
        for step in range(1, min(NEIGHBOURS, count - 1) + 1):
            a, b = order[:-step], order[step:]
            close = _bits(hashes[a] ^ hashes[b]) <= MAX_BITS
            found.append(np.minimum(a, b)[close] * count + np.maximum(a, b)[close])
    return np.stack(np.divmod(np.unique(np.concatenate(found)), count), axis=1)


def _bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits are set in each."""
    counts: NDArray[np.int64] = _SET[words.view(np.uint16).reshape(-1, 4)].sum(axis=1)
    return counts


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    x, y = (part.reshape(len(part), -1).astype(np.float32) for part in (a, b))
    spread = (x.var(axis=1) + y.var(axis=1)) / 2
    difference: NDArray[np.float32] = (x - y).var(axis=1) / np.maximum(spread, 1e-3)
    return difference


_SET = np.array([bin(word).count("1") for word in range(1 << 16)], np.int64)
