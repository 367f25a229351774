"""Binding a schedule to what it sets: a dotted key of the configuration becomes a function that writes one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.schedules import Ramp
from gan_lab.config import SCHEDULE, build, build_each, schedules
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Regularizer

Setter = Callable[[float], None]


class Scheduled:
    """Sets the number at `key` for a step: a `Setting` of an algorithm. `device`: it is written where the device reads
    it. `scale` multiplies all that the ramp says, from start to end."""

    def __init__(self, key: str, ramp: Ramp, configured: float, write: Setter, device: bool) -> None:
        ramp.value(0, configured)  # a mistake is heard of before the first round
        self.on_host: float | None = None
        self.key, self.scale = key, 1.0
        self._ramp, self._configured, self._write, self._device = ramp, configured, write, device

    def __call__(self, step: int, images: int = 0) -> None:
        value = self.scale * self._ramp.value(step, self._configured, images)
        self._write(value)
        self.on_host = None if self._device else value


def bind(config: Mapping[str, Any], parts: Mapping[str, Any], algorithm: Algorithm) -> list[Scheduled]:
    """What sets every scheduled number of a configuration for a step: those under the `schedule` of what they belong
    to, and those that `schedules` names. `parts`: what was built, by its key in the configuration.

    Raises ConfigError for a key that leads to no number of a part.
    """
    found = []
    for home, number, node in schedules({key: value for key, value in config.items() if key != "schedules"}):
        place = f"{home}.{SCHEDULE}.{number}"
        key = f"{home}.{number}"
        found.append(Scheduled(key, build(node, place), *_find(place, key, parts, algorithm)))
    for name, ramp in build_each(config.get("schedules"), "schedules").items():
        if not ramp.settings:
            raise ConfigError(f"schedules.{name}.settings: name the keys that it moves, e.g. [optimizer.generator.lr]")
        found += [Scheduled(key, ramp, *_find(f"schedules.{name}", key, parts, algorithm)) for key in ramp.settings]
    return found


def _find(schedule: str, key: str, parts: Mapping[str, Any], algorithm: Algorithm) -> tuple[float, Setter, bool]:
    """The configured number at `key`, what writes another one there, and whether the device reads it there."""
    home = max((part for part in parts if key.startswith(f"{part}.")), key=len, default=None)
    if home is None:
        raise ConfigError(f"{schedule}: {key} leads nowhere; numbers can be scheduled in {', '.join(sorted(parts))}")
    part, rest = parts[home], key.removeprefix(f"{home}.")
    try:
        if isinstance(part, torch.optim.Optimizer):
            return _of_optimizer(part, algorithm.base_rates[home.rpartition(".")[2]], rest)
        if home == "algorithm.ema":
            return *_of_averages(algorithm.averages, rest), True
        if isinstance(part, Regularizer) and rest == "weight" and algorithm.engine.device.type == "cuda":
            part.weight = torch.tensor(float(part.weight), device=algorithm.engine.device)
        return _of_object(part, rest)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ConfigError(f"{schedule}: {key} is no number of {type(part).__name__}") from error


def _of_optimizer(optimizer: torch.optim.Optimizer, rates: list[float], key: str) -> tuple[float, Setter, bool]:
    """`lr`, another number of the parameter groups, or one of a pair: `betas.1`."""
    if key == "lr":
        # `Algorithm.schedule_step` hands the rates on, and `kind` knows of those that stay on the host
        return rates[0], lambda value: rates.__setitem__(slice(None), [value] * len(rates)), True
    name, _, place = key.partition(".")

    def write(value: float) -> None:
        for group in optimizer.param_groups:
            if not place:
                group[name] = value
            else:
                numbers = list(group[name])
                numbers[int(place)] = value
                group[name] = tuple(numbers)

    found = optimizer.param_groups[0][name]
    return _number(found[int(place)] if place else found), write, False


def _of_averages(averages: Mapping[str, ExponentialMovingAverage], name: str) -> tuple[float, Setter]:
    def write(value: float) -> None:
        for average in averages.values():
            setattr(average, name, value)

    return _number(getattr(next(iter(averages.values())), name)), write


def _of_object(part: Any, name: str) -> tuple[float, Setter, bool]:
    """A plain number of a component is replaced; one that lies on a device is written there."""
    for step in name.split(".")[:-1]:
        part = getattr(part, step)
    name = name.rpartition(".")[2]
    found = getattr(part, name)
    if isinstance(found, Tensor):
        return _number(found), lambda value: _fill(found, value), True
    return _number(found), lambda value: setattr(part, name, value), False


def _fill(tensor: Tensor, value: float) -> None:
    tensor.fill_(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)) or value is None:
        raise TypeError
    return float(value)
