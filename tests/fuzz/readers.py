"""Every reader of files that others may have written, with good files to begin from."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image

from gan_lab.command_line.stored_overrides import stored_overrides, sweep_overrides
from gan_lab.config import check_targets
from gan_lab.data.sources import tables
from gan_lab.data.sources.arrays import Arrays
from gan_lab.data.sources.captions import read_captions
from gan_lab.data.sources.folder import Folder
from gan_lab.data.sources.images import FORMATS, decode
from gan_lab.data.store import Store
from gan_lab.loggers.jsonl import read_lines
from gan_lab.records.record import Record
from gan_lab.records.sweep import stored_jobs
from gan_lab.storage import checkpoint, inert_pickle
from gan_lab.storage.network_pickle import read_network_pickle
from gan_lab.training.initialise import read_weights
from gan_lab.training.start import read_config
from tests.fuzz.mutations import mutate_bytes, mutate_tree
from tests.importing import files as pickles


@dataclass(frozen=True)
class Reader:
    """`read` is given a folder with the damaged `file` in it; `good` are the contents to begin from: bytes, or a tree
    that `write` turns into bytes."""

    file: str
    read: Callable[[Path], Any]
    good: Callable[[], Sequence[Any]]
    write: Callable[[Any], bytes] | None = None
    tensors: bool = False
    beside: Callable[[Path], None] = lambda folder: None

    def damaged(self, random: Random) -> bytes:
        """A file of this kind that somebody has damaged or made up."""
        good = _once(self.good)
        if self.write is None:
            return mutate_bytes(random.choice(good), good, random)
        while True:
            try:
                written = self.write(mutate_tree(random.choice(good), random, self.tensors))
                break
            except (TypeError, ValueError, OverflowError, yaml.YAMLError):  # not everything can be written
                continue
        return mutate_bytes(written, [written], random) if random.random() < 0.2 else written


@cache
def _once(good: Callable[[], Sequence[Any]]) -> Sequence[Any]:
    return good()


def saved(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def state() -> dict[str, Any]:
    weights = {"layers.0.weight": torch.randn(3, 2), "layers.0.bias": torch.zeros(3)}
    config = {"trainer": {"max_steps": 10}, "model": {"generator": {"_target_": "gan_lab.models.mlp.Generator"}}}
    return {
        "version": checkpoint.VERSION,
        "step": 3,
        "images_seen": 30,
        "networks": {"generator": weights},
        "ema": {"generator": weights},
        "optimizers": {"generator": {"state": {0: {"step": torch.ones(())}}, "param_groups": [{"lr": 0.1}]}},
        "algorithm": {"regularizers": {}, "memory": {}},
        "augmentation": {},
        "stream": {"seed": 0, "epoch": 1, "position": 4},
        "metrics": {"loss/generator": 0.5},
        "config": config,
    }


def read_checkpoint(folder: Path) -> None:
    found = checkpoint.load(folder / "state.pt")
    checkpoint.is_begun(found)
    check_targets(found["config"])


def pictures() -> list[bytes]:
    """One small picture of every format that this Pillow writes, in gray, colour, with a palette or transparency."""
    Image.init()
    found = []
    noise = np.random.default_rng(0).integers(0, 256, (9, 11, 4), np.uint8)
    for kind in FORMATS:
        for mode in ("L", "RGB", "RGBA", "P", "I;16"):
            buffer = io.BytesIO()
            try:
                Image.fromarray(noise).convert("I" if mode == "I;16" else mode).save(buffer, kind)
            except (KeyError, OSError, ValueError, TypeError):  # which does not write this
                continue
            found.append(buffer.getvalue())
    return found


@cache
def picture() -> bytes:
    return next(found for found in pictures() if found.startswith(b"\x89PNG"))


def zips() -> list[bytes]:
    found = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name in ("train/a/1.png", "train/a/2.png", "test/b/3.png"):
                archive.writestr(name, picture())
            archive.writestr("captions.csv", "file,caption\n1.png,one\n")
        found.append(buffer.getvalue())
    return found


def tars() -> list[bytes]:
    found = []
    for mode in ("w", "w:gz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
            for name in ("a/1.png", "a/2.png", "b/3.png"):
                member = tarfile.TarInfo(name)
                member.size = len(picture())
                archive.addfile(member, io.BytesIO(picture()))
        found.append(buffer.getvalue())
    return found


def read_folder(path: Path) -> None:
    source = Folder(path)
    len(source), source.classes, source.channels, source.describe()
    list(source)


def arrays() -> list[bytes]:
    images, labels = np.zeros((4, 5, 5, 3), np.uint8), np.arange(4)
    found = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, images=images, labels=labels)  # type: ignore[arg-type]
        found.append(buffer.getvalue())
    return found


def array() -> list[bytes]:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((4, 5, 5, 3), np.uint8))
    return [buffer.getvalue()]


def read_arrays(path: Path) -> None:
    source = Arrays(path)
    len(source), source.classes, source.channels, source.describe()
    list(source)


CARD = {
    "version": 2,
    "name": "some",
    "count": 2,
    "shape": [3, 2, 2],
    "dtype": "uint8",
    "classes": ["a", "b"],
    "columns": {"image": {"dtype": "uint8", "shape": [3, 2, 2]}, "label": {"dtype": "int64", "shape": []}},
    **dict.fromkeys(("source", "origin", "fit", "sha256"), ""),
}


def beside_card(folder: Path) -> None:
    (folder / "images.u8").write_bytes(bytes(24))
    (folder / "labels.i64").write_bytes(np.arange(2).astype("<i8").tobytes())


def read_store(folder: Path) -> None:
    store = Store(folder)
    len(store), store.nbytes, store.shape, store.classes, store.words, store.input_shape, store.name
    store.read([0])


ROWS = [{"file": "a/1.png", "caption": "a red heart"}, {"file": "a/2.png", "caption": ["one", "two"]}]


def read_table(path: Path) -> None:
    read_captions(tables.Table("dataset.captions", path.name, path.read_bytes()))


SUMMARY = {
    "state": "finished",
    "step": 10,
    "max_steps": 10,
    "seconds": 3.5,
    "figures": {"fid/train": 3.0, "loss/generator": 0.1},
    "metrics": {"fid/train": {"value": 3.0, "stderr": 0.1, "n": 100}},
    "error": None,
    "updated": "2026-01-01T00:00:00+00:00",
}
CONFIG = {
    "trainer": {"max_steps": 10, "batch_size": 4},
    "model": {"generator": {"_target_": "gan_lab.models.mlp.Generator", "width": 4}},
    "objective": "fid",
    "choices": {"model": "gan", "dataset": "digits"},
    "overrides": ["model=gan", "trainer.max_steps=10"],
}


def read_record(folder: Path) -> None:
    found = Record(folder, "run")
    found.facts(["fid", "seed"])
    found.names()


def read_run_config(path: Path) -> None:
    check_targets({key: value for key, value in read_config(path).items() if key not in ("choices", "overrides")})


def read_overrides(folder: Path) -> None:
    stored_overrides(folder.parent)


def read_sweep(folder: Path) -> None:
    stored_jobs(folder)


def weights() -> dict[str, Any]:
    return {"params": {"conv.weight": torch.randn(2, 2), "conv.bias": torch.zeros(2)}, "step": 3}


def safetensors() -> list[bytes]:
    from safetensors.torch import save

    return [save({"conv.weight": torch.randn(2, 2), "conv.bias": torch.zeros(2)})]


def network_pickles() -> list[bytes]:
    weights = pickles.filtered({"b4.conv1.weight": torch.randn(2, 2, 3, 3), "mapping.w_avg": torch.zeros(4)})
    return [
        pickles.dumped({"G_ema": pickles.module("Generator", weights), "training_set_kwargs": {}}, protocol)
        for protocol in (2, 4)
    ]


def plain_pickles() -> list[bytes]:
    tree = {"a": [1, 2.5, "x", None, (True, b"y")], "b": {1: {2, 3}}, "c": torch.arange(3), "d": np.arange(3)}
    return [pickle.dumps(tree, protocol) for protocol in range(6)]


def dumped(tree: Any) -> bytes:
    return yaml.safe_dump(tree, sort_keys=False).encode()


def as_json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def as_lines(tree: Any) -> bytes:
    return b"".join(as_json(row) + b"\n" for row in tree)


def as_csv(tree: Any) -> bytes:
    return b"file,caption\n" + b"".join(f"{row['file']},{row['caption']}\n".encode() for row in tree)


READERS: dict[str, Reader] = {
    "checkpoint, bytes": Reader("state.pt", read_checkpoint, lambda: [saved(state())]),
    "checkpoint, values": Reader("state.pt", read_checkpoint, lambda: [state()], saved, tensors=True),
    "weights, bytes": Reader("w.pth", lambda f: read_weights(f / "w.pth"), lambda: [saved(weights()), saved(state())]),
    "weights, values": Reader("w.pth", lambda f: read_weights(f / "w.pth"), lambda: [weights(), state()], saved, True),
    "safetensors": Reader("w.safetensors", lambda f: read_weights(f / "w.safetensors"), safetensors),
    "network pickle": Reader("n.pkl", lambda f: read_network_pickle(f / "n.pkl"), network_pickles),
    "pickle": Reader("p.pkl", lambda f: inert_pickle.read((f / "p.pkl").read_bytes(), "p.pkl"), plain_pickles),
    "image": Reader("x.png", lambda f: decode((f / "x.png").read_bytes()), pictures),
    "zip": Reader("x.zip", lambda f: read_folder(f / "x.zip"), zips),
    "tar": Reader("x.tar", lambda f: read_folder(f / "x.tar"), tars),
    "npz": Reader("x.npz", lambda f: read_arrays(f / "x.npz"), arrays),
    "npy": Reader("x.npy", lambda f: read_arrays(f / "x.npy"), array),
    "card": Reader("card.json", read_store, lambda: [CARD], as_json, beside=beside_card),
    "captions, csv": Reader("c.csv", lambda f: read_table(f / "c.csv"), lambda: [as_csv(ROWS), as_csv(ROWS * 3)]),
    "captions, json": Reader("c.json", lambda f: read_table(f / "c.json"), lambda: [ROWS], as_json),
    "captions, jsonl": Reader("c.jsonl", lambda f: read_table(f / "c.jsonl"), lambda: [as_lines(ROWS)]),
    "config": Reader("config.yaml", lambda f: read_run_config(f / "config.yaml"), lambda: [CONFIG], dumped),
    "overrides": Reader(
        "overrides.yaml", read_overrides, lambda: [["model=gan", "seed=3", "+technique=[lecam]", "trust=[]"]], dumped
    ),
    "sweep": Reader(
        "multirun.yaml",
        sweep_overrides,
        lambda: [{"hydra": {"overrides": {"task": ["seed=1,2"]}, "runtime": {"choices": {"hydra/sweeper": "basic"}}}}],
        dumped,
    ),
    "sweep.json": Reader(
        "sweep.json", read_sweep, lambda: [{"jobs": [{"number": 0, "folder": "0", "state": "finished"}]}], as_json
    ),
    "summary": Reader(
        "summary.json",
        read_record,
        lambda: [SUMMARY],
        as_json,
        beside=lambda folder: (folder / "config.yaml").write_bytes(dumped(CONFIG)),  # type: ignore[arg-type, return-value]
    ),
    "record": Reader("config.yaml", read_record, lambda: [CONFIG], dumped),
    "metrics": Reader("m.jsonl", lambda f: list(read_lines(f / "m.jsonl")), lambda: [as_lines([{"step": 1}] * 3)]),
}
