"""Disks that are full or may not be written, and a store that is cut short while a run reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from gan_lab.data.store import Store
from gan_lab.errors import GanLabError
from tests.drills.children import command, one_line
from tests.drills.kills import BUSY, GAME, apart, whole
from tests.test_kill import ENDLESS, newest

SIZE = 8_000_000  # bytes of the disk


class Unmounted(Exception):
    """This system lets nobody mount a disk of his own here."""


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of SIZE bytes, in memory. Raises Unmounted."""
    place.mkdir()
    words = ("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place))
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        raise Unmounted
    try:
        yield place
    finally:
        subprocess.run(("umount", "-l", str(place)), check=True)


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Nobody may write there, root among them."""
    subprocess.run(("mount", "-o", "remount,ro", str(disk)), check=True)
    try:
        yield
    finally:
        subprocess.run(("mount", "-o", "remount,rw", str(disk)), check=True)


@contextmanager
def ballast(disk: Path, free: int) -> Iterator[None]:
    """Only `free` bytes are left on the disk."""
    path = disk / "ballast"
    room = shutil.disk_usage(disk).free - free
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(room, 1))
    try:
        yield
    finally:
        path.unlink()


def full(folder: Path, count: int) -> list[str]:
    """The disk fills up while a run writes: one line, each earlier checkpoint is whole, and with room it goes on to the
    same end. A store that is packed anew stays what it was."""
    random, lost = Random(0), list[str]()
    with small_disk(folder / "disk") as disk:
        os.environ["GAN_LAB_DATA"] = str(disk / "data")
        run = disk / "run"
        keep = ("trainer.checkpoint_keep=1000",)
        own = {"before": enter, "given": (str(disk),)}
        command(folder, "train", *GAME, *BUSY, *keep, "trainer.max_steps=1", "hydra.run.dir=run", **own)
        for _ in range(count):
            before = newest(run)
            with ballast(disk, random.randint(0, 400_000)):
                end = command(folder, "train", "resume=run", ENDLESS, **own)
                lost += one_line(end, "no space left on device")
                end = command(folder, "data", "pack", "dataset=digits", "force=true", **own)
                lost += one_line(end, "no space left")
            lost += whole(run)
            lost += [] if newest(run) >= before else [f"step {before} is gone"]
            lost += stores(disk / "data")
            for path in sorted(run.glob("checkpoints/step-*.pt"))[:-1]:  # room for those of the next time
                path.unlink()
        last = newest(run) + 2
        end = command(folder, "train", "resume=run", f"trainer.max_steps={last}", **own)
        lost += [] if end.code == 0 else [f"with room again: {end.err}"]
        words = (*GAME, *BUSY, f"trainer.max_steps={last}", f"hydra.run.dir={folder / 'straight'}")
        command(folder, "train", *words)
        return lost + apart(run, folder / "straight")


def stores(root: Path) -> list[str]:
    """What is wrong with the stores there."""
    found = []
    for card in root.glob("*/card.json"):
        try:
            Store(card.parent).verify()
        except GanLabError as error:
            found.append(str(error))
    return found if list(root.glob("*/card.json")) else ["the store is gone"]


def write_protected(folder: Path, count: int) -> list[str]:
    """Nothing may be written: every verb that writes says so in one line, and nothing has changed."""
    lost = list[str]()
    with small_disk(folder / "disk") as disk:
        os.environ["GAN_LAB_DATA"] = str(disk / "data")
        own = {"before": enter, "given": (str(disk),)}
        command(folder, "train", *GAME, *BUSY, "trainer.max_steps=1", "hydra.run.dir=run", **own)
        before = {path: path.stat().st_mtime_ns for path in disk.rglob("*")}
        for _ in range(count):
            with read_only(disk):
                for words in (
                    ("train", "resume=run", "trainer.max_steps=2"),
                    ("train", *GAME, "hydra.run.dir=other"),
                    ("train", "-m", *GAME, "seed=0,1", "hydra.sweep.dir=sweep"),
                    ("sample", "run=run", "n=4", "out=pictures"),
                    ("data", "pack", "dataset=digits", "force=true"),
                    ("data", "pack", "dataset=ring"),
                ):
                    end = command(folder, *words, **own)
                    lost += [f"{' '.join(words[:3])}: {line}" for line in one_line(end, "read-only")]
            lost += [f"{path} has changed" for path, time in before.items() if path.stat().st_mtime_ns != time]
    return lost


def enter(folder: str) -> None:
    """Work in that folder."""
    os.chdir(folder)


def truncated(folder: Path, count: int) -> list[str]:
    """The store of a run is cut short while it reads it: one line names it, and the run is whole."""
    random, run, lost = Random(0), folder / "run", list[str]()
    command(folder, "data", "pack", "dataset=digits")
    (place,) = [path.parent for path in Path(os.environ["GAN_LAB_DATA"]).glob("*/card.json")]
    images = place / "images.u8"
    whole_file = images.read_bytes()
    for number in range(count):
        words = ("resume=run", ENDLESS) if number else (*GAME, *BUSY, ENDLESS, "hydra.run.dir=run")
        size = random.choice((0, len(whole_file) // 2, len(whole_file) - 1))
        end = command(folder, "train", *words, before=cut_after, given=(random.randint(1, 5), str(images), size))
        lost += one_line(end, "images.u8", f"{size} bytes")
        images.write_bytes(whole_file)
        lost += whole(run)
    last = newest(run) + 2
    for words in (("resume=run",), (*GAME, *BUSY, "hydra.run.dir=straight")):
        command(folder, "train", *words, f"trainer.max_steps={last}")
    return lost + apart(run, folder / "straight")


def cut_after(rounds: int, images: str, size: int) -> None:
    """Data are read through the map, and their file is cut to `size` bytes after so many rounds."""
    from gan_lab.data import stream
    from gan_lab.training.run import Run

    stream._budget = lambda device, limit: 0  # type: ignore[assignment]
    played, left = Run.play, rounds

    def play(run: Run) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.truncate(images, size)
        played(run)

    Run.play = play  # type: ignore[method-assign]
