"""Images as people have them: each kind is four quadrants, packed and looked at, the right colours the right way up."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources.folder import Folder

from ..conftest import TINY
from .conftest import encoded, write_tree, write_zip

Quadrants = tuple[tuple[int, int, int], ...]  # top left, top right, bottom left, bottom right

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
COLOURS: Quadrants = (RED, GREEN, BLUE, WHITE)
GRAYS: Quadrants = ((0, 0, 0), (85, 85, 85), (170, 170, 170), (255, 255, 255))
BITS: Quadrants = (BLACK, WHITE, WHITE, BLACK)
WIDTH, HEIGHT = 32, 24


def quadrants(
    values: NDArray[np.generic] | list[object], width: int = WIDTH, height: int = HEIGHT
) -> NDArray[np.uint8]:
    """`(height, width, ...)` with the four `values`, each in its quadrant."""
    four = np.asarray(values)
    return four.reshape(2, 2, *four.shape[1:]).repeat(height // 2, axis=0).repeat(width // 2, axis=1)


def picture(values: Quadrants = COLOURS, mode: str = "RGB", width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    return Image.fromarray(quadrants(np.array(values, np.uint8), width, height)).convert(mode)


def alpha(mode: str = "RGBA") -> Image.Image:
    """Red solid, green clear, black one fifth solid, blue solid; of LA the gray of those."""
    values = [(*RED, 255), (*GREEN, 0), (*BLACK, 51), (*BLUE, 255)]
    return Image.fromarray(quadrants(np.array(values, np.uint8))).convert(mode)


def palette(**info: object) -> Image.Image:
    image = Image.fromarray(quadrants(np.array([3, 0, 2, 1], np.uint8))).convert("P")
    image.putdata(quadrants(np.array([3, 0, 2, 1], np.uint8)).ravel().tolist())
    image.putpalette([*GREEN, *WHITE, *BLUE, *RED])
    return image


def deep() -> Image.Image:
    return Image.fromarray(quadrants(np.array([0, 85 * 257, 170 * 257, 65535], np.uint16)))


def held(orientation: int) -> tuple[Image.Image, Image.Exif]:
    """The picture as a camera stores it that was held so: which side of the scene row 0 and column 0 are (EXIF 2.3)."""
    upright = quadrants(np.array(COLOURS, np.uint8))
    stored = {
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
        5: upright.swapaxes(0, 1),  # left, top
        6: upright[:, ::-1].swapaxes(0, 1),  # right, top
        7: upright[::-1, ::-1].swapaxes(0, 1),  # right, bottom
        8: upright[::-1].swapaxes(0, 1),  # left, bottom
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return Image.fromarray(np.ascontiguousarray(stored)), exif


def turned(orientation: int, kind: str, **options: object) -> bytes:
    image, exif = held(orientation)
    return encoded(image, kind, exif=exif, **options)


def png(depth: int, colour: int, rows: list[bytes], extra: bytes = b"") -> bytes:
    """A PNG of a kind that Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + extra + data + chunk(b"IEND", b"")


def wide_png() -> bytes:
    rows = quadrants(np.array(COLOURS, ">u2") * 257)
    return png(16, 2, [row.astype(">u2").tobytes() for row in rows])


def narrow_png() -> bytes:
    nibbles = quadrants(np.array([0, 5, 10, 15], np.uint8))
    return png(4, 0, [(row[::2] << 4 | row[1::2]).tobytes() for row in nibbles])


def frames(kind: str, **options: object) -> bytes:
    others = [picture((BLACK,) * 4), picture((WHITE,) * 4)]
    return encoded(picture(), kind, save_all=True, append_images=others, **options)


ON_WHITE: Quadrants = (RED, WHITE, (204, 204, 204), BLUE)
GRAY_ON_WHITE: Quadrants = ((76,) * 3, WHITE, (204,) * 3, (29,) * 3)
NOT_GREEN: Quadrants = (RED, WHITE, BLUE, WHITE)

