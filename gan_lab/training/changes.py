"""What a run's changed configuration does to a run in progress: numbers that jump, and changes that would do nothing.

A schedule that spans `trainer.max_steps` is another schedule when the run is made longer: at the step from which it
goes on the number is suddenly another. What only the beginning of a run reads cannot be changed at all. Imports no
torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gan_lab.config import SCHEDULE, build, leaves, schedules
from gan_lab.errors import ConfigError

# What came of these at the beginning is in the checkpoint: initial weights, drawn frequencies, a probability that has
# been adapted since, a batch that was fitted to the memory there was.
AT_THE_BEGINNING = (
    (re.compile(r"model\.[^.]+\.(weights|frequency)"), "start a new run"),
    (re.compile(r"initialise(\..+)?"), "start a new run"),
    (re.compile(r"augmentation\.(.+\.)?p"), "start a new run, or hold it by augmentation.adaptive.target=null"),
    (re.compile(r"trainer\.total"), "give trainer.batch_size="),
)


def check_takes_effect(config: Mapping[str, Any], keys: list[str]) -> None:
    """Raise ConfigError where one of the changed `keys` of `config` would change nothing of a run in progress."""
    flat = dict(leaves(config))
    for key in keys:
        for pattern, instead in AT_THE_BEGINNING:
            if pattern.fullmatch(key) and flat.get(f"{key.rpartition('.')[0]}.target", "") is not None:
                raise ConfigError(f"{key}: is read when a run begins, and would change nothing of this one; {instead}")


def jumps(before: Mapping[str, Any], after: Mapping[str, Any], step: int, images: int) -> Iterator[str]:
    """A line for every number that a schedule sets to another value in the round after `step` rounds and so many
    `images`, only because the schedule's length has changed with the configuration."""
    old, new = scheduled(before, step, images), scheduled(after, step, images)
    for key, (value, ramp) in new.items():
        was, earlier = old.get(key, (value, ramp))
        if ramp != earlier and abs(value - was) > 1e-9 * max(abs(value), abs(was)):
            spans = f"spans {earlier.get('steps')} -> {ramp.get('steps')} rounds"
            yield f"{key} jumps from {was:.6g} to {value:.6g} at step {step}: its schedule {spans}"


def scheduled(config: Mapping[str, Any], step: int, images: int) -> dict[str, tuple[float, Mapping[str, Any]]]:
    """`{key: (its value after so many rounds, the schedule that says so)}` of every scheduled number."""
    flat = dict(leaves(config))
    found: dict[str, tuple[float, Mapping[str, Any]]] = {}
    ramps = [(f"{home}.{number}", node) for home, number, node in schedules(own(config))]
    for node in (config.get("schedules") or {}).values():
        ramps += [(key, node) for key in (node or {}).get("settings") or ()]
    for key, node in ramps:
        configured = number_at(flat, key)
        if configured is not None:
            found[key] = build(node, f"{key} ({SCHEDULE})").value(step, configured, images), node
    rates = config.get("optimizer") or {}
    of_rates = rates.get(SCHEDULE)
    if isinstance(of_rates, Mapping) and "steps" in of_rates:
        factor = build(of_rates, f"optimizer.{SCHEDULE}").factor(step)
        for player in rates:
            key = f"optimizer.{player}.lr"
            base = found[key][0] if key in found else number_at(flat, key)
            if player != SCHEDULE and base is not None:
                found[key] = base * factor, of_rates
    return found


def own(config: Mapping[str, Any]) -> dict[str, Any]:
    """The components, each with the schedule of its numbers."""
    return {key: value for key, value in config.items() if key != "schedules"}


def number_at(flat: Mapping[str, Any], key: str) -> float | None:
    """The number at a dotted key, whose last part may be a place in a list (`betas.1`)."""
    home, _, last = key.rpartition(".")
    value = flat.get(key)
    if value is None and last.isdecimal() and isinstance(flat.get(home), list) and int(last) < len(flat[home]):
        value = flat[home][int(last)]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
