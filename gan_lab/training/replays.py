"""Whether a recorded round is the round: what a graph cannot know of is found by comparing its first replay.

A graph repeats what the device was told. What Python decided by itself (its own or NumPy's random numbers, counters and
flags of a module) is frozen in it, and nothing is heard of that. gan-lab's own components decide nothing so; somebody
else's may.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gan_lab.algorithms.base import Algorithm
from gan_lab.engine.shortage import is_shortage
from gan_lab.training.device_metrics import DeviceMetrics

TOLERANCE = 0.05  # of what a round changes; two eager rounds on CUDA differ, too (sums in any order, bf16)
OURS = ("gan_lab.", "torch.")
Play = Callable[[], DeviceMetrics]


def compare(algorithm: Algorithm, eager: Play, replay: Play) -> tuple[DeviceMetrics, str]:
    """Play a round eagerly and by replay, from the same state. The metrics of the eager one, whose state is that
    afterwards, and how they differ, in words.

    Numbers are compared to `TOLERANCE`, exactly where torch is to be deterministic. Python's and NumPy's generators,
    and the plain numbers in modules that are not ours, must be after the eager round what they were before.
    """
    state = [tensor for _, tensor in _tensors(algorithm.state_dict(), "")]
    before, host = _copies(state), _host(algorithm)
    try:
        metrics = eager()
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error) or algorithm.engine.world.size > 1:
            raise
        _restore(state, before)
        return replay(), "there is not enough memory to check them"
    moved = next((name for name, value in _host(algorithm).items() if value != host.get(name)), "")
    names, after = [name for name, _ in _tensors(algorithm.state_dict(), "")], _copies(state)
    _restore(state, before)
    replayed = replay()
    differs = f"{moved} moves on the host in every round, and a recorded round does not know of it" if moved else ""
    if not differs and (name := _first_difference(names, before, after, state, metrics, replayed)):
        differs = f"{name} is another after the recorded round than after the round itself"
    _restore(state, after)
    return metrics, differs


def _first_difference(
    names: Sequence[str],
    before: Sequence[Tensor],
    eager: Sequence[Tensor],
    replayed: Sequence[Tensor],
    metrics: DeviceMetrics,
    told: DeviceMetrics,
) -> str:
    allowed = 0.0 if torch.are_deterministic_algorithms_enabled() else TOLERANCE
    for name, start, one, other in zip(names, before, eager, replayed, strict=True):
        one, other, start = (each.detach().double() for each in (one, other, start))
        if not _close(one, other, allowed * (one - start).norm() + 1e-6 * (allowed > 0) * one.norm()):
            return name
    for name, one, other in zip(metrics.names, metrics.vector.double(), told.vector.double(), strict=True):
        if not _close(one, other, allowed * (one.abs() + 1e-2)):
            return name
    return ""


def _close(one: Tensor, other: Tensor, allowed: Tensor) -> bool:
    apart = (one - other).norm()
    return bool(apart <= allowed) or torch.equal(one.nan_to_num(), other.nan_to_num())


def _tensors(state: Any, path: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(state, Tensor):
        yield path, state
    elif isinstance(state, Mapping):
        for name, value in state.items():
            yield from _tensors(value, f"{path}.{name}" if path else str(name))
    elif isinstance(state, (list, tuple)):
        for index, value in enumerate(state):
            yield from _tensors(value, f"{path}.{index}")


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


@torch.no_grad()
def _restore(tensors: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value)


def _host(algorithm: Algorithm) -> dict[str, Any]:
    """What Python keeps: the states of its generators, and the plain values in modules of others."""
    numbers: Any = np.random.get_state()
    found: dict[str, Any] = {
        "Python's random generator": random.getstate(),
        "NumPy's random generator": (numbers[1].tobytes(), numbers[2]),
    }
    for key, part in _parts(algorithm).items():
        modules = part.named_modules() if isinstance(part, nn.Module) else [("", part)]
        for place, module in modules:
            if not f"{type(module).__module__}.".startswith(OURS):
                name = f"{key}.{place}" if place else key
                found |= {f"{name}.{word}": value for word, value in vars(module).items() if _is_plain(value)}
    return found


def _parts(algorithm: Algorithm) -> dict[str, Any]:
    """What takes part in a round, by its key in the configuration."""
    game = algorithm.game
    groups: dict[str, Mapping[str, Any]] = {
        "model": algorithm.networks,
        "optimizer": algorithm.optimizers,
        "loss.regularizers": algorithm.regularizers,
        "loss.constraints": game.constraints,
    }
    parts = {f"{group}.{name}": part for group, members in groups.items() for name, part in members.items()}
    wrapped: Any = game.adversarial
    place = "loss.adversarial"
    while wrapped is not None:  # a loss around a loss
        parts[place] = wrapped
        wrapped, place = getattr(wrapped, "inner", None), f"{place}.inner"
    return parts | {"augmentation": algorithm.augmentation, "algorithm": algorithm}


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str)) or value is None
