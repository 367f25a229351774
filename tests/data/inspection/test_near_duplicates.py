from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from gan_lab.data.inspection import near_duplicates as module
from gan_lab.data.inspection.near_duplicates import difference_hash, near_duplicates
from gan_lab.data.packing import pack
from gan_lab.data.store import Store
from tests.data.conftest import Array, encoded


def scenes(count: int, channels: int = 3, side: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth random pictures, `(count, channels, side, side)`."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, 3), np.uint8)
    images = [Image.fromarray(c).resize((side, side), Image.Resampling.BICUBIC) for c in coarse]
    arrays = [np.asarray(image.convert("RGB" if channels == 3 else "L")) for image in images]
    return np.stack([a.reshape(side, side, channels).transpose(2, 0, 1) for a in arrays])


def store_of(images: NDArray[np.uint8], root: Path) -> Store:
    source = Array(len(images), images.shape[1:])
    source.images = np.array(images)
    return pack(source, images.shape[1:], "crop", root / "array-0-0", "array")


def changed(image: NDArray[np.uint8], how: str) -> NDArray[np.uint8]:
    """Another copy of the same picture."""
    gray = image.shape[0] == 1
    picture = Image.fromarray(image[0] if gray else np.ascontiguousarray(image.transpose(1, 2, 0)))
    if how == "recompressed":
        picture = Image.open(BytesIO(encoded(picture, "JPEG", quality=80)))
    elif how == "rescaled":
        small = picture.resize((24, 24), Image.Resampling.BICUBIC)
        picture = small.resize(picture.size, Image.Resampling.BICUBIC)
    elif how == "brighter":
        picture = picture.point(lambda value: min(255, round(0.9 * value + 20)))
    elif how == "blurred":
        picture = picture.filter(ImageFilter.GaussianBlur(0.7))
    pixels = np.asarray(picture)
    return pixels[None] if gray else pixels.transpose(2, 0, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("how", ["recompressed", "rescaled", "brighter", "blurred"])
def test_other_copies_of_a_picture_are_found_and_nothing_else(how: str, channels: int, root: Path) -> None:
    images = scenes(400, channels)
    copied = [3, 50, 199, 350]
    store = store_of(np.concatenate([images, [changed(images[index], how) for index in copied]]), root)
    pairs = near_duplicates(store)
    assert sorted((a, b) for a, b, _ in pairs) == [(index, 400 + place) for place, index in enumerate(copied)]
    assert [pair.difference for pair in pairs] == sorted(pair.difference for pair in pairs)


def test_the_difference_in_closed_form(root: Path) -> None:
    """b = m + k (a - m) has |a - b|^2 = (1 - k)^2 |a - m|^2, and a mean square of (1 + k^2) / 2 of that."""
    columns = np.array([40, 40, 200, 200] * 4, float)
    a = np.broadcast_to(columns, (16, 16))
    b = 120 + 0.9 * (a - 120)
    images = np.stack([a, b])[:, None]
    np.testing.assert_array_equal(images, np.rint(images))
    [(first, second, difference)] = near_duplicates(store_of(images.astype(np.uint8), root))
    assert (first, second) == (0, 1)
    np.testing.assert_allclose(difference, 0.01 / 0.905, rtol=1e-6)


def test_bit_for_bit_repeats_and_other_colours_are_no_near_duplicates(root: Path) -> None:
    images = scenes(20)
    images[7] = images[3]
    images[9] = images[5, [2, 0, 1]]
    gray = images[11].astype(float).mean(axis=0)
    images[11], images[12] = gray, gray
    images[12, 0] = np.clip(gray * 0.3, 0, 255)
    assert near_duplicates(store_of(images, root)) == []


def test_plain_pictures_must_agree_more_closely(root: Path) -> None:
    """Two strokes that overlap mostly are two strokes; two copies of a stroke are one picture."""
    strokes = np.zeros((3, 1, 28, 28), np.uint8)
    for index, top in enumerate((4, 5)):
        strokes[index, 0, top : top + 20, 12:16] = 255
    strokes[2] = strokes[0]
    strokes[2, 0, 4:24, 12:16] = 250
    assert [(a, b) for a, b, _ in near_duplicates(store_of(strokes, root))] == [(0, 2)]


def test_blank_images_of_different_brightness_are_left_alone(root: Path) -> None:
    images = np.arange(100, dtype=np.uint8).repeat(64).reshape(100, 1, 8, 8)
    assert near_duplicates(store_of(images, root)) == []


def test_one_image_has_no_pair(root: Path) -> None:
    assert near_duplicates(store_of(scenes(1), root)) == []


def test_the_hash_says_where_the_gray_grows() -> None:
    gray = np.zeros((1, 8, 9), np.float32)
    gray[0, 0] = [0, 9, 0, 9, 0, 9, 0, 9, 0]
    gray[0, 7, 8] = 9
    assert difference_hash(gray).tolist() == [0b10101010 << 56 | 1]


def test_the_smallest_growth_is_noise() -> None:
    gray = np.tile(np.array([0, 0, 0, 0, 90, 90, 90, 90, 90], np.float32), (1, 8, 1))
    noise = np.random.default_rng(0).normal(0, 0.5, gray.shape).astype(np.float32)
    np.testing.assert_array_equal(difference_hash(gray + noise), difference_hash(gray))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 90), (1, 200, 3), (3, 9, 8)])
def test_any_shape_goes(shape: tuple[int, int, int], root: Path) -> None:
    """Of noise only a brighter copy is found; one pixel has nothing to be alike by."""
    images = Array(30, shape).images // 2
    images[20] = images[4] + 9
    expected = [] if shape == (1, 1, 1) else [(4, 20)]
    assert [(a, b) for a, b, _ in near_duplicates(store_of(images, root))] == expected


@pytest.mark.parametrize(("size", "parts"), [(9, 3), (7, 3), (5, 8)])
def test_areas_are_exact_averages(size: int, parts: int) -> None:
    """Against the mean over a grid that both sizes divide."""
    row = np.random.default_rng(0).random(size)
    fine = row.repeat(parts).reshape(parts, size).mean(axis=1)
    np.testing.assert_allclose(module._areas(size, parts) @ row, fine, rtol=1e-6)


def test_the_work_grows_with_the_number_of_images_not_its_square() -> None:
    """The worst case: all hashes equal. Every image meets only its neighbours in each order."""
    for count in (1000, 4000):
        pairs = module._candidates(np.zeros(count, np.uint64), np.arange(count, dtype=np.float32))
        assert len(pairs) == module.NEIGHBOURS * count - module.NEIGHBOURS * (module.NEIGHBOURS + 1) // 2
