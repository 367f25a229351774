from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from gan_lab import __version__
from gan_lab.data.card import CARD, IMAGES, LABELS
from gan_lab.data.packing import pack
from gan_lab.data.sources.images import fit
from gan_lab.data.store import Store
from gan_lab.errors import ConfigError, GanLabError

from .conftest import Array

SHAPE = (3, 4, 4)


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "array-4x4x3-0"


def test_the_store_holds_what_the_source_gave(folder: Path) -> None:
    source = Array(7, (3, 5, 9))
    store = pack(source, SHAPE, "pad", folder, "array")
    expected = np.stack([fit(image, SHAPE, "pad") for image in source.images])
    np.testing.assert_array_equal(store.images, expected)
    labels = np.arange(7, dtype="<i8") % 3
    assert store.sha256 == hashlib.sha256(expected.tobytes() + labels.tobytes()).hexdigest()
    card = json.loads((folder / CARD).read_text())
    assert card.pop("created").startswith("20")
    assert card == {
        "version": 1,
        "name": "array",
        "shape": [3, 4, 4],
        "count": 7,
        "classes": ["a", "b", "c"],
        "source": "random images 0",
        "origin": source.identity,
        "fit": "pad",
        "resampling": "lanczos",
        "sha256": store.sha256,
        "sizes": {"smallest": [9, 5], "largest": [9, 5], "pictures": 7, "enlarged": 0, "unlike": 0},
        "channels": 3,
        "gan_lab": __version__,
    }
    assert sorted(os.listdir(folder)) == [CARD, IMAGES, LABELS]
    assert os.listdir(folder.parent) == [folder.name]


def test_the_card_tells_gray_images_from_colour(root: Path) -> None:
    for channels in (1, 3):
        store = pack(Array(3, (channels, 4, 4)), SHAPE, "crop", root / f"array-4x4x3-{channels}", "array")
        assert (store.shape, store.card["channels"]) == (SHAPE, channels)


class Floats(Array):
    """Random values in [-1, 1] for the store to keep as they are."""

    shape = (2, 1, 1)

    def __init__(self, count: int = 5, made: tuple[int, int, int] = (2, 1, 1)) -> None:
        super().__init__(count, made)
        self.values = np.random.default_rng(0).uniform(-1, 1, (count, *made)).astype(np.float32)

    def __iter__(self):  # type: ignore[no-untyped-def]
        return ((str(index), value, index % 3) for index, value in enumerate(self.values))


def test_a_source_with_its_own_shape_is_stored_as_floats(root: Path) -> None:
    store = pack(Floats(), (2, 1, 1), "crop", root / "floats-1x1x2-0", "floats")
    assert sorted(os.listdir(store.folder)) == [CARD, "images.f32", LABELS]
    assert store.images.dtype == np.float32
    np.testing.assert_array_equal(store.images, Floats().values)
    card = json.loads((store.folder / CARD).read_text())
    assert card["dtype"] == "float32"
    assert not {"resampling", "channels"} & card.keys()
    store.verify()
    with pytest.raises(GanLabError, match=r"^0: shape \[3, 1, 1\] instead of \[2, 1, 1\]; nothing was packed$"):
        pack(Floats(made=(3, 1, 1)), (2, 1, 1), "crop", root / "floats-1x1x2-1", "floats")


def test_one_image_without_a_label_means_no_labels(folder: Path) -> None:
    class Partly(Array):
        def __iter__(self):  # type: ignore[no-untyped-def]
            for name, image, label in super().__iter__():
                yield name, image, None if label == 2 else label

    store = pack(Partly(4), SHAPE, "crop", folder, "array")
    assert store.labels is None
    assert store.classes is None
    assert not (folder / LABELS).exists()


def test_labels_without_names_are_numbered(folder: Path) -> None:
    source = Array(4)
    source.classes = None  # type: ignore[assignment]
    assert pack(source, SHAPE, "crop", folder, "array").classes == ["0", "1", "2"]


def test_a_source_without_images_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="has no images"):
        pack(Array(0), SHAPE, "crop", folder, "array")
    assert os.listdir(folder.parent) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GanLabError, ZeroDivisionError])
@pytest.mark.parametrize("force", [False, True])
def test_an_interruption_leaves_what_was_there(error: type[BaseException], force: bool, folder: Path) -> None:
    if force:
        before = pack(Array(5, seed=1), SHAPE, "crop", folder, "array").sha256

    def stop(index: int) -> None:
        if index == 6:
            raise error

    with pytest.raises(error):
        pack(Array(10, before=stop), SHAPE, "crop", folder, "array", force)
    assert os.listdir(folder.parent) == ([folder.name] if force else [])
    if force:
        Store(folder).verify()
        assert Store(folder).sha256 == before


