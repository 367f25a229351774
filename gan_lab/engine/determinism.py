"""Two runs that are equal bit for bit on one CUDA device."""

from __future__ import annotations

import os

import torch

_ours: set[str] = set()  # what was asked for in here, and may be taken back in here


def be_deterministic(wanted: bool) -> None:
    """Let torch of this process take kernels that always add in one order, and warn where it has none.

    cuBLAS reads its part of it when it is first used. Where `wanted` is false nothing is touched but what an earlier
    run of this process had asked for.
    """
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        _ours.add("algorithms")
        torch.use_deterministic_algorithms(True, warn_only=True)
    elif _ours:
        _ours.clear()
        torch.use_deterministic_algorithms(False)
