"""Passes through networks, and whole rounds, that leave no trace."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gan_lab.storage.snapshot import Snapshot
from gan_lab.training.run import Run


@contextmanager
def without_trace(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Whatever passes through `modules` in here: afterwards their buffers (statistics of BatchNorm, vectors of spectral
    norm) are as they were. No gradient is recorded."""
    buffers = [buffer for module in modules for buffer in module.buffers()]
    before = [buffer.clone() for buffer in buffers]
    try:
        with torch.no_grad():
            yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)


@contextmanager
def rounds_without_trace(run: Run) -> Iterator[None]:
    """Whatever rounds are played inside: networks, optimizers (with the state that they make on first use), memory of
    regularizers and augmentation are afterwards as they were, bit for bit, and there are no gradients.

    Averages, the data's stream and the counts are not a round's to change, and stay as they are on their own.
    """
    game, snapshot = run.algorithm, Snapshot()
    snapshot.take(game.state_dict())
    state = snapshot.state()
    groups = [(group, _options(group)) for o in game.optimizers.values() for group in o.param_groups]
    try:
        yield
    finally:
        for group, options in groups:
            _put_back(group, options)
        game.load_state_dict(state)
        for network in game.networks.values():
            network.zero_grad(set_to_none=True)


def _options(group: dict[str, Any]) -> dict[str, Any]:
    return {key: copy.deepcopy(value) for key, value in group.items() if key != "params"}


def _put_back(group: dict[str, Any], options: dict[str, Any]) -> None:
    """Tensors keep their place while they can: loading a state moves them, after which rounds are captured anew."""
    for key, value in options.items():
        if isinstance(value, Tensor):
            group[key].copy_(value)
        else:
            group[key] = value
