"""The data that a run was trained on, where it lies now: at a path that is given, or in the store of its checksum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gan_lab.data.dataset import build_dataset
from gan_lab.errors import ConfigError


def of_run(node: Mapping[str, Any], state: Mapping[str, Any] | None, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration `node` of a run's dataset, changed so that it is found: where something is `typed` (keys of the
    dataset that say where it lies, null where nothing was), from there; else by the checksums that the checkpoint's
    stream (`state`) remembers.

    Raises ConfigError for a key that this dataset does not have, and for a place that holds other images.
    """
    given = dict(_given(typed))
    images, inputs = _checksums(state)
    if not given:
        return _expecting(node, images, inputs)
    for key in given:
        if not _has(node, key):
            raise ConfigError(f"dataset.{key}: the run's dataset, {node.get('name')}, has no such key")
    changed = _at(node, given)
    dataset = build_dataset(changed)
    for part, checksum in ((dataset, images), (dataset.inputs, inputs)):
        if part is not None and checksum is not None and part.store.sha256 != checksum:
            told = ", ".join(f"dataset.{key}={value}" for key, value in given.items())
            raise ConfigError(
                f"{told}: these are not the images of the run ({part.store.sha256[:12]} instead of {checksum[:12]}); "
                "point it at the same ones, with nothing added, removed or changed"
            )
    return changed


def _given(typed: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted keys that are not null."""
    for key, value in typed.items():
        if isinstance(value, Mapping):
            yield from _given(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value


def _has(node: Any, key: str) -> bool:
    name, _, rest = key.partition(".")
    return isinstance(node, Mapping) and name in node and (not rest or _has(node[name], rest))


def _at(node: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The node with these keys; its inputs lie where it does."""
    changed = dict(node)
    for key, value in given.items():
        name, _, rest = key.partition(".")
        changed[name] = _at(changed[name], {rest: value}) if rest else value
    if isinstance(inputs := changed.get("inputs"), Mapping):
        changed["inputs"] = _at(inputs, {key: value for key, value in given.items() if _has(inputs, key)})
    return changed


def _checksums(state: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Of the images, and of inputs that are a dataset of their own."""
    if state is None:
        return None, None
    if "image" in state:
        return state["image"].get("sha256"), state["input"].get("sha256")
    return state.get("sha256"), None


def _expecting(node: Mapping[str, Any], images: str | None, inputs: str | None) -> dict[str, Any]:
    changed = dict(node)
    if images is not None and str(node.get("_target_", "")).startswith("gan_lab."):
        changed["sha256"] = images
    if inputs is not None and isinstance(node.get("inputs"), Mapping):
        changed["inputs"] = _expecting(node["inputs"], inputs, None)
    return changed
