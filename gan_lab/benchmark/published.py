"""Networks in the form in which papers draw them and tutorials write them, with the weights of ours; and optimizers."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate

from gan_lab.layers.dropout import Dropout
from gan_lab.layers.projection import Projection, Readout, Score
from gan_lab.layers.scaled_convolution import EnlargingConv2d, HalvingConv2d
from gan_lab.training.run import Run

SWITCHES = ("fused", "foreach", "capturable", "differentiable")  # how an optimizer computes, not what


def as_published(network: nn.Module, run: Run) -> nn.Module:
    """A copy of `network` that computes the same: a transposed convolution on a 1x1 map first, a convolution of the
    whole map last, a change of size and a convolution one after the other, torch's own layers and memory layout, and
    nothing of ours to make them faster."""
    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    for module in plain.modules():
        for name in ("forward", "_conv_forward"):
            vars(module).pop(name, None)  # what `as_products` has put there
    for name, module in list(plain.named_modules()):
        if isinstance(module, (Projection, Score, Dropout, EnlargingConv2d, HalvingConv2d)):
            parent, _, leaf = name.rpartition(".")
            setattr(plain.get_submodule(parent), leaf, _layer(module, run))
    return plain.requires_grad_(True).train()


def as_it_comes(optimizer: torch.optim.Optimizer, network: nn.Module) -> torch.optim.Optimizer:
    """The same optimizer with the same numbers for `network`, computing as torch does when it is told nothing."""
    group, known = optimizer.param_groups[0], inspect.signature(type(optimizer)).parameters
    numbers = {k: _plain(v) for k, v in group.items() if k in known and k not in ("params", *SWITCHES)}
    return type(optimizer)(network.parameters(), **numbers)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_plain(each) for each in value)
    return float(value) if isinstance(value, Tensor) else value


def _layer(module: Projection | Score | Dropout | EnlargingConv2d | HalvingConv2d, run: Run) -> nn.Module:
    if isinstance(module, Dropout):
        return nn.Dropout(module.p)
    if isinstance(module, (EnlargingConv2d, HalvingConv2d)):
        return _Resized(module)
    biased = module.bias is not None
    device = module.weight.device
    if isinstance(module, Projection):
        height, width, channels = module.map_shape
        grown = nn.ConvTranspose2d(module.in_features, channels, (height, width), bias=biased, device=device)
        _fill(grown.weight, module.weight.view(height, width, channels, -1).permute(3, 2, 0, 1))
        if module.bias is not None:  # one for every place: a transposed convolution has one for every channel
            return nn.Sequential(nn.Unflatten(1, (-1, 1, 1)), _Placed(grown, module))
        return nn.Sequential(nn.Unflatten(1, (-1, 1, 1)), grown)
    if not isinstance(module, Readout):
        linear = nn.Linear(module.in_features, 1, biased, device=device)
        _take(linear, module, module.weight)
        return nn.Sequential(linear, nn.Flatten(0))
    height, width = module.map_size
    channels = module.in_features // (height * width)
    shrunk = nn.Conv2d(channels, 1, (height, width), bias=biased, device=device)
    _take(shrunk, module, module.weight.view(1, height, width, channels).permute(0, 3, 1, 2))
    return nn.Sequential(shrunk, nn.Flatten(0))


class _Resized(nn.Module):
    """Pixels repeated, then a convolution; or a convolution, then means of 2x2 blocks."""

    def __init__(self, fused: EnlargingConv2d | HalvingConv2d) -> None:
        super().__init__()
        self.weight, self.bias, self.scale = fused.weight, fused.bias, fused.scale
        self.up = isinstance(fused, EnlargingConv2d)

    def forward(self, maps: Tensor) -> Tensor:
        maps = interpolate(maps, scale_factor=2.0) if self.up else maps
        made = conv2d(maps, self.weight * self.scale, self.bias, padding=1)
        return made if self.up else avg_pool2d(made, 2)


class _Placed(nn.Module):
    """A transposed convolution with a bias for every place of its map, as a linear layer has."""

    def __init__(self, grown: nn.ConvTranspose2d, module: Projection) -> None:
        super().__init__()
        self.grown = nn.ConvTranspose2d(
            grown.in_channels, grown.out_channels, module.map_shape[:2], bias=False, device=module.weight.device
        )
        _fill(self.grown.weight, grown.weight)
        assert module.bias is not None
        self.bias = nn.Parameter(module.bias.detach().view(module.map_shape).permute(2, 0, 1).contiguous())

    def forward(self, latent: Tensor) -> Tensor:
        maps: Tensor = self.grown(latent) + self.bias
        return maps


def _take(layer: nn.Linear | nn.Conv2d, module: Score, weight: Tensor) -> None:
    _fill(layer.weight, weight)
    if module.bias is not None and layer.bias is not None:
        _fill(layer.bias, module.bias)


def _fill(parameter: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)
