from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_lab.data.sources.images import ImageError, decode, fit
from tests.data.conftest import encoded, noise


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
def test_an_image_of_the_right_size_is_copied_bit_for_bit(mode: str, channels: int, how: str) -> None:
    image = noise(7, 5, mode)
    fitted = fit(decode(encoded(image), channels), (channels, 5, 7), how)
    expected = np.asarray(image).reshape(5, 7, channels).transpose(2, 0, 1)
    assert fitted.dtype == np.uint8
    assert fitted.flags.c_contiguous
    np.testing.assert_array_equal(fitted, expected)


def test_an_array_is_fitted_like_the_image_it_is() -> None:
    image = noise(9, 6)
    array = np.asarray(image).transpose(2, 0, 1)
    np.testing.assert_array_equal(fit(array, (3, 4, 4), "crop"), fit(image, (3, 4, 4), "crop"))
    np.testing.assert_array_equal(fit(array, (3, 6, 9), "crop"), array)
    gray = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    np.testing.assert_array_equal(fit(gray, (3, 3, 4), "pad"), np.repeat(gray, 3, axis=0))


def test_crop_and_pad_without_scaling_do_not_resample() -> None:
    image = noise(10, 6)
    pixels = np.asarray(image).transpose(2, 0, 1)
    np.testing.assert_array_equal(fit(image, (3, 6, 4), "crop"), pixels[:, :, 3:7])
    np.testing.assert_array_equal(fit(image, (3, 6, 5), "crop"), pixels[:, :, 2:7])  # no half pixels
    padded = fit(image, (3, 10, 10), "pad")
    np.testing.assert_array_equal(padded[:, 2:8], pixels)
    assert not padded[:, :2].any()
    assert not padded[:, 8:].any()


def test_where_each_fit_puts_a_wide_image() -> None:
    """Left half red, middle white, right blue, 4:1; scaled to a square of a quarter of the height."""
    image = Image.new("RGB", (320, 80), "white")
    image.paste("red", (0, 0, 80, 80))
    image.paste("blue", (240, 0, 320, 80))
    crop, pad, stretch = (fit(image, (3, 20, 20), how) for how in ("crop", "pad", "stretch"))
    assert (crop[:, :, 1:-1] == 255).all()  # the white middle only
    assert not pad[:, :7].any()
    assert not pad[:, 13:].any()
    assert pad[:, 10, 0].tolist() == [255, 0, 0]
    assert pad[:, 10, 19].tolist() == [0, 0, 255]
    assert stretch[:, 0, 0].tolist() == [255, 0, 0]
    assert stretch[:, 19, 19].tolist() == [0, 0, 255]


def test_shrinking_is_antialiased() -> None:
    """A one-pixel checkerboard becomes the even gray between, where nearest or plain bilinear sampling aliases."""
    board = np.indices((64, 64)).sum(0) % 2 * 255
    small = fit(board.astype(np.uint8)[None], (1, 8, 8), "stretch")
    assert np.abs(small.astype(int) - 127).max() <= 3


def test_extreme_shapes_come_out_in_shape() -> None:
    for size in ((1000, 1), (1, 1000), (1, 1)):
        for how in ("crop", "pad", "stretch"):
            assert fit(noise(*size), (3, 6, 10), how).shape == (3, 6, 10)


@pytest.mark.parametrize("how", ["crop ", "fill"])
def test_another_fit_is_refused(how: str) -> None:
    with pytest.raises(ValueError, match="crop, pad, stretch"):
        fit(noise(2, 2), (3, 2, 2), how)


