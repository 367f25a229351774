"""The layout of images and kernels is that of the kind of machine."""

from __future__ import annotations

import pytest
import torch

from gan_lab.engine.engine import Engine
from gan_lab.engine.layout import pick_channels_last

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("device", "precision", "capability", "expected"),
    [
        (CPU, "fp32", "AVX2", False),
        (CPU, "bf16", "AVX2", True),
        (CPU, "fp32", "AVX512", True),
        (CPU, "fp32", "DEFAULT", True),
        (CUDA, "fp32", "AVX2", True),
    ],
)
def test_auto(
    device: torch.device, precision: str, capability: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert pick_channels_last("auto", device, precision) is expected
    assert pick_channels_last(True, device, precision) is True
    assert pick_channels_last(False, device, precision) is False


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_kernels_lie_as_the_engine_says(capability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    engine = Engine(device="cpu", precision="fp32")
    kernel = engine.place(torch.nn.Conv2d(2, 3, 3)).weight
    assert engine.channels_last == (capability == "AVX512")
    assert kernel.is_contiguous(memory_format=torch.channels_last) == engine.channels_last
    assert engine.products == engine.channels_last
