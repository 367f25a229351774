"""Bytes, grids and PNGs that say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_lab.pictures.grid import grid, synthetic_note, to_bytes, write_png


def test_bytes_invert_the_reading() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(every.float() / 127.5 - 1), every)
    assert to_bytes(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


def test_grid_places_and_enlarges() -> None:
    images = torch.full((3, 1, 2, 2), -1.0)
    images[2] = 1.0
    picture = grid(images, columns=2, tile=4, gap=1)
    assert picture.shape == (3, 11, 11)
    assert (picture[:, 1:5, 1:5] == 0).all()  # first image, black, 2x2 enlarged to 4x4
    assert (picture[:, 6:10, 1:5] == 255).all()  # third, white, second row
    assert (picture[:, 0] == 255).all()  # gap


def test_grid_of_colours_keeps_channels() -> None:
    image = torch.tensor([1.0, -1.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert grid(image, tile=8, gap=0)[:, 0, 0].tolist() == [255, 0, 128]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_has_the_pixels_where_they_were(channels: int, tmp_path: Path) -> None:
    """Every pixel another colour: rows downwards, columns to the right, red first."""
    picture = torch.randperm(channels * 4 * 5).view(channels, 4, 5).to(torch.uint8)
    write_png(tmp_path / "a.png", picture, {})
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == {1: "L", 3: "RGB"}[channels]
        found = np.asarray(image).reshape(4, 5, channels)
    np.testing.assert_array_equal(found, picture.permute(1, 2, 0).numpy())


def test_a_grid_is_read_in_rows_and_no_tile_is_turned() -> None:
    images = torch.linspace(-1, 1, 5 * 3 * 2 * 3).view(5, 3, 2, 3)
    picture = grid(images, columns=3, tile=3, gap=0)
    assert picture.shape == (3, 4, 9)
    for index, image in enumerate(to_bytes(images)):
        row, column = divmod(index, 3)
        assert torch.equal(picture[:, 2 * row : 2 * row + 2, 3 * column : 3 * column + 3], image)


def test_png_carries_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_png(
        path, torch.zeros(1, 4, 5, dtype=torch.uint8), synthetic_note(tmp_path / "dcgan-mnist" / "noon", 20, 3, 7)
    )
    with Image.open(path) as image:
        assert image.size == (5, 4)
        assert image.mode == "L"
        assert image.text["Title"] == "synthetic image"
        assert [image.text[f"gan-lab:{key}"] for key in ("run", "step", "seed", "index")] == [
            "dcgan-mnist/noon",
            "20",
            "3",
            "7",
        ]
