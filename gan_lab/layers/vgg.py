"""VGG, the classifier by whose maps pictures are compared (Simonyan & Zisserman 2014, arXiv:1409.1556)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.frozen import freeze
from gan_lab.storage.published import published

log = logging.getLogger(__name__)

BLOCKS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}  # convolutions before each pooling
WIDTHS = (1, 2, 4, 8, 8)  # of the blocks, in units of the first
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, for images in [0, 1]
POOLING = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}
PADDING = ("zeros", "reflect")
RANDOM = "random"


class VGG(nn.Module):
    """Images `(N, 3 or 1, H, W)` in [-1, 1] to the maps that `layers` names, by name, in the network's order.

    `conv5_4` is what the fourth convolution of the fifth block gives, `relu5_4` what the ReLU leaves of it, `pool5`
    what comes after the block. Images are normalised as the weights were trained, gray ones seen as colour, and nothing
    beyond the last layer is computed. `pooling` `average` is Gatys et al.'s (arXiv:1508.06576, section 2), `padding`
    `reflect` that of Huang & Belongie's code (arXiv:1703.06868).

    `weights`: a file of torchvision's layout, which may have other widths; null: the published ones, in the data root
    or else downloaded; `random`: drawn from `seed` (He et al. 2015, arXiv:1502.01852), `width` of them in the first
    block, for where no others can be had. They are buffers that no checkpoint holds and no optimizer moves; gradients
    flow to the images alone. `key` is what messages call `weights`. Raises ConfigError for a name that is none,
    GanLabError, in one line with the ways out, for missing weights.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        layers: Sequence[str],
        architecture: str = "vgg19",
        weights: str | None = None,
        pooling: str = "max",
        padding: str = "zeros",
        width: int = 64,
        seed: int = 0,
        key: str = "weights",
    ) -> None:
        super().__init__()
        known = layer_names(architecture)
        for name in layers or [""]:
            if name not in known:
                raise ConfigError(f"{architecture}: {name!r} is not one of its layers, conv1_1, relu1_1, ... pool5")
        for value, choices in ((pooling, POOLING), (padding, PADDING)):
            if value not in choices:
                raise ConfigError(f"{architecture}: {value!r} is not one of {', '.join(choices)}")
        self.card = {"network": architecture, "weights": weights or "published"}
        self.names = known[: max(map(known.index, layers)) + 1]
        self.wanted = frozenset(layers)
        self.smallest = 2 ** sum(name.startswith("pool") for name in self.names) * (2 if padding == "reflect" else 1)
        self.layers = trained_layers(architecture, self.names[-1], weights, width, seed, key)
        for place, layer in enumerate(self.layers):
            if isinstance(layer, nn.MaxPool2d):
                self.layers[place] = POOLING[pooling](2)
            elif isinstance(layer, nn.Conv2d):
                layer.padding_mode = padding  # type: ignore[assignment]
                freeze(layer, stored=False)
        for key, numbers in (("mean", MEAN), ("std", STD)):
            self.register_buffer(key, torch.tensor(numbers).view(3, 1, 1), persistent=False)

    @property
    def widths(self) -> list[int]:
        """The channels of each convolution."""
        return [layer.out_channels for layer in self.layers if isinstance(layer, nn.Conv2d)]

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Raises ConfigError for images that are too small for the deepest layer, and of neither 1 nor 3 channels."""
        if min(images.shape[2:]) < self.smallest or images.shape[1] not in (1, 3):
            shape = "x".join(map(str, images.shape[1:]))
            least = f"{self.smallest}x{self.smallest}"
            raise ConfigError(f"VGG's {self.names[-1]} needs images of at least {least} in gray or colour, not {shape}")
        maps = ((images + 1) / 2).expand(-1, 3, -1, -1).sub(self.mean).div(self.std)
        found = {}
        for name, layer in zip(self.names, self.layers, strict=True):
            maps = layer(maps)
            if name in self.wanted:
                found[name] = maps
        return found


def layer_names(architecture: str) -> list[str]:
    """The names of all layers, at their places in torchvision's `features`. Raises ConfigError for another network."""
    if architecture not in BLOCKS:
        raise ConfigError(f"architecture: {architecture!r} is not one of {', '.join(BLOCKS)}")
    return [name for name, _ in _layers(architecture)]


