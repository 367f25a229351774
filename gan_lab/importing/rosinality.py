"""Checkpoints of rosinality's StyleGAN2 (github.com/rosinality/stylegan2-pytorch, MIT), and what many converters write:
`g_ema`, and where it was trained on `g` and `d`; weights have other names than in the authors' files, and mean the
same."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.models.stylegan2_names import BINOMIAL
from gan_lab.storage.network_pickle import Networks

NAMES = {"g_ema": "G_ema", "g": "G", "d": "D"}
GENERATOR: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (r"style\.(\d+)\.(weight|bias)", lambda m: f"mapping.fc{int(m[1]) - 1}.{m[2]}"),
    (r"input\.input", lambda m: "synthesis.b4.const"),
    (r"conv1\.(.+)", lambda m: f"synthesis.b4.conv1.{m[1]}"),
    (r"to_rgb1\.(.+)", lambda m: f"synthesis.b4.torgb.{m[1]}"),
    (r"convs\.(\d+)\.(.+)", lambda m: f"synthesis.b{8 << int(m[1]) // 2}.conv{int(m[1]) % 2}.{m[2]}"),
    (r"to_rgbs\.(\d+)\.(.+)", lambda m: f"synthesis.b{8 << int(m[1])}.torgb.{m[2]}"),
    (r"noises\.noise_(\d+)", lambda m: f"{_place(int(m[1]))}.noise_const"),
)
LAYER = (
    (r"\.conv\.modulation\.", ".affine."),
    (r"\.conv\.weight$", ".weight"),
    (r"\.noise\.weight$", ".noise_strength"),
    (r"\.activate\.bias$", ".bias"),
)
BLOCK = {"conv1.0.weight": "conv0.weight", "conv1.1.bias": "conv0.bias", "skip.1.weight": "skip.weight"}
BLOCK |= {"conv2.1.weight": "conv1.weight", "conv2.2.bias": "conv1.bias"}
ENDS = {"final_conv.0.weight": "b4.conv.weight", "final_conv.1.bias": "b4.conv.bias"}
ENDS |= {
    f"final_linear.{i}.{kind}": f"b4.{name}.{kind}"
    for i, name in enumerate(("fc", "out"))
    for kind in ("weight", "bias")
}


def _place(number: int) -> str:
    """The layer that has the noise of this number."""
    return "synthesis.b4.conv1" if number == 0 else f"synthesis.b{8 << (number - 1) // 2}.conv{(number - 1) % 2}"


def read_rosinality(path: Path) -> Networks:
    """Its networks by the authors' names. Nothing in the file is run. Raises ConfigError for a file that is not there,
    GanLabError for one that is none of these."""
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):  # what a training was called with
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # whatever is in it
        reason = " ".join(str(error).split())[:120]
        raise GanLabError(f"{path}: cannot be read as weights ({reason}); nothing in it was run") from error
    if not isinstance(found, Mapping) or not any(isinstance(found.get(key), Mapping) for key in ("g_ema", "g")):
        raise GanLabError(f"{path}: holds no g_ema, the generator of a checkpoint of rosinality's StyleGAN2")
    weights = {
        NAMES[key]: _renamed(key, found[key], found, path) for key in NAMES if isinstance(found.get(key), Mapping)
    }
    return Networks(path, weights)


def _renamed(key: str, state: Mapping[str, Any], whole: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    largest = 4 << sum(bool(re.fullmatch(r"convs\.\d+\.conv2\.1\.weight", name)) for name in state)
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise GanLabError(f"{path}: {key}.{name} is no tensor")
        if name.endswith("kernel"):
            _require_binomial(f"{path}: {key}.{name}", value)
        else:
            renamed = discriminator_name(name, largest) if key == "d" else generator_name(name)
            weights[renamed] = _flat(renamed, value)
    average = whole.get("latent_avg")
    if key != "d" and isinstance(average, Tensor):
        weights["mapping.w_avg"] = average.flatten()
    return weights


def generator_name(name: str) -> str:
    for pattern, by in GENERATOR:
        if match := re.fullmatch(pattern, name):
            placed = by(match)
            return next((re.sub(old, new, placed) for old, new in LAYER if re.search(old, placed)), placed)
    return name


def discriminator_name(name: str, largest: int) -> str:
    """Blocks begin with the image."""
    if name in ENDS:
        return ENDS[name]
    if match := re.fullmatch(r"convs\.0\.[01]\.(weight|bias)", name):
        return f"b{largest}.fromrgb.{match[1]}"
    if match := re.fullmatch(r"convs\.(\d+)\.(.+)", name):
        return f"b{largest >> int(match[1]) - 1}.{BLOCK.get(match[2], match[2])}"
    return name


def _flat(name: str, value: Tensor) -> Tensor:
    """Without the sides of 1 that stand for a batch."""
    if name.endswith((".noise_strength", ".noise_const")):
        return value.squeeze() if value.numel() > 1 else value.reshape(())
    if name.endswith(".torgb.bias"):
        return value.flatten()
    return value[0] if value.dim() == 5 or name.endswith(".const") else value


def _require_binomial(name: str, kernel: Tensor) -> None:
    """Raise GanLabError for another filter than [1, 3, 3, 1], in whatever measure."""
    line = torch.tensor(BINOMIAL)
    wanted = torch.outer(line, line)
    if kernel.shape != wanted.shape or not torch.allclose(kernel / kernel.sum() * 64, wanted, atol=1e-2):
        raise GanLabError(f"{name} is not the filter [1, 3, 3, 1], the one that these networks resample by here")
