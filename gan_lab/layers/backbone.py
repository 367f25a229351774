"""Frozen networks whose maps a discriminator looks at in the place of images (Sauer et al. 2021 (Projected GAN),
arXiv:2111.01007): one that others trained, or, where its weights are not to be had, one that nobody did."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_lab.errors import ConfigError, GanLabError
from gan_lab.layers.frozen import freeze
from gan_lab.storage.published import published
from gan_lab.storage.root import data_root

log = logging.getLogger(__name__)

KEY = "model.discriminator.backbone.weights"
RANDOM, DOWNLOAD = "random", "download"
STAGES = (1, 2, 3, 4)  # of timm's maps: those of strides 4, 8, 16 and 32


class Parts(NamedTuple):
    """A network from images to maps, and the channels and strides of these."""

    network: nn.Module
    channels: list[int]
    strides: list[int]


class Backbone(nn.Module):
    """Images `(N, 3 or 1, H, W)` in [-1, 1] to maps, largest first; `channels` and `strides` of each.

    Gray images are seen as colour, small ones enlarged to `size`, bilinearly. `network` makes the maps; its weights are
    buffers that no checkpoint holds, it is always in evaluation mode, and gradients flow to the images alone. A
    checkpoint knows `identity`, 6 bytes that depend on every weight, and is refused where they are other ones.
    """

    identity: Tensor

    def __init__(self, network: nn.Module, channels: list[int], strides: list[int], size: int) -> None:
        super().__init__()
        if size < strides[-1]:
            raise ValueError(f"size must be at least {strides[-1]} pixels, the deepest map's stride, not {size}")
        self.card = {"network": "convolutions", "weights": RANDOM}
        self.channels, self.strides, self.size = channels, strides, size
        self.register_buffer("identity", identity_of(network))
        freeze(network, stored=False)
        self.network = network.eval()

    def train(self, mode: bool = True) -> Backbone:
        """Statistics of BatchNorm are those that it was trained with."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        seen = images.expand(-1, 3, -1, -1)
        if min(seen.shape[2:]) < self.size:
            seen = interpolate(seen, self.enlarged(*seen.shape[2:]), mode="bilinear", align_corners=False)
        maps: list[Tensor] = self.network(seen)
        return maps

    def enlarged(self, rows: int, columns: int) -> tuple[int, int]:
        """The size in which an image is looked at: its shorter side is `size` where it was less."""
        shorter = min(rows, columns)
        if shorter >= self.size:
            return rows, columns
        return round(rows * self.size / shorter), round(columns * self.size / shorter)

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        found = state_dict.get(f"{prefix}identity")
        if isinstance(found, Tensor) and not torch.equal(found.cpu(), self.identity.cpu()):
            args[-1].append(f"{prefix.rstrip('.')}: the frozen network has other weights than that of the checkpoint")
        super()._load_from_state_dict(state_dict, prefix, *args)


def identity_of(network: nn.Module) -> Tensor:
    """6 bytes that depend on every number of a network's state."""
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        if not value.is_meta:
            digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return torch.tensor(list(digest.digest()[:6]), dtype=torch.uint8)


class PretrainedBackbone(Backbone):
    """timm's `architecture` with the maps of strides 4 to 32, images normalised as it was trained.

    `weights`: a file of timm's (.pth, .safetensors); `download`: the published ones, kept in the data root; null: those
    in the data root, and where they, or timm, are missing a network that was never trained takes their place, which is
    said: an `UntrainedBackbone` of `width` and `random_size`; `random`: that without a word. Raises GanLabError, in one
    line, for weights that cannot be had and for a file of other ones, ConfigError for an architecture that timm does
    not have.
    """

    def __init__(
        self,
        architecture: str = "tf_efficientnet_lite0",
        weights: str | None = None,
        size: int = 224,
        width: int = 16,
        random_size: int = 64,
    ) -> None:
        path = None if weights == RANDOM else place_of(architecture, weights)
        if path is None and weights != RANDOM:
            log.warning(
                "%s: there are no weights of %s in %s; the discriminator looks through a network that was never "
                "trained, and what is learned is not what the paper reports (for that: pip install 'gan-lab[features]' "
                "and %s=%s)",
                *(KEY, architecture, data_root() / "extractors", KEY, DOWNLOAD),
            )
        if path is None:
            super().__init__(*untrained_network(width), random_size)
        else:
            super().__init__(*trained_network(architecture, path), size)
            self.card = {"network": architecture, "weights": "published" if weights in (None, DOWNLOAD) else weights}


