"""What this machine can do at most, measured on the spot: a large matrix product, and a large copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from gan_lab.benchmark.measuring import synchronise


class Ceilings(NamedTuple):
    """`matmul` in FLOP/s, in the `arithmetic` of the rounds (fp32, TF32, bf16); `copy` in bytes/s, reading and writing
    counted."""

    matmul: float
    copy: float
    arithmetic: str


def ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    size = 2048 if device.type == "cpu" else 8192
    matrix = torch.randn(size, size, device=device).to(dtype)
    product = 2 * size**3 / best(lambda: matrix @ matrix, device)
    source = torch.empty(2**28 if device.type == "cpu" else 2**30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Ceilings(product, 2 * source.numel() / best(lambda: target.copy_(source), device), name(device, dtype))


def name(device: torch.device, dtype: torch.dtype) -> str:
    """What products of `dtype` are computed in."""
    if dtype == torch.bfloat16:
        return "bf16"
    return "TF32" if device.type == "cuda" and torch.backends.cuda.matmul.allow_tf32 else "fp32"


def best(work: Callable[[], object], device: torch.device, repeats: int = 5) -> float:
    """Seconds of a call, in the fastest of some rows of them, the first left out. A row is one call where calls are
    waited for; on other devices several, so that launching the next is hidden behind the one before."""
    row, times = 1 if device.type == "cpu" else 10, []
    for _ in range(repeats + 1):
        synchronise(device)
        began = time.perf_counter()
        for _ in range(row):
            work()
        synchronise(device)
        times.append((time.perf_counter() - began) / row)
    return min(times[1:])
