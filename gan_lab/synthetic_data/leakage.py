"""Test images must be strangers: to the classifiers that are compared on them, and to the generator."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.inspection.inspection import CHUNK_BYTES
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError

MOST = 0.05  # of the test images that may be known by accident, as twins of others

log = logging.getLogger(__name__)


def checksums_of(stream: Mapping[str, Any] | None) -> set[str]:
    """Of the stores that the stream of a checkpoint drew from."""
    parts = [] if stream is None else [stream["image"], stream["input"]] if "image" in stream else [stream]
    return {str(part["sha256"]) for part in parts}


def strangers(test: Store, seen: Iterable[Store], checksums: set[str]) -> NDArray[np.int64]:
    """The places of the test images that are in none of the stores that were `seen`, bit for bit.

    Raises ConfigError where the test images are a store of one of the `checksums` that a generator was trained on, and
    where more than a twentieth of them were seen; a few that were are left out with a warning.
    """
    if test.sha256 in checksums:
        raise ConfigError(
            f"test: the generator was trained on these very images (store {test.sha256[:12]}); it must not have seen "
            "them: train it without (dataset.held_out=0.2, or a split), or name others"
        )
    known = set().union(*(_digests(store) for store in seen))
    places = np.array([place for place, digest in enumerate(_digests(test)) if digest not in known], np.int64)
    common = len(test) - len(places)
    if common > MOST * len(test):
        raise ConfigError(
            f"test: {common} of {len(test)} images are among those that the generator or the classifiers are trained "
            "on; name others, or train without them (dataset.held_out=0.2, or a split)"
        )
    if common:
        log.warning("test: %d of %d images are among those of training, too; they are left out", common, len(test))
    return places


def _digests(store: Store) -> list[bytes]:
    """Of every image."""
    return [
        hashlib.blake2b(image, digest_size=16).digest() for _, chunk in store.chunks(CHUNK_BYTES) for image in chunk
    ]
