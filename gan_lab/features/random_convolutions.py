"""Features of a network that was never trained: for data without labels, where no weights can be had."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan_lab.data.dataset import Dataset
from gan_lab.features.extractor import Extracted, Extractor, colours, identity_of, resized


class RandomConvolutions(Extractor):
    """Four convolutions with weights drawn from `seed` (He et al. 2015, arXiv:1502.01852), and of each layer's map the
    mean and the standard deviation over its places, 2 (32 + 64 + 128 + 128) numbers.

    Naeem et al. 2020 (arXiv:2002.09797, section 4) find random features the better choice where a trained network has
    seen nothing like the data. Images larger than `size` are made smaller.
    """

    name = "random"

    def __init__(self, seed: int = 0, size: int = 64) -> None:
        self.seed = seed
        self.size = size

    def prepare(self, data: Dataset, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        self.device = device
        self.layers = nn.ModuleList()
        channels = 3
        for width, stride in ((32, 1), (64, 2), (128, 2), (128, 2)):
            layer = nn.utils.skip_init(nn.Conv2d, channels, width, 3, stride=stride, padding=1)
            with torch.no_grad():
                layer.weight.normal_(0, (2 / (9 * channels)) ** 0.5, generator=generator)
                layer.bias.zero_()
            self.layers.append(layer)
            channels = width
        self.identity = identity_of(self.layers.state_dict())
        self.layers.to(device).requires_grad_(False)
        side = max(data.store.shape[1:])
        self.resizer = "native" if side <= self.size else f"bilinear{self.size}"

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        maps = resized(colours(images).to(self.device), self.size)[0]
        found = []
        for layer in self.layers:
            maps = layer(maps).relu()
            places = maps.flatten(2)
            found += [places.mean(2), places.std(2, correction=0)]
        return Extracted(torch.cat(found, 1).float().cpu())
