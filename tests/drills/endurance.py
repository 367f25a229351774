"""Long runs: a thousand checkpoints, and ten thousand rounds of a game of each family, in the same memory."""

from __future__ import annotations

import gc
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gan_lab.storage import checkpoint
from tests.conftest import TINY
from tests.drills.children import command
from tests.drills.kills import GAME, whole
from tests.test_kill import newest
from tests.vgg import write_narrow_weights

COLOUR = ("dataset=stacked_digits", "dataset.image_shape=[3,16,16]")
CAPTIONS = (
    "dataset=coloured_shapes",
    "dataset.source.count=60",
    "dataset.source.size=16",
    "dataset.image_shape=[3,16,16]",
)
FAMILIES = {
    "noise_to_image": ("model=gan_small",),
    "translation": ("model=pix2pix", "degradation=mask"),
    "cycle": ("model=cyclegan", "degradation=blur"),
    "super_resolution": ("model=srgan",),
    "style": ("model=stylegan2",),
    "text": ("model=gan_cls", *CAPTIONS),
    "detector": ("model=ganomaly",),
}
ALLOWED = 8_000_000  # bytes of memory that may come between the tenth part of a run and its end
WARM = 1000  # rounds of a run whose tenth part has seen everything once
LOOKS = (0.1, 0.5, 1.0)  # parts of a run after which it is looked at


class Held(NamedTuple):
    """What a process has at a moment: bytes of memory, open files, threads."""

    memory: int
    files: int
    threads: int

    @classmethod
    def now(cls) -> Held:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(pages * os.sysconf("SC_PAGESIZE"), len(os.listdir("/proc/self/fd")), threading.active_count())


def rotate(folder: Path, count: int) -> list[str]:
    """So many checkpoints in one run, of which three stay: the newest is whole, and nothing else is left."""
    run, keep = folder / "run", 3
    words = (*GAME, "trainer.checkpoint_every=1", f"trainer.checkpoint_keep={keep}", f"trainer.max_steps={count}")
    end = command(folder, "train", *words, "trainer.sample_every=0", "hydra.run.dir=run")
    lost = [] if end.code == 0 else [f"ended with {end.code}: {end.err[-300:]!r}"]
    wanted = {checkpoint.step_path(run, step).name for step in range(count - keep + 1, count + 1)} | {"last.pt"}
    there = {path.name for path in (run / "checkpoints").iterdir()} - {"best.pt"}
    lost += [] if there == wanted else [f"checkpoints: {sorted(there)}"]
    return lost + whole(run) + ([] if newest(run) == count else [f"ended at step {newest(run)}"])


def last(family: str) -> Callable[[Path, int], list[str]]:
    """The drill of one family: so many rounds, whose memory, open files and threads are those of the tenth part."""

    def play(folder: Path, count: int) -> list[str]:
        sometimes = max(count // 10, 1)
        every = (f"trainer.checkpoint_every={sometimes}", f"trainer.sample_every={sometimes}", "trainer.log_every=50")
        words = (
            *TINY,
            *FAMILIES[family],
            *every,
            "engine.threads=1",
            f"trainer.max_steps={count}",
            "hydra.run.dir=run",
        )
        looks = folder / "looks"
        Path(os.environ["GAN_LAB_DATA"]).mkdir(exist_ok=True)
        write_narrow_weights(Path(os.environ["GAN_LAB_DATA"]))
        end = command(folder, "train", *words, before=look, given=(count, str(looks)), patience=3600)
        if end.code != 0:
            return [f"ended with {end.code}: {end.err[-300:]!r}"]
        first, half, whole_run = (Held(*each) for each in json.loads(looks.read_text()))
        print(
            f"  {family}: " + ", ".join(f"{each.memory / 1e6:.1f} MB" for each in (first, half, whole_run)), flush=True
        )
        lost = []
        warm = first if count >= WARM else half
        if whole_run.memory - warm.memory > ALLOWED:
            lost.append(f"{family}: memory grew: {first.memory}, {half.memory}, {whole_run.memory} bytes")
        if whole_run.files > warm.files or whole_run.threads > warm.threads:
            lost.append(f"{family}: open files and threads: {first[1:]}, {half[1:]}, {whole_run[1:]}")
        return lost

    return play


def look(count: int, file: str) -> None:
    """After the parts LOOKS of `count` rounds write down what this process has."""
    from gan_lab.training.run import Run

    played, at, seen = Run.play, {max(int(count * part), 1) for part in LOOKS}, list[Held]()

    def play(run: Run) -> None:
        played(run)
        if run.step in at:
            run.writer.wait()
            gc.collect()
            seen.append(Held.now())
            Path(file).write_text(json.dumps(seen))

    Run.play = play  # type: ignore[method-assign]
