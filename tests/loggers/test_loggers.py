"""What is written down survives a kill and a second session."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_lab.loggers.base import Logger, Loggers
from gan_lab.loggers.jsonl import JsonLines, read_lines
from gan_lab.loggers.tensorboard import hyperparameters, plain
from gan_lab.storage.writer import AtOnce, Writer


def test_jsonl_drops_later_steps_and_a_cut_line(tmp_path: Path) -> None:
    first = JsonLines()
    first.open(tmp_path, 0)
    for step in (1, 2, 3):
        first.scalars(step, {"loss": step / 2})
    first.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 4, "lo')
    assert [record["step"] for record in read_lines(tmp_path / "metrics.jsonl")] == [1, 2, 3]
    second = JsonLines()
    second.open(tmp_path, 2)
    second.scalars(3, {"loss": 9.0})
    second.close()
    assert [(r["step"], r["loss"]) for r in read_lines(tmp_path / "metrics.jsonl")] == [(1, 0.5), (2, 1.0), (3, 9.0)]


class Failing(Logger):
    closed = False

    def scalars(self, step: int, figures: object) -> None:
        raise ConnectionError("the server\nis gone")

    def close(self) -> None:
        self.closed = True


class Counting(Logger):
    calls = 0

    def scalars(self, step: int, figures: object) -> None:
        self.calls += 1


def test_one_failing_logger_is_switched_off_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Failing(), Counting()
    loggers = Loggers({"bad": bad, "good": good}, AtOnce())
    for step in range(3):
        loggers.scalars(step, {})
    assert good.calls == 3
    assert bad.closed
    assert [record.getMessage() for record in caplog.records] == [
        "logger.bad failed and is off from here on (ConnectionError: the server is gone); training goes on"
    ]


class Remembering(Logger):
    def __init__(self) -> None:
        self.calls: list[tuple[str, threading.Thread]] = []
        self.figures: dict[str, float] = {}

    def open(self, folder: Path, step: int) -> None:
        self._remember("open")

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        self._remember(f"scalars {step}")
        time.sleep(0.05)
        self.figures = dict(figures)

    def image(self, step: int, name: str, picture: Tensor) -> None:
        self._remember("image")

    def text(self, step: int, name: str, text: str) -> None:
        self._remember("text")

    def hparams(self, step: int, config: Mapping[str, Any], figures: Mapping[str, float]) -> None:
        self._remember("hparams")

    def close(self) -> None:
        self._remember("close")

    def _remember(self, what: str) -> None:
        self.calls.append((what, threading.current_thread()))


def test_calls_are_made_in_order_on_one_other_thread_with_the_figures_of_then(tmp_path: Path) -> None:
    logger, writer = Remembering(), Writer()
    loggers = Loggers({"one": logger}, writer)
    figures = {"loss": 1.0}
    loggers.open(tmp_path, 0)
    loggers.text(0, "config", "")
    loggers.scalars(1, figures)
    loggers.image(1, "samples", torch.zeros(3, 2, 2, dtype=torch.uint8))
    loggers.scalars(2, figures)
    loggers.hparams(2, {}, figures)
    figures["loss"] = 2.0
    loggers.close()
    assert [what for what, _ in logger.calls] == ["open", "text", "scalars 1", "image", "scalars 2", "hparams", "close"]
    assert logger.figures == {"loss": 1.0}
    (thread,) = {thread for _, thread in logger.calls}
    assert thread is not threading.main_thread()
    writer.close()


def test_settings_as_hparams_takes_them() -> None:
    assert [plain(v) for v in (True, 3, 0.5, "a", None, [1, 2])] == ["true", 3, 0.5, "a", "null", "[1, 2]"]


def test_columns_of_the_hparams_table_are_names_and_what_was_typed() -> None:
    config = {
        "callbacks": {"progress": {"line_every": 5}},
        "trainer": {"batch_size": 4, "log_every": 2, "max_steps": 9},
        "optimizer": {"generator": {"lr": 1e-4, "betas": [0.0, 0.9]}},
        "seed": 1,
        "width": 8,
        "choices": {"model": "dcgan", "loss/regularizers": "['r1']", "logger": "default"},
        "overrides": [
            "model=dcgan",
            "loss/regularizers=[r1]",
            "+width=8",
            "callbacks.progress.line_every=5",
            "trainer.log_every=2",
            "trainer.max_steps=9",
        ],
    }
    assert hyperparameters(config) == {
        "model": "dcgan",
        "loss/regularizers": "['r1']",
        "seed": "1",
        "optimizer.generator.lr": 1e-4,
        "width": 8,
        "trainer.max_steps": 9,
    }
