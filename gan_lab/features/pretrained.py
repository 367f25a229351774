"""Networks that others trained on millions of images, by timm: DINOv2, CLIP and whatever else it has."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gan_lab.config import require_whole
from gan_lab.data.dataset import Dataset
from gan_lab.errors import ConfigError, GanLabError
from gan_lab.features.extractor import NO_DOWNLOAD, Extracted, Extractor, colours, identity_of
from gan_lab.storage.extras import import_extra

SEED = 0x6AB1AB  # of weights that a file must replace


class Pretrained(Extractor):
    """The pooled features, before any class, of timm's `architecture`, of images resized to `size` by an antialiased
    bicubic filter in floats and normalised as the network was trained. `name` is what figures call it.

    FID over features that know more than ImageNet's classes agrees better with people (Stein et al. 2023,
    arXiv:2306.04675; Kynkaanniemi et al. 2023, arXiv:2203.06026). `weights` is a state dict in a `.safetensors` or
    PyTorch file; null downloads the published ones. `options` go to the architecture (`img_size`).
    """

    def __init__(
        self, name: str, architecture: str, size: int = 224, weights: str | None = None, **options: Any
    ) -> None:
        require_whole(size, "extractor.size")
        self.name = name
        self.architecture = architecture
        self.size = size
        self.weights = weights
        self.options = options
        self.resizer = f"bicubic{size}"

    def prepare(self, data: Dataset, device: torch.device) -> None:
        timm = import_extra("timm", "features", "this extractor")
        if not timm.is_model(self.architecture.partition(".")[0]):
            raise ConfigError(f"extractor.architecture: timm {timm.__version__} has no {self.architecture}")
        self.network = self._network(timm).to(device).eval().requires_grad_(False)
        self.device = device
        config = timm.data.resolve_model_data_config(self.network)
        self.mean = torch.tensor(config["mean"], device=device).view(3, 1, 1)
        self.std = torch.tensor(config["std"], device=device).view(3, 1, 1)
        self.identity = identity_of(self.network.state_dict())

    def _network(self, timm: Any) -> nn.Module:
        """With the weights of the file, or the published ones, whose position embeddings timm fits to the size."""
        path = Path(self.weights).expanduser() if self.weights else None
        if path is not None and not path.is_file():
            raise GanLabError(f"extractor.weights: there is no file {path}; leave it out to download the weights")
        logging.getLogger("timm").setLevel(logging.ERROR)  # it tells of every download
        try:
            fresh = self._made(timm, pretrained=False).state_dict()
            network = self._made(timm, pretrained=True, pretrained_cfg_overlay={"file": str(path)} if path else None)
            absent = [name for name, value in network.state_dict().items() if _untouched(value, fresh[name])]
            if absent:  # timm passes over what a file lacks
                raise ValueError(f"it has no {absent[0]}")
        except Exception as error:  # whatever the network, the hub, or a damaged file gives rise to
            reason = " ".join(str(error).split())[:120]
            if path is not None:
                raise GanLabError(
                    f"extractor.weights: {path} does not hold the weights of {self.architecture} ({reason})"
                ) from error
            raise GanLabError(
                f"extractor: the weights of {self.architecture} could not be downloaded ({reason}); {NO_DOWNLOAD}"
            ) from error
        return network

    def _made(self, timm: Any, **how: Any) -> nn.Module:
        """Every call draws the same weights, before it loads others; the global generator is as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(SEED)
            network: nn.Module = timm.create_model(self.architecture, num_classes=0, **how, **self.options)
        return network

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        floats = colours(images).to(self.device).float().div_(255)
        if tuple(floats.shape[2:]) != (self.size, self.size):
            floats = interpolate(floats, (self.size, self.size), mode="bicubic", antialias=True).clamp_(0, 1)
        return Extracted(self.network((floats - self.mean) / self.std).float().cpu())


def _untouched(value: Tensor, before: Tensor) -> bool:
    """Whether weights are those that were drawn. All zeros or ones say nothing."""
    return value.is_floating_point() and bool((value != value.flatten()[0]).any()) and torch.equal(value, before)