class UntrainedBackbone(Backbone):
    """Convolutions of stride 2 that nobody trained: maps of strides 2, 4, ... with `width`, 2 `width`, ... channels.

    Weights are drawn from `seed` so that ReLUs keep the size of what passes through (He et al. 2015, arXiv:1502.01852).
    Such maps know nothing of what is in an image, but see it coarsely and finely, and in many mixtures.
    """

    def __init__(self, width: int = 16, size: int = 64, levels: int = 4, seed: int = 0) -> None:
        super().__init__(*untrained_network(width, levels, seed), size)


def trained_network(architecture: str, path: Path) -> Parts:
    """timm's network with the weights of a file."""
    timm = timm_with(architecture)
    with torch.random.fork_rng(devices=[]):  # whatever it draws is replaced
        network = timm.create_model(architecture, features_only=True, out_indices=STAGES)
    fill(network, path, architecture)
    config, info = timm.models.get_pretrained_cfg(architecture), network.feature_info
    return Parts(Normalised(network, config.mean, config.std), info.channels(), info.reduction())


def place_of(architecture: str, weights: str | None) -> Path | None:
    """The file of the weights; None where null means none."""
    if weights not in (None, DOWNLOAD):
        return Path(weights).expanduser()
    try:
        url = timm_with(architecture).models.get_pretrained_cfg(architecture).url
    except GanLabError:
        if weights is None:
            return None
        raise
    if weights == DOWNLOAD:
        prefix = url.rpartition("-")[2].partition(".")[0]
        return published(url, prefix, f"{KEY}: {architecture}'s weights", f"say {KEY}=FILE or {KEY}={RANDOM}")
    kept = data_root() / "extractors" / url.rpartition("/")[2]
    return kept if kept.is_file() else None


def timm_with(architecture: str) -> Any:
    """timm. Raises GanLabError where it is missing, ConfigError where it has no such network."""
    try:
        import timm
    except ImportError as error:
        raise GanLabError(f"{KEY}: reading them takes timm: pip install 'gan-lab[features]'") from error
    if not timm.is_model(architecture.partition(".")[0]):
        raise ConfigError(f"model.discriminator.backbone.architecture: timm {timm.__version__} has no {architecture}")
    return timm


def fill(network: nn.Module, path: Path, architecture: str) -> None:
    """Load what the network has of a file's weights. Nothing in the file is run."""
    if not path.is_file():
        raise GanLabError(f"{KEY}: there is no file {path}")
    try:
        state = _safetensors(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        network.load_state_dict({name: state[name] for name in network.state_dict()})
    except Exception as error:  # whatever is in it
        reason = " ".join(str(error).split())[:80]
        raise GanLabError(f"{KEY}: {path} does not hold timm's weights of {architecture} ({reason})") from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    found: dict[str, Tensor] = load_file(path)
    return found


class Normalised(nn.Module):
    """Images in [-1, 1] with the mean and the deviation that a network was trained with, of images in [0, 1]."""

    shift: Tensor
    factor: Tensor

    def __init__(self, network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("shift", ((0.5 - torch.tensor(mean)) / torch.tensor(std)).view(3, 1, 1))
        self.register_buffer("factor", (0.5 / torch.tensor(std)).view(3, 1, 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.network(images * self.factor + self.shift)
        return maps


def untrained_network(width: int, levels: int = 4, seed: int = 0) -> Parts:
    """Drawn from `seed`; the global generator is as it was."""
    if width < 1 or levels < 1:
        raise ValueError(f"width and levels must be at least 1, not {width} and {levels}")
    channels = [width << level for level in range(levels)]
    generator = torch.Generator().manual_seed(seed)
    network = Stages(channels)
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.is_meta:
                deviation = (2 / parameter[0].numel()) ** 0.5
                parameter.copy_(torch.empty(parameter.shape, device="cpu").normal_(0, deviation, generator=generator))
    return Parts(network, channels, [2 << level for level in range(levels)])


class Stages(nn.Module):
    """At each stage a convolution of stride 2 and one more, with ReLUs and no biases."""

    def __init__(self, channels: list[int]) -> None:
        super().__init__()
        before = [3, *channels]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.utils.skip_init(nn.Conv2d, one, other, 3, stride=2, padding=1, bias=False),
                nn.ReLU(),
                nn.utils.skip_init(nn.Conv2d, other, other, 3, padding=1, bias=False),
                nn.ReLU(),
            )
            for one, other in zip(before, channels, strict=False)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        found = []
        for stage in self.stages:
            images = stage(images)
            found.append(images)
        return found