# file name: (contents, what it looks like, how far off a lossy one may be)
KINDS: dict[str, tuple[Callable[[], bytes], Quadrants, int]] = {
    "gray.png": (lambda: encoded(picture(GRAYS, "L")), GRAYS, 0),
    "gray.jpg": (lambda: encoded(picture(GRAYS, "L"), "JPEG", quality=95), GRAYS, 6),
    "gray, 4 bits.png": (narrow_png, GRAYS, 0),
    "gray, 16 bits.png": (lambda: encoded(deep()), GRAYS, 0),
    "gray, 16 bits.tif": (lambda: encoded(deep(), "TIFF"), GRAYS, 0),
    "gray, 16 bits, one of them clear.png": (
        lambda: encoded(deep(), transparency=85 * 257),
        (BLACK, WHITE, (170,) * 3, WHITE),
        0,
    ),
    "gray, one of them clear.png": (
        lambda: encoded(picture(GRAYS, "L"), transparency=85),
        (BLACK, WHITE, (170,) * 3, WHITE),
        0,
    ),
    "gray and alpha.png": (lambda: encoded(alpha("LA")), GRAY_ON_WHITE, 1),
    "one bit.png": (lambda: encoded(picture(BITS, "1")), BITS, 0),
    "one bit.tif": (lambda: encoded(picture(BITS, "1"), "TIFF"), BITS, 0),
    "one bit.pbm": (lambda: encoded(picture(BITS, "1"), "PPM"), BITS, 0),
    "one bit.bmp": (lambda: encoded(picture(BITS, "1"), "BMP"), BITS, 0),
    "rgb.png": (lambda: encoded(picture()), COLOURS, 0),
    "rgb, 16 bits.png": (wide_png, COLOURS, 0),
    "rgb, one of them clear.png": (lambda: encoded(picture(), transparency=GREEN), NOT_GREEN, 0),
    "rgba.png": (lambda: encoded(alpha()), ON_WHITE, 0),
    "rgba.tif": (lambda: encoded(alpha(), "TIFF"), ON_WHITE, 0),
    "rgba.webp": (lambda: encoded(alpha(), "WEBP", lossless=True, exact=True), ON_WHITE, 0),
    "rgba.tga": (lambda: encoded(alpha(), "TGA"), ON_WHITE, 0),
    "palette.png": (lambda: encoded(palette()), COLOURS, 0),
    "palette, one clear.png": (lambda: encoded(palette(), transparency=0), NOT_GREEN, 0),
    "palette, some half clear.png": (
        lambda: encoded(palette(), transparency=bytes([0, 255, 51, 255])),
        (RED, WHITE, (204, 204, 255), WHITE),
        0,
    ),
    "palette.bmp": (lambda: encoded(palette(), "BMP"), COLOURS, 0),
    "palette.gif": (lambda: encoded(palette(), "GIF"), COLOURS, 0),
    "palette, one clear.gif": (lambda: encoded(palette(), "GIF", transparency=0), NOT_GREEN, 0),
    "animated.gif": (lambda: frames("GIF", duration=40), COLOURS, 0),
    "animated.webp": (lambda: frames("WEBP", lossless=True), COLOURS, 0),
    "animated.png": (lambda: frames("PNG"), COLOURS, 0),
    "pages.tif": (lambda: frames("TIFF"), COLOURS, 0),
    "baseline.jpg": (lambda: encoded(picture(), "JPEG", quality=95, subsampling=0), COLOURS, 6),
    "progressive.jpeg": (lambda: encoded(picture(), "JPEG", quality=95, progressive=True), COLOURS, 12),
    "cmyk.jpg": (lambda: encoded(picture(mode="CMYK"), "JPEG", quality=95), COLOURS, 6),
    "cmyk.tif": (lambda: encoded(picture(mode="CMYK"), "TIFF"), COLOURS, 0),
    "a JPEG inside.tif": (lambda: encoded(picture(), "TIFF", compression="jpeg", quality=95), COLOURS, 6),
    "lossy.webp": (lambda: encoded(picture(), "WEBP", quality=95), COLOURS, 12),
    "true colour.bmp": (lambda: encoded(picture(), "BMP"), COLOURS, 0),
    "plain.ppm": (lambda: encoded(picture(), "PPM"), COLOURS, 0),
    "deflated.tif": (lambda: encoded(picture(), "TIFF", compression="tiff_adobe_deflate"), COLOURS, 0),
    "icon.ico": (lambda: encoded(picture(width=32, height=32), "ICO", sizes=[(32, 32)]), COLOURS, 0),
    **{
        f"held {n}.jpg": ((lambda n=n: turned(n, "JPEG", quality=95, subsampling=0)), COLOURS, 6)  # type: ignore[misc]
        for n in range(2, 9)
    },
    "held 6.png": (lambda: turned(6, "PNG"), COLOURS, 0),
    "held 8.webp": (lambda: turned(8, "WEBP", lossless=True), COLOURS, 0),
    "held 6.tif": (lambda: turned(6, "TIFF"), COLOURS, 0),
    "very wide.png": (lambda: encoded(picture(width=400, height=20)), COLOURS, 0),
    "very tall.png": (lambda: encoded(picture(width=16, height=300)), COLOURS, 0),
    "four pixels.png": (lambda: encoded(picture(width=2, height=2)), COLOURS, 40),  # scaled up: the edges are soft
    "a PNG by another name.jpg": (lambda: encoded(picture()), COLOURS, 0),
    "SHOUTED.JPG": (lambda: encoded(picture(), "JPEG", quality=95), COLOURS, 12),
    "no suffix": (lambda: encoded(picture()), COLOURS, 0),
    "Größe 图 %20 [1].png": (lambda: encoded(picture()), COLOURS, 0),
}


