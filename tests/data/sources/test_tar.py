from __future__ import annotations

import bz2
import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_lab.data.dataset import Dataset
from gan_lab.data.sources import tar
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.pairs import Pairs
from gan_lab.errors import ConfigError, GanLabError
from tests.data.conftest import encoded, noise, write_tree

MEMBERS = {f"{name}/{place}.png": encoded(noise(6, 5, seed=place)) for name in ("cat", "dog") for place in range(2)}
ENDINGS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes, "tar.gz": gzip.compress, "TGZ": gzip.compress, "tar.bz2": bz2.compress,
}  # fmt: skip


def packed(members: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return made.getvalue()


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_tar_is_the_store_of_the_folder_that_it_was_made_of(ending: str, tmp_path: Path) -> None:
    junk = {"./cat/._0.png": b"x", "@eaDir/1.png": MEMBERS["cat/0.png"], "PaxHeader/notes.txt": b"x"}
    path = write(
        tmp_path / f"x.{ending}", ENDINGS[ending](packed({f"./{name}": MEMBERS[name] for name in MEMBERS} | junk))
    )
    stores = [
        Dataset("x", [3, 5, 6], path=str(given)).store for given in (path, write_tree(tmp_path / "tree", MEMBERS))
    ]
    assert stores[0].sha256 == stores[1].sha256
    assert stores[0].classes == ["cat", "dog"]
    assert str(stores[0].card["source"]) == f"tar {path}"


def test_a_folder_inside_two_sides_and_a_table(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tar.gz", gzip.compress(packed(MEMBERS | {"t.csv": b"file,label\n0.png,u\n1.png,v\n"})))
    assert Folder(path / "cat", labels="t.csv").classes == ["u", "v"]
    pairs = list(Pairs(path_a=path / "cat", path_b=path / "dog").examples())
    np.testing.assert_array_equal(np.asarray(pairs[1].input), np.asarray(noise(6, 5, seed=1)))
    with pytest.raises(ConfigError, match=r"there is no bird with images in .*x\.tar\.gz$"):
        len(Folder(path / "bird"))


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (member("../a.png"), "leads out of the tar"),
        (member("/etc/a.png"), "an absolute path"),
        (member("a\\b.png"), "a backslash"),
        (member("c:/b.png"), "a drive letter"),
        (member("l.png", tarfile.SYMTYPE, "/etc/passwd"), "a link"),
        (member("l.png", tarfile.LNKTYPE, "cat/0.png"), "a link"),
        (member("p.png", tarfile.FIFOTYPE), "neither a file nor a folder"),
        (member("d.png", tarfile.CHRTYPE), "neither a file nor a folder"),
        (member("cat/0.png"), "names more than once"),
    ],
)
def test_what_is_not_to_be_trusted_is_refused(info: tarfile.TarInfo, reason: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.tar", packed(MEMBERS, info))
    with pytest.raises(ConfigError, match=reason):
        len(Folder(path))


@pytest.mark.parametrize("ending", ENDINGS)
def test_half_a_tar_is_one_line(ending: str, tmp_path: Path) -> None:
    whole = ENDINGS[ending](packed(MEMBERS))
    path = write(tmp_path / f"x.{ending}", whole[:2048] if ending == "tar" else whole[:-20])
    with pytest.raises(ConfigError, match=r"is not a whole tar \(.*\); fetch or pack it again$"):
        len(Folder(path))


def test_what_inflates_like_a_bomb_is_refused(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "x.tar.gz", gzip.compress(packed({"a.bmp": bytes(3_000_000)})))
    assert len(Folder(path)) == 1
    monkeypatch.setattr(tar, "MAX_FILE_BYTES", 2_000_000)
    with pytest.raises(ConfigError, match="inflates beyond what pictures could"):
        len(Folder(path))
    assert os.listdir(root) == []


def test_a_disk_that_cannot_hold_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tar.tempfile, "TemporaryFile", lambda dir: Full())
    with pytest.raises(GanLabError, match=r"cannot be inflated in .* \(No space left on device\); free some space"):
        len(Folder(write(tmp_path / "x.tgz", gzip.compress(packed(MEMBERS)))))
