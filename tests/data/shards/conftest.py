"""Shards that a test makes of a few pictures that it knows."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.shards.index import Index, open_index
from gan_lab.data.shards.shard import Options
from tests.data.conftest import encoded

CLASSES = ("cat", "dog", "eel")


def picture(number: int) -> Image.Image:
    """4x4 in colour, whose every pixel tells its number (up to 5 * 256)."""
    return Image.fromarray(np.full((4, 4, 3), [number % 256, number // 256, 7], np.uint8))


def sample(number: int, **more: str) -> dict[str, bytes]:
    """The files of a sample, with its class."""
    files = {"png": encoded(picture(number)), "cls": CLASSES[number % 3].encode()}
    return files | {extension: text.encode() for extension, text in more.items()}


def write_tar(path: Path, samples: Mapping[str, Mapping[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, files in samples.items():
            for extension, data in files.items():
                member = tarfile.TarInfo(f"{name}.{extension}")
                member.size = len(data)
                tar.addfile(member, BytesIO(data))
    return path


def write_shards(folder: Path, counts: Sequence[int], **more: str) -> str:
    """Shards of so many samples each, numbered throughout; the pattern that names them."""
    number = 0
    for shard, count in enumerate(counts):
        names = range(number, number + count)
        write_tar(folder / f"data-{shard:02d}.tar", {f"{each:05d}": sample(each, **more) for each in names})
        number += count
    return f"{folder}/data-{{00..{len(counts) - 1:02d}}}.tar"


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """183 samples in four shards: chunks of 64 and less."""
    return open_index(write_shards(tmp_path / "shards", (70, 5, 100, 8)), Options())
