"""What this machine can do at most, measured on the spot: a large matrix product, and a large copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from gan_lab.benchmark.measuring import synchronise


class Ceilings(NamedTuple):
    """`matmul` in FLOP/s, at the precision of the rounds; `copy` in bytes/s, reading and writing counted."""

    matmul: float
    copy: float


def ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    size = 2048 if device.type == "cpu" else 8192
    matrix = torch.randn(size, size, device=device).to(dtype)
    product = 2 * size**3 / best(lambda: matrix @ matrix, device)
    source = torch.empty(2**28 if device.type == "cpu" else 2**31, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Ceilings(product, 2 * source.numel() / best(lambda: target.copy_(source), device))


def best(work: Callable[[], object], device: torch.device, repeats: int = 5) -> float:
    """Seconds of the fastest of some calls, the first left out."""
    times = []
    for _ in range(repeats + 1):
        synchronise(device)
        began = time.perf_counter()
        work()
        synchronise(device)
        times.append(time.perf_counter() - began)
    return min(times[1:])
