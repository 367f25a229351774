"""The handwritten digits that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from gan_lab.data.sources.source import Sample, Source


class Digits(Source):
    """1797 handwritten digits, 8x8, that come with the package.

    The test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI Machine
    Learning Repository, doi:10.24432/C50P49, licensed CC BY 4.0; the same images as scikit-learn's `load_digits`.
    Changed: the values 0..16 are scaled to 0..255.
    """

    classes = [str(digit) for digit in range(10)]  # noqa: RUF012

    @property
    def identity(self) -> str:
        return "digits"

    def _load(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        with as_file(files("gan_lab.data.sources") / "digits.npz") as path, np.load(path, allow_pickle=False) as arrays:
            scaled = (arrays["images"].astype(np.uint16) * 255 + 8) // 16
            return scaled.astype(np.uint8)[:, None], arrays["labels"]

    def __len__(self) -> int:
        return len(self._load()[1])

    def __iter__(self) -> Iterator[Sample]:
        for index, (image, label) in enumerate(zip(*self._load(), strict=True)):
            yield f"{index:04d}", image, int(label)

    def describe(self) -> str:
        return "handwritten digits 8x8, Alpaydin & Kaynak, UCI (CC BY 4.0)"
