"""Event files as TensorBoard itself reads them."""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data
from tensorboard.summary.writer.record_writer import RecordWriter

from gan_lab.loggers.base import Loggers
from gan_lab.loggers.dashboard import METRICS
from gan_lab.loggers.tensorboard import TensorBoard
from gan_lab.metrics.figure import Figure
from gan_lab.storage.writer import AtOnce


def board(folder: Path, step: int = 0) -> TensorBoard:
    logger = TensorBoard()
    logger.open(folder, step)
    return logger


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
    found.Reload()
    return found


def server(folder: Path) -> TBContext:
    """What TensorBoard's plugins see of the runs below a folder."""
    multiplexer = EventMultiplexer(max_reload_threads=1)
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    return TBContext(data_provider=MultiplexerDataProvider(multiplexer, str(folder)), logdir=str(folder))


def figure(name: str, value: float, spread: float | None = None) -> Figure:
    return Figure(name, value, spread, True, {})


def test_a_run_that_goes_on_voids_later_steps_within_the_same_second(tmp_path: Path) -> None:
    for first, value in ((0, 1.0), (2, 2.0), (3, 3.0)):
        logger = board(tmp_path, first)
        for step in range(first + 1, first + 4):
            logger.scalars(step, {"loss/generator": value})
        logger.close()
    assert [(e.step, e.value) for e in events(tmp_path).Scalars("loss/generator")] == [
        *((1, 1.0), (2, 1.0)),
        (3, 2.0),
        *((4, 3.0), (5, 3.0), (6, 3.0)),
    ]


def test_a_clock_that_was_set_back_changes_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board(tmp_path).close()
    (first,) = tmp_path.iterdir()
    monkeypatch.setattr("time.time", lambda: 5.0)
    board(tmp_path, 3).close()
    assert sorted(tmp_path.iterdir())[0] == first


def test_a_run_of_before_goes_on_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").mkdir()
    board(tmp_path, 4).close()
    assert [path.parent.name for path in tmp_path.rglob("events*")] == ["tensorboard"]
    assert "losses of the players" in charts(tmp_path)


def test_the_run_is_named_by_its_folder(tmp_path: Path) -> None:
    logger = board(tmp_path / "dcgan-cifar10" / "TIME")
    logger.scalars(1, {"loss/generator": 1.0})
    logger.close()
    runs = server(tmp_path).data_provider.list_runs(RequestContext(), experiment_id="")
    assert [run.run_name for run in runs] == ["dcgan-cifar10/TIME"]


def test_small_pictures_are_enlarged_by_a_whole_factor_unsmoothed(tmp_path: Path) -> None:
    logger = board(tmp_path)
    small = torch.randint(0, 256, (3, 20, 30), dtype=torch.uint8)
    logger.image(1, "samples", small)
    logger.image(2, "samples", torch.zeros(3, 530, 700, dtype=torch.uint8))
    logger.close()
    first, second = (Image.open(io.BytesIO(e.encoded_image_string)) for e in events(tmp_path).Images("samples"))
    assert (first.size, second.size) == ((540, 360), (700, 530))  # 18 times; as it is
    assert np.array_equal(np.array(first), small.permute(1, 2, 0).numpy().repeat(18, 0).repeat(18, 1))


def test_a_histogram_counts_every_score(tmp_path: Path) -> None:
    logger = board(tmp_path)
    logger.histogram(5, "score/real/histogram", torch.tensor([0.0, 1.0, 1.0, 1.0]))
    logger.close()
    (event,) = events(tmp_path).Histograms("score/real/histogram")
    found = event.histogram_value
    assert (event.step, found.num, found.min, found.max, found.sum) == (5, 4, 0, 1, 3)
    assert sum(found.bucket) == 4
    assert found.bucket[-1] == 3


def test_metrics_have_intervals_and_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    logger = board(tmp_path)
    logger.metrics(5, [figure("fid/a-9", 20.0, 0.5), figure("modes/a-9", 3.0), figure("kid/a-9", math.nan, 1.0)])
    logger.close()
    found = events(tmp_path)
    values = {tag: found.Scalars(tag)[0].value for tag in found.Tags()["scalars"]}
    assert values == {
        "metrics/a-9/fid": 20.0,
        "metrics/a-9/modes": 3.0,
        "uncertainty/a-9/fid/lower": 19.5,
        "uncertainty/a-9/fid/upper": 20.5,
    }


def charts(folder: Path) -> list[str]:
    """The titles as the plugin of custom scalars serves them for all runs of a folder."""
    with warnings.catch_warnings():  # of what it brings along
        warnings.simplefilter("ignore")
        from tensorboard.plugins.custom_scalar.custom_scalars_plugin import CustomScalarsPlugin
    found = CustomScalarsPlugin(server(folder)).layout_impl(RequestContext(), "")
    text = found if isinstance(found, str) else str(found)
    return [part.split('"')[1] for part in text.split('"title":')[1:]]


def test_the_layouts_of_runs_are_joined_and_a_chart_that_they_share_is_there_once(tmp_path: Path) -> None:
    for run, names in (("a", ["fid/a-9"]), ("b", ["fid/a-9", "kid/a-9"])):
        logger = board(tmp_path / run)
        logger.metrics(5, [figure(name, 1.0, 0.1) for name in names])
        logger.close()
    titles = charts(tmp_path)
    assert titles[0].startswith("The game")
    assert titles[1:4] == [
        "losses of the players",
        "scores of real and generated images",
        "gradient norms of the players",
    ]
    assert titles.count("losses of the players") == titles.count("fid/a-9") == titles.count("kid/a-9") == 1


