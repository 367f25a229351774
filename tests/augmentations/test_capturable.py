"""No augmentation and no wrapper reads a number back from the device or sends one there: a round can be captured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.compose import tiny_run

WAITING = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero", "scalar_tensor"}


class NoWaiting(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func.overloadpacket.__name__ not in WAITING, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "techniques",
    [
        "diffaugment,adaptive_augmentation,instance_noise",
        "packing,minibatch_discrimination,minibatch_stddev,spectral_norm,several_discriminators",
    ],
)
def test_the_critic_waits_for_nothing(techniques: str, tmp_path: Path) -> None:
    duel = tiny_run(tmp_path, "model=dcgan", f"+technique=[{techniques}]").algorithm.duels[""]
    images = torch.randn(4, 1, 16, 16)
    with NoWaiting():
        critique = duel.critique(images, None)
        duel.note(critique.scores.detach(), critique.scores.detach())
    assert torch.isfinite(critique.scores).all()


def test_waiting_is_noticed() -> None:
    with NoWaiting(), pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(()).item()
    with NoWaiting(), pytest.raises(AssertionError, match="waits for the device"):
        torch.where(torch.ones(2) > 0, torch.ones(2), 0.0)
