"""Learned perceptual image patch similarity: how far two pictures are apart to the eye, for paired tasks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.vgg import BLOCKS, layer_names, trained_layers
from gan_lab.storage.published import is_kept, published

LINEAR = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/{}.pth"
MEAN, STD = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of ImageNet, for images in [-1, 1]


class Kind(NamedTuple):
    """A network of torchvision's, the places of the ReLUs that are compared, and the hash of the channels' weights."""

    architecture: str
    places: tuple[int, ...]
    linear: str


KINDS = {
    "alex": Kind("alexnet", (1, 4, 7, 9, 11), "df73285e"),
    "vgg": Kind("vgg16", (3, 8, 15, 22, 29), "a78928a0"),
}


class Lpips(nn.Module):
    """LPIPS (Zhang et al. 2018, arXiv:1801.03924, equation 1), version 0.1: features of every pixel are made unit
    vectors, and their squared differences weighted by channel, averaged over the image and summed over the layers.

    `network` is alex, which compares best, or vgg, which is better to train against. `backbone` (torchvision's ImageNet
    weights) and `linear` (the weights of the channels) are files; None looks for the published ones in the data root,
    else downloads them. vgg's backbone may be `random` (`gan_lab.layers.vgg`). Called with images and targets in
    [-1, 1], `(N, 3, H, W)`, it returns distances `(N,)`, 0 for equal ones. Gradients flow to the images. Raises
    ConfigError for another network, GanLabError for missing weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: str = "alex", backbone: str | None = None, linear: str | None = None) -> None:
        super().__init__()
        if network not in KINDS:
            raise ConfigError(f"lpips: network {network!r} is not one of {', '.join(KINDS)}")
        kind = KINDS[network]
        self.card = {"network": f"lpips {network}", "weights": backbone or "published"}
        self.places = kind.places
        features, widths = _features(kind, backbone)
        self.layers = features[: kind.places[-1] + 1]
        self.weights = _weights(network, kind, linear, widths)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor, targets: Tensor) -> Tensor:
        """`(N,)`."""
        if images.shape != targets.shape or images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images and targets of one shape (N, 3, H, W), not {images.shape} and {targets.shape}")
        both = (torch.cat([images, targets]) - self.mean) / self.std
        distance = images.new_zeros(len(images))
        weights = iter(self.weights)
        for place, layer in enumerate(self.layers):
            both = layer(both)
            if place in self.places:
                first, second = (both / (both.square().sum(1, keepdim=True).sqrt() + 1e-10)).chunk(2)
                distance = distance + ((first - second).square() * next(weights)).sum(1).mean((1, 2))
        return distance


def weights_are_there(network: str) -> bool:
    """Whether the published weights of one of the vgg kinds are in the data root."""
    from torchvision.models import get_model_weights

    backbone = get_model_weights(KINDS[network].architecture)["IMAGENET1K_V1"].url
    return is_kept(backbone) and is_kept(LINEAR.format(network), f"lpips-{network}.pth")


def _features(kind: Kind, file: str | None) -> tuple[nn.Sequential, list[int]]:
    """The convolutional layers with their weights, and how many channels each compared one has."""
    if kind.architecture in BLOCKS:
        last = layer_names(kind.architecture)[kind.places[-1]]
        try:
            features = trained_layers(kind.architecture, last, file, key="backbone")
        except GanLabError as error:
            raise GanLabError(f"lpips: {error}") from error
    else:
        features = _alexnet(file)
    found = dict(features.named_parameters())
    return features, [len(found[f"{place - 1}.bias"]) for place in kind.places]


def _alexnet(file: str | None) -> nn.Sequential:
    from torchvision import models

    url = models.AlexNet_Weights.IMAGENET1K_V1.url
    path = Path(file).expanduser() if file else published(
        url, url.rpartition("-")[2][:8], "lpips: alexnet's weights", "say backbone=FILE"
    )  # fmt: skip
    with torch.device("meta"):  # draws no random numbers
        features: nn.Sequential = models.alexnet(weights=None).features
    state = _load(path)
    own = {name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")}
    try:
        features.load_state_dict(own, assign=True)
    except RuntimeError as error:
        raise GanLabError(f"lpips: {path} does not hold torchvision's weights of alexnet") from error
    for layer in features:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return features


def _weights(network: str, kind: Kind, file: str | None, widths: list[int]) -> nn.ParameterList:
    """The weights of the channels, `(C, 1, 1)` a layer, none negative."""
    path = Path(file).expanduser() if file else published(
        LINEAR.format(network), kind.linear, "lpips: the channels' weights", "say linear=FILE", f"lpips-{network}.pth"
    )  # fmt: skip
    state = _load(path)
    try:
        found = [state[f"lin{number}.model.1.weight"].view(-1, 1, 1) for number in range(len(widths))]
        if [len(each) for each in found] != widths:
            raise KeyError(widths)
    except KeyError as error:
        raise GanLabError(f"lpips: {path} does not hold the channels' weights of {network}") from error
    return nn.ParameterList(found)


def _load(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise GanLabError(f"lpips: there is no file {path}")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
