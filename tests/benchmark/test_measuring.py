"""Blocks in turns, and what is made of their times."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from gan_lab.benchmark.ceilings import ceilings
from gan_lab.benchmark.layers import layer_speeds, multiplications, table
from gan_lab.benchmark.measuring import alternate, block, ratios, spread
from gan_lab.engine.engine import Engine
from gan_lab.layers.projection import Readout
from tests.compose import tiny_run

CPU = torch.device("cpu")


def test_middle_least_and_most() -> None:
    assert spread([3.0, 1.0, 2.0, 10.0]) == (2.5, 1.0, 10.0)
    assert f"{spread([1.0, 2.0, 4.0]):.1f}" == "2.0 (1.0 to 4.0)"


def test_ratios_are_taken_block_by_block() -> None:
    """A machine that is twice as slow in one block says nothing about the sides."""
    assert ratios([1.0, 2.0, 1.0], [2.0, 4.0, 3.0]) == (2.0, 2.0, 3.0)


def test_sides_play_in_turns_and_the_first_block_does_not_count() -> None:
    order: list[str] = []
    told: list[int] = []
    sides = {name: (lambda name=name: order.append(name)) for name in ("a", "b")}
    times = alternate(sides, 2, 1e-9, CPU, lambda index, latest: told.append(index))
    assert order == ["a", "b"] * 3
    assert told == [0, 1, 2]
    assert {name: len(values) for name, values in times.items()} == {"a": 2, "b": 2}


def test_a_block_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 10 ms by a clock that only they move."""
    calls: list[int] = []
    monkeypatch.setattr("gan_lab.benchmark.measuring.time.perf_counter", lambda: 0.01 * len(calls))
    played = block(lambda: calls.append(1), 0.05, CPU)
    assert played.calls == len(calls) == 5
    assert played.seconds == pytest.approx(0.05)
    assert played.each == pytest.approx(0.01)


def test_a_block_does_not_outrun_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Launching costs nothing, what was launched takes 10 ms when it is waited for."""
    launched: list[int] = []
    clock = [0.0]

    def wait(device: torch.device) -> None:
        clock[0] += 0.01 * len(launched)
        launched.clear()

    monkeypatch.setattr("gan_lab.benchmark.measuring.synchronise", wait)
    monkeypatch.setattr("gan_lab.benchmark.measuring.time.perf_counter", lambda: clock[0])
    played = block(lambda: launched.append(1), 1.0, CPU)
    assert played.each == pytest.approx(0.01)
    assert 1.0 <= played.seconds < 1.3


@pytest.mark.parametrize(
    ("layer", "shape", "flops"),
    [
        (nn.Linear(10, 7), (3, 10), 2 * 3 * 10 * 7),
        (nn.Linear(10, 7), (3, 5, 10), 2 * 3 * 5 * 10 * 7),
        (Readout(4, 2, 3), (3, 4, 2, 3), 2 * 3 * 4 * 2 * 3),
        (nn.Conv2d(4, 6, 4, stride=2, padding=1), (3, 4, 8, 8), 2 * 3 * 6 * 4 * 4 * 4 * 4 * 4),
        (nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1), (3, 6, 4, 4), 2 * 3 * 6 * 4 * 4 * 4 * 4 * 4),
        (nn.Conv2d(4, 6, 3, padding=1, groups=2), (3, 4, 8, 8), 2 * 3 * 6 * 2 * 3 * 3 * 8 * 8),
    ],
)
def test_multiplications(layer: nn.Module, shape: tuple[int, ...], flops: int) -> None:
    assert multiplications(layer, shape) == flops


def test_layers_against_the_ceiling() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8 * 36, 1))
    speeds = layer_speeds(
        {"discriminator": network}, {"discriminator": (torch.randn(4, 3, 8, 8),)}, Engine("cpu", "fp32")
    )
    assert [each.name for each in speeds] == ["discriminator.0", "discriminator.3"]
    assert speeds[1].shape == (4, 288)
    assert all(each.forward > 0 and each.both > 0 for each in speeds)
    assert len(table(speeds, 1e12).splitlines()) == 4


def test_layers_of_labelled_networks(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "model=cdcgan", "precision=fp32", "width=8")
    images, labels, *_ = run.stream.next()
    latent = torch.randn(len(images), 100)
    speeds = layer_speeds(
        run.algorithm.networks, {"generator": (latent, labels), "discriminator": (images, labels)}, run.engine
    )
    assert {each.name.partition(".")[0] for each in speeds} == {"generator", "discriminator"}
    assert all(each.flops > 0 for each in speeds)


def test_ceilings() -> None:
    limit = ceilings(CPU, torch.float32)
    assert limit.arithmetic == "fp32"
    assert 1e8 < limit.matmul < 1e16
    assert 1e7 < limit.copy < 1e14
