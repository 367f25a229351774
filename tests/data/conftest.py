"""Small image trees and zips made on the fly, a data root of its own for every test, and a source with known pixels."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gan_lab.data.sources.source import Sample, Source

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Array(Source):
    """`count` random images whose label is the index modulo 3; `before` runs ahead of each, to fail or to wait."""

    classes = ["a", "b", "c"]  # noqa: RUF012

    def __init__(
        self,
        count: int = 10,
        shape: tuple[int, int, int] = (3, 4, 4),
        seed: int = 0,
        before: Callable[[int], None] | None = None,
    ) -> None:
        self.seed = seed
        self.images: NDArray[np.uint8] = np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)
        self.before = before

    @property
    def identity(self) -> str:
        return f"array:{self.seed}:{self.images.shape}"

    def describe(self) -> str:
        return f"random images {self.seed}"

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Sample]:
        for index, image in enumerate(self.images):
            if self.before:
                self.before(index)
            yield f"image {index}", image, index % 3


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A random image in mode L or RGB."""
    shape = (height, width) if mode == "L" else (height, width, 3)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_tree(path: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def cifar_like(per_class: int = 2) -> dict[str, bytes]:
    """`train/CLASS/NUMBER.png`, 32x32 RGB."""
    return {
        f"train/{name}/{index:04d}.png": encoded(noise(32, 32, seed=100 * label + index))
        for label, name in enumerate(CIFAR_CLASSES)
        for index in range(per_class)
    }


def mnist_like(per_class: int = 2) -> dict[str, bytes]:
    """`train/DIGIT/NUMBER.png` and `test/...`, 28x28 gray."""
    return {
        f"{split}/{digit}/{index}.png": encoded(noise(28, 28, "L", seed=100 * digit + index + offset))
        for split, offset in (("train", 0), ("test", 5000))
        for digit in range(10)
        for index in range(per_class)
    }


@pytest.fixture(autouse=True)
def own_root(root: Path) -> Path:
    """Every test here has a data root of its own."""
    return root
