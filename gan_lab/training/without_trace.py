"""Passes through networks that leave no trace in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from gan_lab.engine.seeding import random_state, restore_random_state


@contextmanager
def without_trace(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Whatever is drawn and whatever passes through `modules` in here: afterwards their buffers (statistics of
    BatchNorm, vectors of spectral norm) and every random generator are as they were. No gradient is recorded."""
    buffers = [buffer for module in modules for buffer in module.buffers()]
    copies, state = [buffer.clone() for buffer in buffers], random_state()
    try:
        with torch.no_grad():
            yield
    finally:
        with torch.no_grad():
            for buffer, copy in zip(buffers, copies, strict=True):
                buffer.copy_(copy)
        restore_random_state(state)
