"""What is written down survives a kill and a second sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan_lab.loggers.base import Logger, Loggers
from gan_lab.loggers.jsonl import JsonLines, read
from gan_lab.loggers.tensorboard import hyperparameters, plain


def test_jsonl_drops_later_steps_and_a_cut_line(tmp_path: Path) -> None:
    first = JsonLines()
    first.open(tmp_path, 0)
    for step in (1, 2, 3):
        first.scalars(step, {"loss": step / 2})
    first.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 4, "lo')
    assert [record["step"] for record in read(tmp_path / "metrics.jsonl")] == [1, 2, 3]
    second = JsonLines()
    second.open(tmp_path, 2)
    second.scalars(3, {"loss": 9.0})
    second.close()
    assert [(r["step"], r["loss"]) for r in read(tmp_path / "metrics.jsonl")] == [(1, 0.5), (2, 1.0), (3, 9.0)]


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
    loggers = Loggers({"bad": bad, "good": good})
    for step in range(3):
        loggers.scalars(step, {})
    assert good.calls == 3
    assert bad.closed
    assert [record.getMessage() for record in caplog.records] == [
        "logger.bad failed and is off from here on (ConnectionError: the server is gone); training goes on"
    ]


def test_settings_as_hparams_takes_them() -> None:
    assert [plain(v) for v in (True, 3, 0.5, "a", None, [1, 2])] == [True, 3, 0.5, "a", "None", "[1, 2]"]


def test_columns_of_the_hparams_table_are_names_and_what_was_typed() -> None:
    config = {
        "callbacks": {"progress": {"line_every": 5}},
        "trainer": {"batch_size": 4, "log_every": 2},
        "optimizer": {"generator": {"lr": 1e-4, "betas": [0.0, 0.9]}},
        "seed": 1,
        "width": 8,
        "choices": {"model": "dcgan", "loss/regularizers": "['r1']", "logger": "default"},
        "overrides": ["model=dcgan", "loss/regularizers=[r1]", "optimizer.generator.lr=1e-4", "+width=8"],
    }
    assert hyperparameters(config) == {
        "model": "dcgan",
        "loss/regularizers": "['r1']",
        "seed": 1,
        "optimizer.generator.lr": 1e-4,
        "width": 8,
    }
