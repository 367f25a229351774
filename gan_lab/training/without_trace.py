"""Passes through networks that leave no trace in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def without_trace(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Whatever passes through `modules` in here: afterwards their buffers (statistics of BatchNorm, vectors of spectral
    norm) are as they were. No gradient is recorded."""
    buffers = [buffer for module in modules for buffer in module.buffers()]
    copies = [buffer.clone() for buffer in buffers]
    try:
        with torch.no_grad():
            yield
    finally:
        with torch.no_grad():
            for buffer, copy in zip(buffers, copies, strict=True):
                buffer.copy_(copy)
