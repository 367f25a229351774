"""What may lie in a dataset from a stranger: each is refused in one line, cheaply, and nothing is written elsewhere."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources.folder import Folder
from gan_lab.errors import ConfigError, GanLabError

from .conftest import encoded, noise, write_tree, write_zip

PNG = encoded(noise(8, 8))
GROWTH = """
import sys
from gan_lab.data.sources.folder import Folder
from gan_lab.errors import GanLabError

def peak():  # in MiB; of this program, not of the one that started it, as getrusage has it on Linux
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2

list(Folder(sys.argv[1]))
before = peak()
try:
    source = Folder(sys.argv[2])
    source.channels
    list(source)
except GanLabError as error:
    print(peak() - before, error)
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side: int = 16_000) -> bytes:
    """`side` x `side` black pixels of one bit: 256 megapixels in 31 kB."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + side // 8) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@cache
def black_bmp() -> bytes:
    """A zip of a black BMP of 64 megapixels: 192 MB in 190 kB."""
    side = 8000
    header = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 192_000_054, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.bmp", "w") as file:
        file.write(header)
        for _ in range(192):
            file.write(bytes(1_000_000))
    return made.getvalue()


def bomb(path: Path, size: int | None = None, packed: int | None = None) -> Path:
    """`black_bmp`, whose headers may state another size."""
    data = bytearray(black_bmp())
    for mark, offset in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        start = data.rindex(mark) + offset
        stated = struct.unpack_from("<II", data, start)
        struct.pack_into("<II", data, start, packed or stated[0], size or stated[1])
    path.write_bytes(data)
    return path


@pytest.mark.skipif(os.name == "nt", reason="no peak memory to read")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda at: write_tree(at, {"a.png": huge_png()}), "a.png: more than 64 megapixels"),
        (lambda at: write_zip(at, {"a.png": huge_png()}), "a.png: more than 64 megapixels"),
        (bomb, "that inflate to 192000054 are no image"),
        (lambda at: bomb(at, size=1_000_000), "a.bmp: damaged in the zip (BadZipFile)"),
        (lambda at: bomb(at, packed=5_000_000), "states more bytes than it has (a.bmp)"),
    ],
    ids=["png", "png in zip", "zip", "zip that understates its size", "zip that overstates its bytes"],
)
def test_a_bomb_is_refused_without_its_memory(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    assert len(huge_png()) < 32_000
    fine = write_zip(tmp_path / "fine.zip", {"a.png": PNG, "b.bmp": encoded(noise(500, 500), "BMP")})
    command = [sys.executable, "-c", GROWTH, str(fine), str(make(tmp_path / "bomb.zip"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    growth, _, said = done.stdout.rstrip("\n").partition(" ")
    assert message in said
    assert "\n" not in said
    assert float(growth) < 50


def member(name: str, mode: int = 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (mode | (0 if stat.S_IFMT(mode) else stat.S_IFREG)) << 16
    info.create_system = 3
    return info


HOSTILE = {
    "climbs": (member("../../out.png"), "../../out.png: leads out of the zip"),
    "climbs within": (member("a/../../out.png"), "a/../../out.png: leads out of the zip"),
    "absolute": (member("/tmp/out.png"), "/tmp/out.png: an absolute path"),
    "drive": (member("C:/out.png"), "C:/out.png: a drive letter"),
    "drive without a slash": (member("c:out.png"), "c:out.png: a drive letter"),
    "backslash": (member("..\\..\\out.png"), "..\\..\\out.png: a backslash in its name"),
    "backslash as separator": (member("x\\out.png"), "x\\out.png: a backslash in its name"),
    "link": (member("out.png", stat.S_IFLNK | 0o777), "out.png: a link"),
    "escapes": (member("../\x1b[2J\n.png"), "../\\x1b[2J\\n.png: leads out of the zip"),
    "twice": (member("good.png"), "names more than once (good.png)"),
    "twice in other words": (member("./good.png"), "names more than once (good.png)"),
    "nested": (member("inner.zip"), "holds 1 archives among 2 files (inner.zip); unpack them"),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_members_are_refused_in_one_line_and_nothing_is_written(
    kind: str, tmp_path: Path, root: Path, here: Path
) -> None:
    info, message = HOSTILE[kind]
    path = tmp_path / "deep" / "er" / "a.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.png", PNG)
        archive.writestr(info, PNG)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError) as caught:
        Dataset("mine", [3, 8, 8], path=str(path), max_corrupt=5).open()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert [found for found in sorted(tmp_path.rglob("*")) if found != root] == before


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_python_inflates_without_a_limit_are_refused(method: int, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.png", PNG)
    with pytest.raises(ConfigError, match=r"has 1 of 1 files compressed other than by deflate \(a\.png\)"):
        len(Folder(tmp_path / "a.zip"))


def test_a_plain_image_that_deflates_well_is_no_bomb(tmp_path: Path) -> None:
    data = encoded(noise(1, 1).resize((1500, 1500)), "BMP")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.bmp", data)
        assert archive.getinfo("a.bmp").compress_size * 100 < len(data)
    assert len(list(Folder(tmp_path / "a.zip"))) == 1


def test_an_archive_beside_images_is_named(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "images", {"a.png": PNG, "b.tar.gz": b"", "C.ZIP": b""})
    with pytest.raises(ConfigError, match=r"holds 2 archives among 3 files \(C\.ZIP, b\.tar\.gz\); unpack them, or"):
        len(Folder(path))


@pytest.mark.parametrize("absolute", [True, False])
def test_links_that_lead_out_of_the_folder_are_refused_with_what_to_do(absolute: bool, tmp_path: Path) -> None:
    outside = write_tree(tmp_path / "outside", {"a.png": PNG})
    images = write_tree(tmp_path / "images", {"x/b.png": PNG})
    write_tree(tmp_path / "images-too", {"c.png": PNG})  # begins like the folder, but is another
    up = outside if absolute else Path("../outside")
    (images / "class").symlink_to(up)
    (images / "x" / "file.png").symlink_to(outside / "a.png" if absolute else "../../outside/a.png")
    (images / "gone.png").symlink_to(tmp_path / "nowhere")
    (images / "too").symlink_to(tmp_path / "images-too")
    (images / ".hidden").symlink_to(outside)
    with pytest.raises(ConfigError) as caught:
        len(Folder(images))
    assert str(caught.value) == (
        f"dataset.path: 4 links in {images} lead out of it (class, gone.png, too, x/file.png); put what they point at "
        "into the folder, or copy it with that (cp -rL FOLDER COPY) and give the copy"
    )


def test_a_file_that_grows_while_it_is_read_is_cut(tmp_path: Path) -> None:
    source = Folder(write_tree(tmp_path / "images", {"a.png": PNG}))
    assert len(source) == 1
    (tmp_path / "images" / "a.png").write_bytes(PNG + bytes(1000))
    [(_, image, _)] = source
    assert image.size == (8, 8)


@pytest.mark.parametrize("kind", ["zip", "tree"])
def test_names_of_bad_files_cannot_break_the_line(kind: str, tmp_path: Path) -> None:
    name = "a\n\x1b[31m.png"
    path = write_zip(tmp_path / "i.zip", {name: b""}) if kind == "zip" else write_tree(tmp_path / "i", {name: b""})
    with pytest.raises(GanLabError) as caught:
        list(Folder(path))
    assert "a\\n\\x1b[31m.png: not an image (empty)" in str(caught.value)
    assert str(caught.value).isprintable()