def test_a_run_that_goes_on_keeps_the_charts_of_its_metrics(tmp_path: Path) -> None:
    logger = board(tmp_path / "a")
    logger.metrics(5, [figure("fid/a-9", 1.0, 0.1)])
    logger.close()
    logger = board(tmp_path / "a", 4)
    logger.scalars(5, {"loss/generator": 1.0})
    logger.close()
    assert "fid/a-9" in charts(tmp_path)


def test_the_charts_are_written_when_there_are_others(tmp_path: Path) -> None:
    logger = board(tmp_path)
    for step, names in ((5, "ab"), (6, "ab"), (7, "abc")):
        logger.metrics(step, [figure(f"{name}/x-9", 1.0) for name in names])
    logger.close()
    assert [event.step for event in events(tmp_path).Tensors("custom_scalars__config__")] == [0, 0, 0]


def test_every_metric_of_a_run_has_its_chart(trained: Callable[..., Path]) -> None:
    measured = ("callbacks.metrics.every=2", "callbacks.metrics.n=128", "metrics=[fid,swd]", "extractor=pixels")
    run = trained("run", "model=gan_small", *measured)
    known = set(events(run).Tags()["scalars"])
    written = events(run).Tensors("custom_scalars__config__")[-1].tensor_proto.string_val[0]
    series = [each.margin.series[0] for each in Layout.FromString(written).category[METRICS].chart]
    assert {each.value for each in series} == {"metrics/pixels-area8-128/fid", "metrics/laplacian-128/swd"}
    assert all({each.value, each.lower, each.upper} <= known for each in series)
    assert any(each.lower != each.upper for each in series)


def configuration(*overrides: str, **settings: Any) -> dict[str, Any]:
    optimizer = {"generator": {"lr": settings.get("lr", 2e-4), "betas": [0.5, 0.9]}}
    choices = {"dataset": "digits", "model": "gan", "loss": settings.get("loss", "hinge")}
    return {
        "seed": settings.get("seed", 0),
        "optimizer": optimizer,
        "trainer": {"batch_size": settings.get("batch_size", 64)},
        "choices": choices,
        "overrides": [*overrides],
    }


def columns(folder: Path) -> tuple[dict[str, bool], set[str]]:
    """The columns of HParams, in their order, and whether they differ; and the metrics."""
    context = Context(server(folder))
    request = RequestContext()
    told = context.experiment_from_metadata(request, "", True, context.hparams_metadata(request, ""), [])
    return {each.name: each.differs for each in told.hparam_infos}, {each.name.tag for each in told.metric_infos}


def test_hparams_has_the_columns_of_every_run_those_that_differ_first(tmp_path: Path) -> None:
    other = configuration("trainer.batch_size=32", "loss=wgan", batch_size=32, loss="wgan", seed=7)
    runs = {"fid/a-9": configuration("optimizer.generator.lr=1e-3", lr=1e-3), "kid/a-9": other}
    for number, (metric, config) in enumerate(runs.items()):
        logger = board(tmp_path / str(number))
        logger.metrics(5, [figure(metric, 1.0)])
        logger.hparams(5, config, {})
        logger.close()
    found, metrics = columns(tmp_path)
    assert list(found) == [
        *("loss", "optimizer.generator.lr", "seed"),
        *("dataset", "model", "trainer.batch_size"),
    ]
    assert [name for name, differs in found.items() if differs] == ["loss", "optimizer.generator.lr", "seed"]
    assert metrics == {"metrics/a-9/fid", "metrics/a-9/kid"}


def test_a_run_that_goes_on_with_other_settings_is_compared_by_those(tmp_path: Path) -> None:
    for step, lr in ((5, 2e-4), (9, 1e-3)):
        logger = board(tmp_path / "a", step - 5)
        logger.hparams(step, configuration(lr=lr), {})
        logger.close()
    context = Context(server(tmp_path))
    tags = context.hparams_metadata(RequestContext(), "")["a"]
    began = parse_session_start_info_plugin_data(tags["_hparams_/session_start_info"])
    assert began.hparams["optimizer.generator.lr"].number_value == 1e-3
    assert "_hparams_/session_end_info" in tags
    assert "_hparams_/experiment" not in tags


def test_a_full_disk_is_one_line_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crashed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", crashed.append)
    loggers = Loggers({"tensorboard": TensorBoard()}, AtOnce())
    loggers.open(tmp_path, 0)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    for step in range(1, 5):
        loggers.scalars(step, {"loss/generator": 1.0})
    loggers.close()
    assert [record.getMessage() for record in caplog.records] == [
        "logger.tensorboard failed and is off from here on (OSError: [Errno 28] No space left on device); "
        "training goes on"
    ]
    assert not crashed


@pytest.mark.whole
def test_a_sweep_is_compared_by_what_differs(gan_lab: Callable[..., int], here: Path) -> None:
    from tests.conftest import TINY

    swept = ("seed=3,4", "optimizer.generator.lr=1e-4,1e-3", "hydra.sweep.dir=sweep")
    assert gan_lab("train", "-m", *TINY, "model=gan_small", *swept) == 0
    found, metrics = columns(here / "sweep")
    assert list(found.items())[:2] == [("optimizer.generator.lr", True), ("seed", True)]
    assert not any(list(found.values())[2:])
    assert {"loss/generator", "loss/discriminator"} <= metrics
