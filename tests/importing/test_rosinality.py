"""Checkpoints of rosinality's StyleGAN2: the authors' weights by other names."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.importing.rosinality import read_rosinality
from gan_lab.sampling.trained import load
from tests.importing import files
from tests.importing.test_run import CHANNELS, imported

KERNEL = files.FILTER


def of_generator(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Written down by hand, from the checkpoints' own names."""
    made: dict[str, Tensor] = {}
    for name, value in weights.items():
        if found := re.fullmatch(r"mapping\.fc(\d+)\.(\w+)", name):
            made[f"style.{int(found[1]) + 1}.{found[2]}"] = value
        elif name.endswith("const") and "noise" not in name:
            made["input.input"] = value[None]
        elif found := re.fullmatch(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.+)", name):
            step = int(found[1]).bit_length() - 3
            first = step == 0
            layer = "conv1" if first else f"convs.{2 * step - 2 + int(found[2][-1] == '1')}"
            if found[2] == "torgb":
                layer = "to_rgb1" if first else f"to_rgbs.{step - 1}"
            number = 0 if first else 2 * step - 1 + int(found[2][-1] == "1")
            kind = found[3]
            if kind == "weight":
                made[f"{layer}.conv.weight"] = value[None]
            elif kind.startswith("affine"):
                made[f"{layer}.conv.modulation.{kind.partition('.')[2]}"] = value
            elif kind == "bias":
                made[f"{layer}.bias" if found[2] == "torgb" else f"{layer}.activate.bias"] = (
                    value.view(1, -1, 1, 1) if found[2] == "torgb" else value
                )
            elif kind == "noise_strength":
                made[f"{layer}.noise.weight"] = value.view(1)
            elif kind == "noise_const":
                made[f"noises.noise_{number}"] = value[None, None]
            else:
                made[f"{layer}.conv.blur.kernel"] = KERNEL * 4
    return made


def of_discriminator(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    names = {"fc.": "final_linear.0.", "out.": "final_linear.1.", "conv.weight": "final_conv.0.weight"}
    names["conv.bias"] = "final_conv.1.bias"
    blocks = {"conv0.weight": "conv1.0.weight", "conv0.bias": "conv1.1.bias", "skip.weight": "skip.1.weight"}
    blocks |= {"conv1.weight": "conv2.1.weight", "conv1.bias": "conv2.2.bias"}
    made: dict[str, Tensor] = {"convs.1.conv2.0.kernel": KERNEL}
    for name, value in weights.items():
        size, _, rest = name.partition(".")
        if rest in blocks:
            made[f"convs.{5 - int(size[1:]).bit_length() + 1}.{blocks[rest]}"] = value
        elif rest.startswith("fromrgb"):
            made[f"convs.0.{int(rest.endswith('bias'))}.{rest.partition('.')[2]}"] = value
        elif size == "b4" and "resample" not in rest:
            key = next(key for key in names if rest.startswith(key))
            made[names[key] + rest.removeprefix(key)] = value
    return made


@pytest.fixture
def networks() -> dict[str, dict[str, Tensor]]:
    torch.manual_seed(0)
    return {"G_ema": files.generator(CHANNELS), "D": files.discriminator(CHANNELS)}


def test_the_same_weights_by_other_names(tmp_path: Path, networks: dict[str, dict[str, Tensor]]) -> None:
    """A run of them samples what that of the authors' file does; a training's arguments and optimizers are left."""
    path = tmp_path / "checkpoint.pt"
    content = {
        "g_ema": of_generator(networks["G_ema"]),
        "d": of_discriminator(networks["D"]),
        "latent_avg": networks["G_ema"]["mapping.w_avg"],
        "args": argparse.Namespace(size=16),
        "g_optim": {"state": {}, "param_groups": [{"lr": 0.1}]},
    }
    torch.save(content, path)
    found = read_rosinality(path)
    for name, weights in networks.items():
        kept = {key: value for key, value in weights.items() if "resample" not in key}
        assert found.weights[name].keys() == kept.keys()
        assert all(torch.equal(found.weights[name][key], value) for key, value in kept.items())
    one = load(imported(path, tmp_path / "one"), device="cpu")
    other = load(imported(files.write(tmp_path / "n.pkl", **networks), tmp_path / "other"), device="cpu")
    assert torch.equal(one.sample(2, truncation=0.5), other.sample(2, truncation=0.5))


def test_refusals(tmp_path: Path, networks: dict[str, dict[str, Tensor]]) -> None:
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(ConfigError, match=r"checkpoint.pt: cannot be read \(No such file"):
        read_rosinality(path)
    torch.save({"g_ema": Path("evil")}, path)
    with pytest.raises(GanLabError, match=r"cannot be read as weights \(.*\); nothing in it was run"):
        read_rosinality(path)
    for content in ({"d": {}}, [1], {"g_ema": 3}):
        torch.save(content, path)
        with pytest.raises(GanLabError, match="holds no g_ema"):
            read_rosinality(path)
    torch.save({"g_ema": {"a": 3}}, path)
    with pytest.raises(GanLabError, match=r"g_ema.a is no tensor"):
        read_rosinality(path)
    weights = {**of_generator(networks["G_ema"]), "convs.0.conv.blur.kernel": torch.eye(4)}
    torch.save({"g_ema": weights}, path)
    with pytest.raises(GanLabError, match=r"g_ema.convs.0.conv.blur.kernel is not the filter \[1, 3, 3, 1\]"):
        read_rosinality(path)
