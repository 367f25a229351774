from __future__ import annotations

import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.shards.places import Place, find_places
from gan_lab.data.shards.shard import Options, Scanned
from gan_lab.data.shards.tar import Tar
from gan_lab.errors import ConfigError, GanLabError

from .conftest import sample, write_tar


def place_of(path: Path) -> Place:
    return find_places(str(path))[0]


def scan(path: Path, **options: str) -> Scanned:
    return Tar().scan(place_of(path), Options(**options))


def labels(found: Scanned) -> list[str | None]:
    return [found.labels[code] if code >= 0 else None for code in found.table[:, -1]]


def test_samples_are_found_and_read_as_they_lie(tmp_path: Path) -> None:
    samples = {f"{'long/' * 30}{name}": sample(name, txt=f" said of {name} ") for name in range(5)}
    path = write_tar(tmp_path / "a.tar", samples)
    found = scan(path)
    assert labels(found) == ["cat", "dog", "eel", "cat", "dog"]
    assert found.captioned == 5
    read = Tar().read(place_of(path), found.table[1:4], Options())
    assert [each.data for each in read] == [sample(name)["png"] for name in (1, 2, 3)]
    assert [each.captions for each in read] == [["said of 1"], ["said of 2"], ["said of 3"]]


def test_a_record_tells_of_labels_and_captions(tmp_path: Path) -> None:
    png = sample(0)["png"]
    record = b'{"label": 7, "caption": ["one", "two "], "kind": "x"}'
    path = write_tar(tmp_path / "a.tar", {"a": {"json": record, "png": png}, "b": {"png": png, "json": b"not json"}})
    found = scan(path)
    assert (labels(found), found.captioned) == (["7", None], 1)
    read = Tar().read(place_of(path), found.table, Options())
    assert [list(each.captions) for each in read] == [["one", "two"], []]
    assert labels(scan(path, labels="kind")) == ["x", None]
    assert labels(scan(path, labels="none")) == [None, None]
    assert scan(path, captions="none").captioned == 0


def test_a_label_that_is_none_is_told_with_its_byte(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": {"png": sample(0)["png"], "json": b'{"label": [1]}'}})
    with pytest.raises(ConfigError, match=r"dataset\.labels: .*a\.tar, byte \d+: \[1\] is neither"):
        scan(path)


def test_several_pictures_of_a_sample_are_asked_about(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": {"left.png": b"l", "right.png": b"rr"}})
    with pytest.raises(ConfigError, match=r"dataset\.image: sample a .* several pictures \(left\.png, right\.png\)"):
        scan(path)
    assert scan(path, image="right.png").table[:, 1].tolist() == [2]


def test_samples_without_a_picture_and_other_members_are_left_out(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"a": {"cls": b"cat"}, "b": sample(1), ".hidden": {"png": b"x"}})
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo("c.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert labels(scan(path)) == ["dog"]


@pytest.mark.parametrize("cut", [100, 600, 2500, 5 * 1024 + 700])
def test_a_truncated_shard_is_named_with_its_sample_and_byte(cut: int, tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "whole.tar", {f"{number:03d}": sample(number) for number in range(9)}).read_bytes()
    path = tmp_path / "a.tar"
    path.write_bytes(whole[:cut])
    with pytest.raises(GanLabError, match=rf"a\.tar is truncated or damaged .*at byte \d+ of {cut} ") as caught:
        scan(path)
    assert ("before its first sample" in str(caught.value)) is (cut < 600)


def test_one_cut_between_two_members_is_truncated_too(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{number:03d}": sample(number) for number in range(3)})
    with tarfile.open(path) as tar:
        third = tar.getmembers()[4].offset
    path.write_bytes(path.read_bytes()[:third])
    with pytest.raises(GanLabError, match=rf"after sample 001, at byte {third} of {third} \(its end is missing\)"):
        scan(path)


def test_a_download_that_left_a_hole_is_damaged(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{number:03d}": sample(number) for number in range(3)})
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(2 * 1024**2))
    with pytest.raises(GanLabError, match=r"after sample 002, at byte \d+ of \d+ \(a tar ends here, and more"):
        scan(path)
    path.write_bytes(whole + bytes(10240))
    assert len(scan(path).table) == 3


def test_a_shard_that_became_shorter_is_told(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {f"{number:03d}": sample(number) for number in range(9)})
    found, place = scan(path), place_of(path)
    path.write_bytes(path.read_bytes()[: int(found.table[8, 0]) + 3])
    assert len(Tar().read(place, found.table[:8], Options())) == 8
    with pytest.raises(GanLabError, match=r"it ends at byte \d+, and has \d+ or more in its index"):
        Tar().read(place, found.table, Options())


def test_damaged_bytes_raise_nothing_else(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "whole.tar", {f"{number:03d}": sample(number) for number in range(3)}).read_bytes()
    random = np.random.default_rng(0)
    for number in range(200):
        data = bytearray(whole)
        for at in random.integers(0, len(data), 5):
            data[at] = random.integers(256)
        path = tmp_path / f"{number}.tar"
        path.write_bytes(data)
        with suppress(GanLabError):
            found, place = scan(path), place_of(path)
            if len(found.table):
                Tar().read(place, found.table, Options())