def members() -> dict[str, bytes]:
    return {name: make() for name, (make, _, _) in KINDS.items()}


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_every_kind_is_packed_as_it_looks(kind: str, channels: int, tmp_path: Path) -> None:
    assert len(KINDS) > 40
    path = write_zip(tmp_path / "odd.zip", members()) if kind == "zip" else write_tree(tmp_path / "odd", members())
    store = Dataset("odd", [channels, 16, 16], fit="stretch", path=str(path)).open()
    assert len(store) == len(KINDS)
    wrong = {}
    for name, image in zip(sorted(KINDS), store.images, strict=True):
        _, looks, off = KINDS[name]
        seen = image[:, [4, 4, 11, 11], [4, 11, 4, 11]].T.astype(int)
        expected = Image.fromarray(np.array([looks], np.uint8)).convert("L" if channels == 1 else "RGB")
        if np.abs(seen - np.asarray(expected, int).reshape(4, channels)).max() > off + (channels == 1):
            wrong[name] = seen.tolist()
    assert wrong == {}


def test_only_the_gray_kinds_are_gray(tmp_path: Path) -> None:
    """By the header; how many bits a palette has makes no difference, except that Pillow calls two of them one bit."""
    for name, data in members().items():
        gray = name.startswith(("gray", "one bit")) and name != "one bit.bmp"
        with Image.open(BytesIO(data)) as image:
            mode = image.mode
        source = Folder(write_tree(tmp_path / name, {name: data}))
        assert source.channels == (1 if gray or mode in ("1", "L") else 3), name


def test_a_network_learns_from_the_folder_and_draws(gan_lab: Callable[..., int], here: Path) -> None:
    write_tree(here / "odd", members())
    data = ("dataset=folder", "dataset.path=odd", "dataset.image_shape=[3,16,16]")
    assert gan_lab("train", *TINY, "model=gan", *data, "hydra.run.dir=run") == 0
    assert gan_lab("sample", "run=run", "n=4", "out=drawn") == 0
    with Image.open(here / "drawn" / "grid.png") as drawn:
        assert drawn.mode == "RGB"