def modes() -> dict[str, tuple[bytes, tuple[int, int, int]]]:
    """One-colour files of each kind, and the RGB they stand for."""
    palette = Image.new("P", (3, 2), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    deep = Image.fromarray(np.full((2, 3), 32896, np.uint16))  # 128 * 257
    return {
        "gray": (encoded(Image.new("L", (3, 2), 77)), (77, 77, 77)),
        "one bit": (encoded(Image.new("1", (3, 2), 1)), (255, 255, 255)),
        "palette": (encoded(palette), (200, 100, 50)),
        "palette, transparent": (encoded(palette, transparency=1), (255, 255, 255)),
        "RGBA, clear": (encoded(Image.new("RGBA", (3, 2), (10, 20, 30, 0))), (255, 255, 255)),
        "RGBA, solid": (encoded(Image.new("RGBA", (3, 2), (10, 20, 30, 255))), (10, 20, 30)),
        "RGBA, half": (encoded(Image.new("RGBA", (3, 2), (0, 0, 0, 51))), (204, 204, 204)),
        "gray and alpha": (encoded(Image.new("LA", (3, 2), (9, 0))), (255, 255, 255)),
        "CMYK": (encoded(Image.new("CMYK", (3, 2), (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        "16-bit PNG": (encoded(deep), (128, 128, 128)),
        "16-bit TIFF": (encoded(deep, "TIFF"), (128, 128, 128)),
        "GIF": (encoded(palette, "GIF"), (200, 100, 50)),
        "WebP": (encoded(Image.new("RGB", (3, 2), (10, 20, 30)), "WEBP", lossless=True), (10, 20, 30)),
    }


@pytest.mark.parametrize("kind", modes())
def test_every_kind_of_file_becomes_rgb_and_gray(kind: str) -> None:
    data, rgb = modes()[kind]
    assert decode(data, 3).mode == "RGB"
    assert decode(data, 3).getpixel((1, 1)) == rgb
    gray = Image.new("RGB", (1, 1), rgb).convert("L").getpixel((0, 0))
    assert decode(data, 1).mode == "L"
    assert decode(data, 1).getpixel((1, 1)) == gray


def test_16_bit_gray_covers_the_whole_range() -> None:
    values = np.array([[0, 257, 32896, 65535]], np.uint16)
    np.testing.assert_array_equal(np.asarray(decode(encoded(Image.fromarray(values)), 1)), [[0, 1, 128, 255]])


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    image = Image.new("RGB", (16, 8), "black")
    image.paste("white", (0, 0, 8, 8))
    upright = decode(encoded(image, "PNG", exif=exif), 3)
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 2)) == (255, 255, 255)
    assert upright.getpixel((4, 14)) == (0, 0, 0)


def test_a_path_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise(3, 2)))
    assert decode(tmp_path / "a.png", 3).tobytes() == noise(3, 2).tobytes()


def test_too_many_pixels_are_refused_from_the_header() -> None:
    """The header promises 40000x40000 and no pixel data follows: reaching the decoder would say `damaged` instead."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9000, 40000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
        with pytest.raises(ImageError, match="more than 64 megapixels"):
            decode(bomb, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_image_is_refused(kind: str) -> None:
    data = encoded(noise(64, 64), kind)
    with pytest.raises(ImageError, match="damaged"):
        decode(data[: len(data) // 2], 3)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_what_is_not_an_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="not an image"):
        decode(data, 3)


def test_float_pixels_are_refused() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        decode(encoded(Image.new("F", (2, 2), 0.5), "TIFF"), 3)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "a web page"),
        (b"<svg xmlns=", "an SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
        (b"PK\3\4rest", "a zip; unpack it"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC; save it as JPEG"),
    ],
)
def test_what_it_is_instead_is_said_where_it_can_be_told(data: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    for given in (data, tmp_path / "a.png"):
        with pytest.raises(ImageError) as caught:
            decode(given)
        assert kind in str(caught.value)
        assert str(caught.value).startswith("not an image")


def test_pillow_runs_no_program_for_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow rasterises EPS with Ghostscript; it is not even asked."""
    monkeypatch.setattr("subprocess.Popen", None)
    with pytest.raises(ImageError, match=r"not an image \(PostScript\)"):
        decode(encoded(noise(4, 4), "EPS"))


def test_damaged_metadata_does_not_cost_the_picture() -> None:
    image = noise(16, 16)
    data = encoded(image, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decode(data, 3).tobytes() == image.tobytes()


def test_integers_beyond_16_bits_are_refused() -> None:
    with pytest.raises(ImageError, match="beyond 16 bits"):
        decode(encoded(Image.fromarray(np.full((2, 2), 70000, np.int32)), "TIFF"))
