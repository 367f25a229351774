"""A folder of stand-in configs around our own primary ones, and tasks that only note what they were given."""

from __future__ import annotations

import logging
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gan_lab import config
from gan_lab.errors import ConfigError, GanLabError

GROUPS = {
    "dataset/digits": "image_shape: [1, 8, 8]",
    "dataset/folder": "path: ???",
    "degradation/none": "{}",
    "augmentation/none": "_target_: torch.nn.Identity",
    "loss/non_saturating": "defaults: [regularizers: []]\ngenerator: ns\nregularizers: {}",
    "loss/hinge": "defaults: [regularizers: []]\ngenerator: hinge\nregularizers: {}",
    "loss/regularizers/r1": "r1: {weight: 1.0}",
    "loss/regularizers/r2": "r2: {weight: 1.0}",
    "optimizer/adam": "generator: {lr: 0.1}\ndiscriminator: {lr: '${..generator.lr}'}",
    "algorithm/noise_to_image": "latent: {dim: 8}",
    "model/dcgan": "generator: {width: 64}",
    "model/gan": "generator: {width: 128}",
    "model/wgan_gp": "# @package _global_\ndefaults: [override /loss: hinge]\nmodel: {generator: {width: 32}}",
    "metrics/fid": "fid: {}",
    "metrics/modes": "modes: {}",
    "extractor/auto": "size: 8",
    "callbacks/default": "{}",
    "logger/default": "{}",
    "trainer/default": "max_steps: 10\nlog_every: 1",
    "technique/blur": "# @package _global_\naugmentation: {blur: 1}",
    "technique/noise": "# @package _global_\naugmentation: {noise: 2}",
    "experiment/row": "# @package _global_\ndefaults: [override /model: gan]\ntrainer: {max_steps: 7}",
}


class Task(ModuleType):
    """Stands for the module of a verb: keeps the configs it was called with, and fails for some seeds."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.seen: list[Any] = []

    def main(self, cfg: Any) -> float:
        self.seen.append(cfg)
        log = logging.getLogger("gan_lab.train")
        log.info("seed %s", cfg.get("seed"))
        log.debug("only for the file")
        failures: dict[int, BaseException] = {
            4: GanLabError("loss/generator is nan at step 3"),
            5: RuntimeError("out of luck\nand more"),
            6: KeyboardInterrupt(),
            7: SystemExit(143),
            8: ConfigError("precision=fp8: choose fp32 or bf16"),
        }
        if (error := failures.get(cfg.get("seed"))) is not None:
            raise error
        return 1.0


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in config folder, in force; the working directory is an empty folder beside it."""
    folder, work = tmp_path / "configs", tmp_path / "work"
    shutil.copytree(config.CONFIG_DIR / "hydra", folder / "hydra")
    for verb in ("train", "sample", "data", "runs"):
        text = (config.CONFIG_DIR / f"{verb}.yaml").read_text()
        (folder / f"{verb}.yaml").write_text(re.sub(r"- model: \w+", "- model: dcgan", text))  # a model that stands in
    for name, text in GROUPS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(text + "\n")
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(config, "CONFIG_DIR", folder)
    return folder


@pytest.fixture
def tasks(configs: Path, monkeypatch: pytest.MonkeyPatch, logging_as_before: None) -> dict[str, Task]:
    """The verbs' modules replaced."""
    found = {verb: Task(verb) for verb in ("train", "sample", "data")}
    modules = {"train": "gan_lab.train", "sample": "gan_lab.verbs.sample", "data": "gan_lab.verbs.data"}
    for verb, name in modules.items():
        monkeypatch.setitem(sys.modules, name, found[verb])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return found


@pytest.fixture
def call(tasks: dict[str, Task], capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`call("train", "seed=1")` -> exit code, stdout, stderr."""
    from gan_lab.cli import main

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