def trained_layers(
    architecture: str, last: str, weights: str | None = None, width: int = 64, seed: int = 0, key: str = "weights"
) -> nn.Sequential:
    """The layers up to `last` at torchvision's places, with `weights` as `VGG` takes them; `key` is what messages call
    these."""
    names = layer_names(architecture)
    names = names[: names.index(last) + 1]
    state = _drawn(architecture, width, seed, key) if weights == RANDOM else _read(architecture, weights, key)
    layers: list[nn.Module] = []
    for place, name in enumerate(names):
        layers.append(_convolution(state, place) if name.startswith("conv") else _plain(name))
    return nn.Sequential(*layers).eval().requires_grad_(False)


def _layers(architecture: str) -> Iterator[tuple[str, int]]:
    """Every layer's name and width, in units of the first block's."""
    for block, (count, width) in enumerate(zip(BLOCKS[architecture], WIDTHS, strict=True), 1):
        for number in range(1, count + 1):
            yield f"conv{block}_{number}", width
            yield f"relu{block}_{number}", width
        yield f"pool{block}", width


def _plain(name: str) -> nn.Module:
    return nn.ReLU() if name.startswith("relu") else nn.MaxPool2d(2)


def _convolution(state: dict[str, Tensor], place: int) -> nn.Conv2d:
    """That of a place, of the widths of its weights."""
    weight, bias = state[f"features.{place}.weight"], state[f"features.{place}.bias"]
    with torch.device("meta"):  # draws no random numbers
        layer = nn.Conv2d(weight.shape[1], len(weight), 3, padding=1)
    layer.load_state_dict({"weight": weight.float(), "bias": bias.float()}, assign=True)
    return layer


def _drawn(architecture: str, width: int, seed: int, key: str) -> dict[str, Tensor]:
    """Random weights, which leave the size of what passes through them as it is; the global generator is as it was."""
    log.warning(
        "%s has random weights (%s=random): it has never seen an image; what is learned by it or measured with it is "
        "not what papers report",
        architecture,
        key,
    )
    generator, channels, state = torch.Generator().manual_seed(seed), 3, {}
    for place, (name, units) in enumerate(_layers(architecture)):
        if name.startswith("conv"):
            weight = torch.empty(units * width, channels, 3, 3)
            state[f"features.{place}.weight"] = weight.normal_(0, (2 / (9 * channels)) ** 0.5, generator=generator)
            state[f"features.{place}.bias"] = torch.zeros(len(weight))
            channels = len(weight)
    return state


def _read(architecture: str, file: str | None, key: str) -> dict[str, Tensor]:
    """A file's, whose convolutions must fit one another."""
    path = Path(file).expanduser() if file else _published(architecture, key)
    if not path.is_file():
        raise GanLabError(f"{key}: there is no file {path}")
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        channels = 3
        for place, (name, _) in enumerate(_layers(architecture)):
            if name.startswith("conv"):
                width, *kernel = state[f"features.{place}.weight"].shape
                if kernel != [channels, 3, 3] or state[f"features.{place}.bias"].shape != (width,):
                    raise ValueError(f"{name} has another shape")
                channels = width
    except Exception as error:  # whatever is in it
        reason = " ".join(str(error).split())[:80]
        raise GanLabError(f"{key}: {path} does not hold torchvision's weights of {architecture} ({reason})") from error
    return state


def _published(architecture: str, key: str) -> Path:
    from torchvision.models import get_model_weights

    url = get_model_weights(architecture)["IMAGENET1K_V1"].url
    otherwise = f"say {key}=FILE, or {key}=random, which has learned nothing"
    return published(url, url.rpartition("-")[2][:8], f"{key}: {architecture}'s weights", otherwise)
