"""Which precision `auto` means: what the CPU says of itself, else a stopwatch, which is read once a machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gan_lab.engine import precision
from gan_lab.engine.engine import Engine

OLD = "processor\t: 0\nmodel name\t: Old\nflags\t\t: fpu sse2 avx2 fma\n\nprocessor\t: 1\nflags\t\t: avx512_bf16\n"


@pytest.fixture
def cpuinfo(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system says of its CPU, which a test may write; an empty data root."""
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    return tmp_path / "cpuinfo"


@pytest.mark.parametrize(("gain", "expected"), [(2.0, "bf16"), (0.4, "fp32"), (1.05, "fp32")])
def test_auto_follows_the_measurement(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch, gain: float, expected: str
) -> None:
    cpuinfo.write_text(OLD.replace("fma", "fma amx_bf16"))
    monkeypatch.setattr(precision, "bf16_gain", lambda: gain)
    engine = Engine(device="cpu", precision="auto")
    assert engine.precision == expected
    assert f"{gain:.2g}x" in engine.description


@pytest.mark.parametrize(
    ("told", "capability", "units"),
    [
        (OLD, "AVX2", False),
        (OLD.replace("fma", "fma avx512f"), "AVX512", False),
        (OLD.replace("fma", "fma avx512f avx512_bf16"), "AVX512", True),
        (OLD.replace("fma", "fma avx512f avx512_bf16"), "AVX2", False),  # torch was told not to use them
        (OLD.replace("fma", "fma avx_ne_convert"), "AVX2", True),
        ("Features\t: fp asimd\n", "DEFAULT", False),
        ("Features\t: fp asimd bf16\n", "DEFAULT", True),
    ],
)
def test_the_cpu_is_asked(
    told: str, capability: str, units: bool, cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpuinfo.write_text(told)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert precision.may_have_units() is units


@pytest.mark.parametrize(
    ("machine", "capability", "units"),
    [("AMD64", "AVX2", False), ("AMD64", "AVX512", True), ("arm64", "DEFAULT", True)],
)
def test_a_system_that_lists_no_flags(
    machine: str, capability: str, units: bool, cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert precision.may_have_units() is units


def test_nothing_is_measured_where_there_are_no_units(cpuinfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo.write_text(OLD)
    monkeypatch.setattr(precision, "bf16_gain", lambda: pytest.fail("measured"))
    assert precision.pick_precision("auto", torch.device("cpu")) == ("fp32", "this CPU has no bf16 units")


def test_it_is_measured_once_a_machine(cpuinfo: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gains = iter((1.5, 0.5, 2.0, 3.0))
    monkeypatch.setattr(precision, "bf16_gain", lambda: next(gains))
    cpuinfo.write_text(OLD)
    assert [precision.remembered_gain() for _ in range(3)] == [1.5] * 3
    cpuinfo.write_text(OLD.replace("Old", "New"))  # a folder that several machines share
    assert [precision.remembered_gain() for _ in range(2)] == [0.5] * 2
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert precision.remembered_gain() == 2.0
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    assert sorted(json.loads((root / "bf16.json").read_text()).values()) == [0.5, 1.5, 2.0]
    (root / "bf16.json").write_text("[]")
    assert precision.remembered_gain() == 3.0


def test_a_place_that_cannot_be_written_only_forgets(
    cpuinfo: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.write_text("a file where the folder should be")
    monkeypatch.setattr(precision, "bf16_gain", lambda: 1.5)
    assert precision.remembered_gain() == 1.5


def test_the_measurement_is_a_ratio() -> None:
    assert 0 < precision.bf16_gain(repeats=1) < 100


@pytest.mark.parametrize(("slower", "pairs", "gain"), [(4, 2, 0.25), (2, 4, 0.5)])
def test_one_pair_behind_the_first_is_enough_where_bf16_is_emulated(
    slower: int, pairs: int, gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that runs `slower` times as long while bf16 computes, and long for what comes for the first time."""
    now, turns = 0.0, []

    def conv2d(images: torch.Tensor, *rest: object, **named: object) -> torch.Tensor:
        nonlocal now
        turns.append(images.dtype)
        now += 100 if len(turns) == 2 else slower if images.dtype == torch.bfloat16 else 1
        return images

    monkeypatch.setattr("time.perf_counter", lambda: now)
    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    assert precision.bf16_gain(repeats=3) == gain
    assert len(turns) == 2 * pairs