def test_force_replaces(folder: Path) -> None:
    pack(Array(5, seed=1), SHAPE, "crop", folder, "array")
    kept = pack(Array(5, seed=2), SHAPE, "crop", folder, "array")
    np.testing.assert_array_equal(kept.images, Array(5, seed=1).images)
    replaced = pack(Array(5, seed=2), SHAPE, "crop", folder, "array", force=True)
    np.testing.assert_array_equal(replaced.images, Array(5, seed=2).images)
    assert os.listdir(folder.parent) == [folder.name]


def test_the_old_store_comes_back_when_the_new_one_cannot_be_put_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pack(Array(5, seed=1), SHAPE, "crop", folder, "array").sha256
    rename = os.rename
    calls = []

    def fail_on_the_second(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr("os.rename", fail_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        pack(Array(5, seed=2), SHAPE, "crop", folder, "array", force=True)
    assert Store(folder).sha256 == before
    assert os.listdir(folder.parent) == [folder.name]


def test_a_damaged_store_in_the_way_is_replaced(folder: Path) -> None:
    pack(Array(5, seed=1), SHAPE, "crop", folder, "array")
    (folder / IMAGES).write_bytes(b"")
    pack(Array(5, seed=1), SHAPE, "crop", folder, "array").verify()
    assert os.listdir(folder.parent) == [folder.name]


@pytest.mark.parametrize("force", [False, True])
def test_many_at_once_end_well(force: bool, folder: Path) -> None:
    together = threading.Barrier(6)
    stores: list[Store] = []

    def run() -> None:
        wait = lambda index: together.wait(30) if index == 9 else None  # noqa: E731
        stores.append(pack(Array(10, before=wait), SHAPE, "crop", folder, "array", force))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 6
    assert os.listdir(folder.parent) == [folder.name]
    Store(folder).verify()


def pack_in_process(folder: Path, start: object, count: int) -> None:
    start.wait(60)  # type: ignore[attr-defined]
    pack(Array(count), SHAPE, "crop", folder, "array").verify()


def test_two_processes_end_well(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    workers = [context.Process(target=pack_in_process, args=(folder, start, 500)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(100)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert os.listdir(folder.parent) == [folder.name]


def test_what_a_killed_process_left_is_removed_and_a_living_ones_stays(folder: Path) -> None:
    """Also those of other stores, and the old store that a forced pack had set aside; nothing else that is hidden."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    names = {pid: f".{folder.name}.{host}.{pid}.abc" for pid in (dead.pid, os.getppid())}
    others = [f".{folder.name}.elsewhere.{dead.pid}.abc", f".mine.{host}.{dead.pid}.abc"]
    gone = [f".other-8x8x3-0a1b.{host}.{dead.pid}.abc", f".{folder.name}.{host}.{dead.pid}.abc.old"]
    for name in (*names.values(), *others, *gone):
        (folder.parent / name).mkdir(parents=True)
    pack(Array(3), SHAPE, "crop", folder, "array")
    assert sorted(os.listdir(folder.parent)) == sorted([folder.name, names[os.getppid()], *others])


def test_a_store_that_was_set_aside_by_a_killed_process_is_put_back(folder: Path) -> None:
    """Killed between its two renames, it left the old store and the new one under names that nobody looks at."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    pack(Array(3), SHAPE, "crop", folder, "array")
    other = folder.with_name("other-8x8x3-0a1b")
    folder.rename(folder.with_name(f".{other.name}.{socket.gethostname()}.{dead.pid}.abc.old"))
    pack(Array(4), SHAPE, "crop", folder, "array")
    assert [len(Store(path)) for path in (other, folder)] == [3, 4]
    assert sorted(os.listdir(folder.parent)) == sorted([folder.name, other.name])


def test_a_full_disk_is_one_line_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(GanLabError, match=rf"^{folder}: no space left \(480 bytes needed, \d+ free\)"):
        pack(Array(10), SHAPE, "crop", folder, "array")
    assert os.listdir(folder.parent) == []


def test_a_data_root_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(GanLabError, match="Not a directory; set GAN_LAB_DATA"):
        pack(Array(3), SHAPE, "crop", tmp_path / "file" / "sub" / "array-4x4x3-0", "array")
