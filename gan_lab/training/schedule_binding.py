"""Binding a schedule to what it sets: a dotted key of the configuration becomes a function that writes one number."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan_lab.algorithms.averaging import ExponentialMovingAverage
from gan_lab.algorithms.base import Algorithm
from gan_lab.algorithms.schedules import Ramp
from gan_lab.config import SCHEDULE, build, build_each, schedules
from gan_lab.engine.moving_betas import let_betas_move
from gan_lab.errors import ConfigError
from gan_lab.losses.regularizers import Regularizer

Setter = Callable[[float], None]


class Place(NamedTuple):
    """Where a scheduled number stands: what is `configured` there, what writes another one, and whether the device
    reads it there. `in_effect`: what the number comes to in a round, where many numbers come to the same."""

    configured: float
    write: Setter
    on_device: bool = False
    in_effect: Callable[[], Hashable] | None = None


class Scheduled:
    """Sets the number at `key`, which stands at `place`, for a step: a `Setting` of an algorithm. `scale` multiplies
    all that the ramp says, from start to end."""

    def __init__(self, key: str, ramp: Ramp, place: Place) -> None:
        ramp.value(0, place.configured)  # a mistake is heard of before the first round
        self.on_host: Hashable = None
        self.key, self.scale = key, 1.0
        self._ramp, self._place = ramp, place

    def __call__(self, step: int, images: int = 0) -> None:
        place = self._place
        value = self.scale * self._ramp.value(step, place.configured, images)
        place.write(value)
        if not place.on_device:
            self.on_host = value if place.in_effect is None else place.in_effect()


def bind(config: Mapping[str, Any], parts: Mapping[str, Any], algorithm: Algorithm) -> list[Scheduled]:
    """What sets every scheduled number of a configuration for a step: those under the `schedule` of what they belong
    to, and those that `schedules` names. `parts`: what was built, by its key in the configuration.

    Raises ConfigError for a key that leads to no number of a part.
    """
    found = []
    for home, number, node in schedules({key: value for key, value in config.items() if key != "schedules"}):
        place = f"{home}.{SCHEDULE}.{number}"
        key = f"{home}.{number}"
        found.append(Scheduled(key, build(node, place), _find(place, key, parts, algorithm)))
    for name, ramp in build_each(config.get("schedules"), "schedules").items():
        if not ramp.settings:
            raise ConfigError(f"schedules.{name}.settings: name the keys that it moves, e.g. [optimizer.generator.lr]")
        found += [Scheduled(key, ramp, _find(f"schedules.{name}", key, parts, algorithm)) for key in ramp.settings]
    return found


def _find(schedule: str, key: str, parts: Mapping[str, Any], algorithm: Algorithm) -> Place:
    """The number at `key`."""
    home = max((part for part in parts if key.startswith(f"{part}.")), key=len, default=None)
    if home is None:
        raise ConfigError(f"{schedule}: {key} leads nowhere; numbers can be scheduled in {', '.join(sorted(parts))}")
    part, rest = parts[home], key.removeprefix(f"{home}.")
    try:
        if isinstance(part, torch.optim.Optimizer):
            if rest.startswith("betas.") and algorithm.engine.reads_numbers:
                let_betas_move(part)
            return _of_optimizer(part, algorithm.base_rates[home.rpartition(".")[2]], rest)
        if home == "algorithm.ema":
            return _of_averages(algorithm.averages, rest)
        if isinstance(part, Regularizer) and rest == "weight" and algorithm.engine.reads_numbers:
            part.weight = torch.tensor(float(part.weight), device=algorithm.engine.device)
        return _of_object(part, rest)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        what = (
            "the average; where it is null, leave its schedule out" if home == "algorithm.ema" else type(part).__name__
        )
        raise ConfigError(f"{schedule}: {key} is no number of {what}") from error


def _of_optimizer(optimizer: torch.optim.Optimizer, rates: list[float], key: str) -> Place:
    """`lr`, another number of the parameter groups, or one of a pair: `betas.1`."""
    if key == "lr":
        # `Algorithm.schedule_step` hands the rates on, and `round_key` knows of those that stay on the host
        return Place(rates[0], lambda value: rates.__setitem__(slice(None), [value] * len(rates)), on_device=True)
    name, _, place = key.partition(".")
    found = optimizer.param_groups[0][name]
    on_device = bool(place) and isinstance(found[int(place)], Tensor)

    def write(value: float) -> None:
        for group in optimizer.param_groups:
            if on_device:
                group[name][int(place)].fill_(value)
            elif not place:
                group[name] = value
            else:
                numbers = list(group[name])
                numbers[int(place)] = value
                group[name] = tuple(numbers)

    return Place(_number(found[int(place)] if place else found), write, on_device)


def _of_averages(averages: Mapping[str, ExponentialMovingAverage], name: str) -> Place:
    def write(value: float) -> None:
        for average in averages.values():
            setattr(average, name, value)

    now = _number(getattr(next(iter(averages.values())), name))
    for average in averages.values():
        average.let_move()
    return Place(now, write, on_device=True)


def _of_object(part: Any, name: str) -> Place:
    """A plain number of a component is replaced; one that lies on a device is written there. A component that says by
    `in_effect` what its numbers come to is asked."""
    for step in name.split(".")[:-1]:
        part = getattr(part, step)
    name = name.rpartition(".")[2]
    found = getattr(part, name)
    if isinstance(found, Tensor):
        return Place(_number(found), lambda value: _fill(found, value), on_device=True)
    in_effect = getattr(part, "in_effect", None)
    return Place(_number(found), lambda value: setattr(part, name, value), in_effect=in_effect)


def _fill(tensor: Tensor, value: float) -> None:
    tensor.fill_(value)


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)) or value is None:
        raise TypeError
    return float(value)
