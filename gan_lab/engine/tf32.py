"""TF32: whether NVIDIA's matrix units may round the factors of fp32 products to 10 bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def allow_tf32(allowed: bool) -> None:
    """Let products and convolutions of this process, on any CUDA device, be computed in TF32 or not."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


@contextmanager
def without_tf32() -> Iterator[None]:
    """What is computed in here is computed in all 23 bits of fp32: figures that are compared with those of other
    machines. Afterwards it is as it was."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    allow_tf32(False)
    try:
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
