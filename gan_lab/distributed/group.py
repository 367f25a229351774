"""Joining torch.distributed's default group, as a process that somebody has started for that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from gan_lab.distributed.missing import explain_missing


def is_member() -> bool:
    """Whether this process is one of several by somebody else's doing: of torchrun's, or where a default group exists
    (a worker of Ray's)."""
    return "TORCHELASTIC_RUN_ID" in os.environ or (dist.is_available() and dist.is_initialized())


@contextmanager
def joined(device: str, timeout: float) -> Iterator[None]:
    """In here there is a default group: the one that exists, or that of the environment's processes. Tensors of CUDA go
    by NCCL, where each process of this machine has a device of its own; all others go by gloo."""
    if dist.is_initialized():
        yield
        return
    own = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if device.startswith(("auto", "cuda")) and own and dist.is_nccl_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        backend = "cpu:gloo,cuda:nccl"
    else:
        backend = "gloo"
    with explain_missing():
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout))
    try:
        yield
    finally:
        dist.destroy_process_group()
