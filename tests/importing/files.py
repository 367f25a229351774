"""Files as StyleGAN2-ADA writes them, by stand-ins for its classes that exist only while a file is written."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

FILTER = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64
BUFFERS = ("w_avg", "noise_const", "resample_filter", "freqs", "phases", "transform", "magnitude_ema", "up_filter")
BUFFERS += ("down_filter",)


class Persistent:
    """A module that is written with its source; reading must not run it."""

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        self.name, self.state = name, state

    def __reduce__(self) -> Any:
        source = "raise SystemExit('the source was run')"
        meta = sys.modules["dnnlib.util"].EasyDict(
            type="class", version=6, module_src=source, class_name=self.name, state=self.state
        )
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,)


@contextlib.contextmanager
def their_modules() -> Iterator[None]:
    class EasyDict(dict[str, Any]):
        pass

    def _reconstruct_persistent_obj(meta: Any) -> None:
        raise SystemExit("it was called")

    names = ("dnnlib", "dnnlib.util", "torch_utils", "torch_utils.persistence")
    before = {name: sys.modules.pop(name, None) for name in names}
    modules = {name: ModuleType(name) for name in names}
    modules["dnnlib.util"].EasyDict = EasyDict  # type: ignore[attr-defined]
    modules["torch_utils.persistence"]._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore
    EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    _reconstruct_persistent_obj.__qualname__ = "_reconstruct_persistent_obj"
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]
            if (module := before[name]) is not None:
                sys.modules[name] = module


def module(name: str, weights: Mapping[str, Tensor], **kwargs: Any) -> Persistent:
    """A tree of modules that has these weights under these dotted names."""
    own = {key: value for key, value in weights.items() if "." not in key}
    below: dict[str, dict[str, Tensor]] = {}
    for key, value in weights.items():
        if "." in key:
            first, _, rest = key.partition(".")
            below.setdefault(first, {})[rest] = value
    state = {
        "training": False,
        "_parameters": {key: nn.Parameter(value) for key, value in own.items() if key not in BUFFERS},
        "_buffers": OrderedDict((key, value) for key, value in own.items() if key in BUFFERS),
        "_non_persistent_buffers_set": set(),
        "_backward_hooks": OrderedDict(),
        "_modules": OrderedDict((key, module("Layer", value)) for key, value in below.items()),
        "_init_args": (),
        "_init_kwargs": kwargs,
        "weight_gain": np.sqrt(0.5),
        "sides": np.arange(3),
        "memory_format": torch.float16,
    }
    state["_parameters"]["absent"] = None
    return Persistent(name, state)


def dumped(content: Any, protocol: int = 4) -> bytes:
    with their_modules():
        return pickle.dumps(content, protocol)


def write(
    path: Path, protocol: int = 4, more: Mapping[str, Any] | None = None, **networks: Mapping[str, Tensor]
) -> Path:
    content = {
        **{key: module("Discriminator" if key == "D" else "Generator", value) for key, value in networks.items()},
        "training_set_kwargs": {"resolution": 16, "use_labels": False},
        "augment_pipe": None,
        **(more or {}),
    }
    path.write_bytes(dumped(content, protocol))
    return path


def filtered(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """With the filters that they have beside their weights."""
    places = {name.rpartition(".")[0] for name in weights if "conv" in name and "affine" not in name}
    return {**weights, **{f"{place}.resample_filter": FILTER.clone() for place in places}}


def generator(
    channels: dict[int, int],
    colours: int = 3,
    z: int = 6,
    w: int = 5,
    depth: int = 2,
    classes: int = 0,
    architecture: str = "skip",
) -> dict[str, Tensor]:
    """Weights of a generator, all of them random, as many as its publishers have."""
    made = mapping(z, w, depth, classes)
    before, largest = None, max(channels)
    for size, after in channels.items():
        block = f"synthesis.b{size}"
        if before is None:
            made[f"{block}.const"] = torch.randn(after, size, size)
        else:
            made |= style_layer(f"{block}.conv0", before, after, w, size)
            if architecture == "resnet":
                made[f"{block}.skip.weight"] = torch.randn(after, before, 1, 1)
        made |= style_layer(f"{block}.conv1", after, after, w, size)
        if architecture == "skip" or size == largest:
            made |= affine(f"{block}.torgb", after, w)
            made |= {
                f"{block}.torgb.weight": torch.randn(colours, after, 1, 1),
                f"{block}.torgb.bias": torch.randn(colours),
            }
        before = after
    return filtered(made)


def mapping(z: int, w: int, depth: int, classes: int) -> dict[str, Tensor]:
    made = {"mapping.w_avg": torch.randn(w)}
    if classes:
        made |= {"mapping.embed.weight": torch.randn(w, classes), "mapping.embed.bias": torch.randn(w)}
    inputs = z + (w if classes else 0)
    for index in range(depth):
        made[f"mapping.fc{index}.weight"] = torch.randn(w, inputs if index == 0 else w) * 100
        made[f"mapping.fc{index}.bias"] = torch.randn(w) * 30
    return made


def style_layer(name: str, before: int, after: int, w: int, size: int) -> dict[str, Tensor]:
    return {
        f"{name}.weight": torch.randn(after, before, 3, 3),
        f"{name}.bias": torch.randn(after),
        f"{name}.noise_const": torch.randn(size, size),
        f"{name}.noise_strength": torch.randn(()),
        **affine(name, before, w),
    }


def affine(name: str, before: int, w: int) -> dict[str, Tensor]:
    return {f"{name}.affine.weight": torch.randn(before, w), f"{name}.affine.bias": torch.randn(before)}


def discriminator(
    channels: dict[int, int], colours: int = 3, classes: int = 0, architecture: str = "resnet"
) -> dict[str, Tensor]:
    made: dict[str, Tensor] = {}

    def conv(name: str, before: int, after: int, side: int, bias: bool = True) -> None:
        made[f"{name}.weight"] = torch.randn(after, before, side, side)
        if bias:
            made[f"{name}.bias"] = torch.randn(after)

    sizes = sorted(channels, reverse=True)
    for size in sizes:
        if size == sizes[0] or architecture == "skip":
            conv(f"b{size}.fromrgb", colours, channels[size], 1)
    for size, below in itertools.pairwise(sizes):
        conv(f"b{size}.conv0", channels[size], channels[size], 3)
        conv(f"b{size}.conv1", channels[size], channels[below], 3)
        if architecture == "resnet":
            conv(f"b{size}.skip", channels[size], channels[below], 1, bias=False)
    last = channels[4]
    conv("b4.conv", last + 1, last, 3)
    made |= {"b4.fc.weight": torch.randn(last, last * 16), "b4.fc.bias": torch.randn(last)}
    outputs = last if classes else 1
    made |= {"b4.out.weight": torch.randn(outputs, last), "b4.out.bias": torch.randn(outputs)}
    if classes:
        made |= {"mapping.embed.weight": torch.randn(last, classes), "mapping.embed.bias": torch.randn(last)}
        for index in range(8):
            made[f"mapping.fc{index}.weight"] = torch.randn(last, last) * 100
            made[f"mapping.fc{index}.bias"] = torch.randn(last) * 30
    return filtered(made)
