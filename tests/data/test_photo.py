"""A picture comes back with all that its file has: bits, transparency, profile, the way it was held."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from gan_lab.data.photo import Photo, of_image, read_photo, to_image
from gan_lab.data.sources.images import ImageError
from gan_lab.pictures.png import encode_sixteen


def noise(*shape: int, dtype: Any = np.uint16) -> NDArray[Any]:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def saved(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def tiff(values: NDArray[Any], **settings: Any) -> bytes:
    file = io.BytesIO()
    pytest.importorskip("tifffile").imwrite(file, values, **settings)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_of_a_png(channels: int) -> None:
    values = noise(5, 7, channels)
    photo = read_photo(encode_sixteen(values, {}))
    colours = 3 if channels > 2 else 1
    assert photo.colours.dtype == np.uint16
    assert np.array_equal(photo.colours, values[..., :colours])
    assert (photo.alpha is None) == (channels in (1, 3))
    assert photo.alpha is None or np.array_equal(photo.alpha, values[..., -1])


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_of_a_tiff(channels: int, byteorder: str, compression: str | None, tmp_path: Path) -> None:
    values = noise(9, 7, channels)
    settings = {1: {"photometric": "minisblack"}, 3: {"photometric": "rgb"}}.get(
        channels, {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    )
    data = tiff(values, byteorder=byteorder, compression=compression, rowsperstrip=4, **settings)
    (tmp_path / "x.tif").write_bytes(data)
    for source in (data, tmp_path / "x.tif"):
        photo = read_photo(source)
        assert photo.colours.dtype == np.uint16
        assert np.array_equal(photo.colours, values[..., :3])
        assert photo.alpha is None or np.array_equal(photo.alpha, values[..., 3])


def test_planes_of_sixteen_bits_are_refused_which_pillow_misreads() -> None:
    with pytest.raises(ImageError, match="lie apart") as told:
        read_photo(tiff(noise(3, 5, 7), photometric="rgb", planarconfig="separate"))
    assert "interleaved" in told.value.advice


def test_a_dark_picture_of_sixteen_bits_is_one() -> None:
    """By the type, not by its numbers."""
    values = np.full((4, 4, 3), 200, np.uint16)
    assert np.array_equal(read_photo(encode_sixteen(values, {})).colours, values)
    assert read_photo(saved(Image.new("RGB", (4, 4), (9, 9, 9)))).colours.dtype == np.uint8


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_eight_bits(mode: str) -> None:
    values = noise(5, 7, len(mode), dtype=np.uint8)
    image = Image.fromarray(values[..., 0] if mode == "L" else values)
    photo = read_photo(saved(image))
    assert np.array_equal(photo.colours, values[..., : 1 if mode[0] == "L" else 3])
    assert (photo.alpha is None) == ("A" not in mode)
    assert photo.alpha is None or np.array_equal(photo.alpha, values[..., -1])
    assert to_image(photo).mode == mode
    assert np.array_equal(np.asarray(to_image(photo)), np.asarray(image))


def test_a_colour_that_stands_for_nothing_is_transparent() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    photo = read_photo(saved(palette, transparency=1))
    assert photo.alpha is not None
    assert photo.alpha.tolist() == [[255, 0]]
    assert photo.colours[0, 0].tolist() == [255, 0, 0]
    gray = read_photo(saved(Image.fromarray(np.array([[7, 40000]], np.uint16)), transparency=7))
    assert gray.alpha is not None
    assert gray.alpha.tolist() == [[0, 65535]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
def test_it_stands_upright(orientation: int, bits: int) -> None:
    """As Pillow's own transposition has it, which reads the same tag."""
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    if bits == 8:
        data = saved(Image.fromarray(noise(3, 5, 3, dtype=np.uint8)), exif=exif)
        expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        assert np.array_equal(read_photo(data).colours, expected)
    else:
        values = noise(3, 5, 3)
        data = tiff(values, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
        high = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        assert np.array_equal(read_photo(data).colours >> 8, high)
        assert sorted(read_photo(data).colours.flat) == sorted(values.flat)


def test_the_profile_goes_where_its_colours_go() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (2, 2))
    assert read_photo(saved(image, icc_profile=profile)).profile == profile
    assert read_photo(saved(image.convert("CMYK"), "JPEG", icc_profile=profile[:16] + b"CMYK")).profile is None
    assert read_photo(saved(image.convert("L"), icc_profile=profile)).profile is None
    sixteen = encode_sixteen(noise(2, 2, 3), {"Title": "a"}, profile)
    assert read_photo(sixteen).profile == profile
    assert to_image(read_photo(sixteen)).info["icc_profile"] == profile


def test_what_pillow_cannot_hold_is_rounded_to_eight_bits() -> None:
    values = np.array([[[0, 128, 129], [65535, 65407, 65406]]], np.uint16)
    assert np.asarray(to_image(Photo(values))).tolist() == [[[0, 0, 1], [255, 255, 254]]]
    gray = Photo(noise(3, 3, 1))
    assert np.array_equal(of_image(to_image(gray)).colours, gray.colours)


@pytest.mark.parametrize("data", [b"", b"nothing", saved(Image.new("F", (2, 2)), "TIFF")])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(ImageError):
        read_photo(data)
